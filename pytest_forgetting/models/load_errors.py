"""What libraries say when a model does not load, in one line of ours, and nothing of it beside that line."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_forgetting.errors import CannotAnswer, ForgettingError

_LONGEST = 300
"""Characters of a library's message that are shown."""
_TALKATIVE = ("transformers", "peft", "accelerate", "bitsandbytes", "torch")


@contextmanager
def told_as(what: str) -> Iterator[None]:
    """Turn any error within the block into `CannotAnswer`, ``what: its first line``; a lack of memory passes.

    Loading runs through three libraries that raise nearly every kind of exception, so none is left out.
    """
    from pytest_forgetting.models.device_memory import is_out_of_memory

    try:
        yield
    except ForgettingError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise CannotAnswer(f"{what}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """The first line that says something, shortened where it runs on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch puts a heading in front of what happened.
    told = lines[0] + (f" {lines[1]}" if lines[0].endswith(":") and len(lines) > 1 else "") if lines else ""
    told = told or type(error).__name__
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars, warnings and log lines of the libraries off the terminal within the block."""
    from transformers.utils import logging as transformers_logging

    bars = transformers_logging.is_progress_bar_enabled()
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    transformers_logging.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            transformers_logging.enable_progress_bar()
