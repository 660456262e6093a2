"""What changed: outcomes, counts, gates. Pure functions of grades."""
