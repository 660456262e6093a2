"""Input drawn at random for everything that reads files, options or the answers of models."""
