"""Is it right: matchers and checks on the texts that mislead simpler ones."""
