"""What is odd about suites, found without any model."""
