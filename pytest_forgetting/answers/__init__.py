"""How answers are got: planning of batches, generation, the store."""
