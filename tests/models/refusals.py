"""The message of what is refused, seen to be a single line."""

from pathlib import Path

import pytest

from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.models.references import LocalModel, resolve
from tests.models.asking import alone_pair


def refused(ref: str, error: type[ForgettingError] = WrongUsage, candidate: LocalModel | None = None) -> str:
    """The one line that tells why `ref` is refused."""
    with pytest.raises(error) as caught:
        resolve(ref, candidate=candidate)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def unloadable(folder: Path, error: type[ForgettingError] = CannotAnswer, **options: object) -> str:
    """The one line that tells why the checkpoint in `folder` does not load."""
    with pytest.raises(error) as caught, alone_pair(folder, **options).speaking("model"):
        pass
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value) or error is WrongUsage
    return str(caught.value)
