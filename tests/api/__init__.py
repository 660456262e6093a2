"""The gate from Python: `compare`, what it can be given, suites as values."""
