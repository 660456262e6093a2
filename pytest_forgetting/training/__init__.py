"""Fine-tuning that the demo and users share."""
