"""Is it right: matchers and checks, pure functions of text."""
