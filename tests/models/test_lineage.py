"""What the word `base` stands for."""

from pathlib import Path

import pytest

from pytest_forgetting.models.references import resolve
from tests.models.edits import copied
from tests.models.refusals import refused


def test_base_of_an_adapter(base: Path, adapter: Path) -> None:
    """`base` is the adapter's base, with the base's own tokenizer."""
    found = resolve("base", candidate=resolve(str(adapter)))
    assert (found.ref, found.weights, found.adapter, found.tokenizer) == ("base", base, None, base)
    assert found.fingerprint == resolve(str(base)).fingerprint


@pytest.mark.parametrize("card", ["base_model: {}", "base_model:\n- {}"])
def test_base_of_a_model_card(base: Path, tmp_path: Path, card: str) -> None:
    """A full checkpoint records its base in its card, as one name or a list of one."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text(f"---\nlicense: mit\n{card.format(base)}\n---\n\n# Tuned\n")
    assert resolve("base", candidate=resolve(str(tuned))).weights == base


def test_several_bases_are_refused(base: Path, tmp_path: Path) -> None:
    """A merged model has no one base to be compared with."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text("---\nbase_model: [org/a, org/b]\n---\n")
    assert "names several bases (org/a, org/b); choose one with --baseline REF" in refused(
        "base", candidate=resolve(str(tuned))
    )


@pytest.mark.parametrize("card", ["", "# No front matter", "---\nlicense: mit\n---\n", "---\n: [\n---\n", "---\nopen"])
def test_base_that_nobody_recorded(base: Path, tmp_path: Path, card: str) -> None:
    """Without a record, the user has to say what the model was tuned from."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text(card)
    message = refused("base", candidate=resolve(str(tuned)))
    assert "does not record its base" in message
    assert message.endswith("give --baseline REF")


def test_recorded_base_that_is_gone(base: Path, tmp_path: Path) -> None:
    """A dead path in a model card is told together with who says it."""
    tuned = copied(base, tmp_path / "tuned")
    (tuned / "README.md").write_text("---\nbase_model: /gone/away\n---\n")
    message = refused("base", candidate=resolve(str(tuned)))
    assert "'base_model: /gone/away' in its model card cannot be found: /gone/away: no such folder" in message


def test_base_without_a_candidate() -> None:
    """`base` means nothing by itself."""
    assert "give --baseline REF" in refused("base")
