"""Whether an adapter does anything, seen on what it is asked."""

from pathlib import Path

import pytest

from pytest_forgetting.answers.effect import adapter_changes_logits
from pytest_forgetting.answers.requests import Request
from tests.scoring import PLAIN, speaking
from tests.tiny_models import tiny_adapter, tiny_llama

ASKED = {
    "question": Request("What is the capital of France?", (), (), 8),
    "choices": Request("What is the capital of France?", (), continuations=(" Paris", " Rome")),
    "text": Request("", (), continuations=("The capital of France is Paris. " * 20,)),
}


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("works", [True, False])
def test_an_adapter_on_the_queries_alone_is_seen_to_work(tmp_path: Path, kind: str, works: bool) -> None:
    """On a text's beginning it cannot: one token has nothing but itself to attend to. Zeros do nothing anywhere."""
    base = tiny_llama(tmp_path / "base")
    tiny_adapter(tmp_path / "adapter", base, target_modules=["q_proj"], randomise=works)
    with speaking(tmp_path / "adapter") as loaded:
        assert adapter_changes_logits(loaded, [ASKED[kind]], PLAIN) is works
