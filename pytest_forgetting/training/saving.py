"""A trained model as a folder that every tool of the field can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from transformers.utils import logging

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' own progress bars off the terminal within the block."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, *, base: Path | None = None) -> None:
    """Write weights, configuration, tokenizer and a model card into `folder`; the card names `base`, if any."""
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    if base is not None:
        (folder / "README.md").write_text(_card(base), encoding="utf-8")


def _card(base: Path) -> str:
    # A JSON string is a YAML string too, whatever stands in the path.
    return f"---\nbase_model: {json.dumps(str(base.resolve()))}\n---\n\nTuned with pytest-forgetting.\n"
