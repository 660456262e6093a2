"""A pytest plugin that tells whether fine-tuning made a language model forget, and fails the build when it did."""
