"""What other tools have written, turned into suites and recordings."""
