"""Folders that are made once, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

from pytest_forgetting.made_once import made_once


def test_two_folders_are_made_one_after_the_other(tmp_path: Path) -> None:
    """Two trainings at once would only hinder each other."""
    told: list[str] = []

    def make(folder: Path) -> None:
        told.append("begins")
        sleep(0.2)
        folder.mkdir()
        told.append("ends")

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda name: made_once(tmp_path / name, name, Path.is_dir, make), "ab"))
    assert made == [tmp_path / "a", tmp_path / "b"]
    assert told == ["begins", "ends"] * 2
