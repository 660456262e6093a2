"""The two sides: what an answer is judged to be, and what is asked again in doubt."""
