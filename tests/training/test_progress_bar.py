"""Progress of a training, where no terminal shows a bar."""

import pytest

from pytest_forgetting.training import progress_bar as module
from pytest_forgetting.training.progress_bar import progress_bar


def test_log_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is trained, and how far it is once some time has passed; in between nothing."""
    with progress_bar("training") as on_step:
        on_step(1, 40)
        monkeypatch.setattr(module, "EVERY", 0.0)
        on_step(2, 40)
    assert capsys.readouterr().err.splitlines() == ["training", "  step 2 of 40"]
