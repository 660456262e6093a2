"""Evaluating a pair: how a side's answers are graded, and what is asked again in doubt."""
