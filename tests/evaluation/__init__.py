"""Evaluating a pair: what an answer is judged to be, and what is asked again in doubt."""
