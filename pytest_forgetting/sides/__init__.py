"""The two sides of a comparison: found, opened, asked, recorded, and what each answer is judged to be."""
