"""Files of other tools turned into suites and recordings."""
