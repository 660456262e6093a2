"""How answers are got: planning, generation, likelihood, drafts, the store, engines; on tiny real models."""
