"""The gate from Python: `compare`, the assertion, and the fixtures' values for tests of one's own."""
