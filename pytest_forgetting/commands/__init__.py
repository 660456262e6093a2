"""What one option does and then stops: starter suites, JSON Schemas, pages of the documentation."""
