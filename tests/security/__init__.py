"""Attacks by suites, checkpoints, servers and other users of the machine, and what holds them."""
