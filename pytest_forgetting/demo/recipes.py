"""How the demo models are made; imports no torch, since a cached model must be found without it."""

from __future__ import annotations

from pytest_forgetting.training.ewc import EWC
from pytest_forgetting.training.full import FullFineTune
from pytest_forgetting.training.kl import KLToBase
from pytest_forgetting.training.lora import LoRA
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

ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "embed_tokens")
"""All linear layers, and the embeddings: the domain is made of tokens that the base hardly ever read."""

METHODS: dict[str, Method] = {
    "full": FullFineTune(TUNING),
    "low-lr": FullFineTune(Recipe(learning_rate=2e-4, epochs=300)),
    "few-epochs": FullFineTune(Recipe(learning_rate=5e-4, epochs=100)),
    "lora": LoRA(Recipe(learning_rate=3e-4, epochs=300), rank=64, alpha=64, targets=ADAPTED),
    "replay": Replay(FullFineTune(TUNING), share=0.6),
    "ewc": EWC(FullFineTune(TUNING), strength=30.0),
    "kl": KLToBase(FullFineTune(TUNING)),
    "lora-replay": Replay(LoRA(Recipe(learning_rate=2e-3, epochs=60), rank=64, alpha=64, targets=ADAPTED), share=0.6),
}
"""The tuned models by name. Replay, EWC and KL leave the rash recipe as it is and add one thing to it. The others have
recipes of their own, each the one of a sweep that kept most of the base where it learned the domain. At the rash rate
fewer passes keep nothing: the base is gone before the domain is there."""

NAMES = ("base", *METHODS)
DURATIONS = {
    "base": "about a minute",
    "full": "about 20 seconds",
    "low-lr": "about two minutes",
    "few-epochs": "about 40 seconds",
    "lora": "two to three minutes",
    "replay": "about a minute",
    "ewc": "about 30 seconds",
    "kl": "about a minute",
    "lora-replay": "about a minute",
}
"""On one core."""
EDITION = 3
"""Raised when the code that trains changes what comes out: cached models of an older edition are left alone."""
