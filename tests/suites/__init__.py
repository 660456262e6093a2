"""Reading suites: the schema, sources, line numbers, and what is said of each mistake."""
