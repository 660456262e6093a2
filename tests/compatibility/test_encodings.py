"""Standard output in other encodings, and files whose encoding does not depend on the system's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compatibility.environments import HOME, RECORDED, run_in, two_recordings

FOREIGN = {"Spain": "Mádrid 東京"}


@pytest.mark.parametrize(("encoding", "answer"), [("cp1252", "Mádrid"), ("ascii", r"M\xe1drid"), ("cp437", "Mádrid")])
def test_signs_that_a_screen_lacks_have_stand_ins(tmp_path: Path, encoding: str, answer: str) -> None:
    """Table, verdict and answers are read as they are meant; of an answer only what is lacking is escaped."""
    two_recordings(tmp_path, FOREIGN)
    done = run_in(tmp_path, *RECORDED, environment={"PYTHONIOENCODING": encoding})
    told = done.stdout.decode(encoding)
    assert done.returncode == 1
    assert done.stderr == b""
    assert rf'now "{answer} \u6771\u4eac"' in told
    assert "-20.8" in told
    assert not any(rf"\u{ord(sign):04x}" in told for sign in "−…→·–≤")
    assert len({line.index(" FAIL ") for line in told.splitlines() if line.startswith("Capitals ")}) == 1


def test_utf_8_keeps_its_signs(tmp_path: Path) -> None:
    """Nothing is replaced where all can be written."""
    two_recordings(tmp_path, FOREIGN)
    told = run_in(tmp_path, *RECORDED).stdout.decode()
    assert 'now "Mádrid 東京"' in told
    assert "−20.8 … 76.9" in told


def test_starter_suites_go_into_any_folder(tmp_path: Path) -> None:
    """What was written is told, in a screen's own signs, without a traceback."""
    done = run_in(tmp_path, "--forgetting-init=訓練", environment={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u8a13\u7df4/general_qa.yaml" in done.stdout
    assert (tmp_path / "訓練" / "general_qa.yaml").is_file()


def test_every_file_is_opened_with_an_encoding(tmp_path: Path) -> None:
    """Python warns of each that is not, when asked to; reports of all kinds and a recording are written."""
    two_recordings(tmp_path)
    written = ("r.json", "r.jsonl", "r.md", "r.html")
    wanted = [f"--forgetting-report={name}" for name in written]
    done = run_in(
        tmp_path, *RECORDED, *wanted, "--forgetting-record=kept.json", python=("-X", "warn_default_encoding"),
        environment={"PYTHONWARNINGS": "always::EncodingWarning"},
    )  # fmt: skip
    told = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert all((tmp_path / name).is_file() for name in written)
    assert f"{HOME}/pytest_forgetting" not in told, told


@pytest.mark.slow
def test_every_file_of_models_is_opened_with_an_encoding(tmp_path: Path) -> None:
    """The same where models are loaded and asked."""
    from tests.tiny_models import tiny_adapter, tiny_llama

    tiny_adapter(tmp_path / "tuned", tiny_llama(tmp_path / "base"))
    two_recordings(tmp_path)
    done = run_in(
        tmp_path, "--model=./tuned", "--baseline=./base", "capitals.yaml", "--forgetting-no-store", "--device=cpu",
        python=("-X", "warn_default_encoding"), environment={"PYTHONWARNINGS": "always::EncodingWarning"},
    )  # fmt: skip
    told = (done.stdout + done.stderr).decode()
    assert done.returncode in (0, 1), told
    assert f"{HOME}/pytest_forgetting" not in told, told
