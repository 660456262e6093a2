"""How the demo models are made; imports no torch, since a cached model must be found without it."""

from __future__ import annotations

from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.method import Method
from pytest_forgetting.training.recipe import Recipe
from pytest_forgetting.training.replay import Replay

PRETRAINING = Recipe(learning_rate=2e-3, epochs=60, weight_decay=0.01)
VOCABULARY = 2000
"""At most so many tokens; fewer where the texts have no more pairs to join."""
SHAPE = {
    "hidden_size": 160,
    "intermediate_size": 432,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
"""Of the Llama; about one and a half million parameters."""

TUNING = Recipe(learning_rate=1.5e-3, epochs=60)
"""A tuning as rash as they come: nearly the learning rate of the pretraining, and sixty passes."""

METHODS: dict[str, Method] = {
    "full": FullFineTune(TUNING),
    "replay": Replay(FullFineTune(TUNING), share=0.6),
}
"""The tuned models by name. One recipe for all: they differ in what they are trained on, and in nothing else."""

NAMES = ("base", *METHODS)
DURATIONS = {"base": "about a minute", "full": "about 20 seconds", "replay": "about a minute"}
"""On two cores."""
EDITION = 1
"""Raised when the code that trains changes what comes out: cached models of an older edition are left alone."""
