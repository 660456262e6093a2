"""The demo: its facts, its small models, and the two runs of `make demo`."""
