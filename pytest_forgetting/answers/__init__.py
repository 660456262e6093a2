"""How answers are got: planning of batches, generation, likelihood, the store, recordings."""
