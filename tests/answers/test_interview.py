"""Asking what the store lacks, one process at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.interview import Interview
from pytest_forgetting.answers.local_engine import LocalEngine
from pytest_forgetting.answers.progress import Silent
from pytest_forgetting.answers.requests import Conditions
from pytest_forgetting.answers.sides import LiveSide, SideName
from pytest_forgetting.answers.slot import Slots
from pytest_forgetting.answers.store import Store
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.models.devices import Device, Places
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from pytest_forgetting.suites.cases import Case
from pytest_forgetting.suites.loading import load_suite
from tests.tiny_models import tiny_llama

SUITE = "forgetting: qa\nmax_new_tokens: 4\ncases:\n" + "".join(
    f"  - {{prompt: 'number {n}', answer: '1'}}\n" for n in range(3)
)


class Heard(Silent):
    """Progress, remembered."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self.said: list[object] = []

    def start(self, label: str, total: int, cost: float = 0.0) -> None:  # noqa: ARG002 - as Progress
        """Remember who is asked how much."""
        self.said.append((label, total))

    def advance(self, done: int, cost: float = 0.0) -> None:  # noqa: ARG002 - as Progress
        """Remember each step."""
        self.said.append(done)

    def finish(self) -> None:
        """Remember the end."""
        self.said.append("end")


class Setting:
    """A tiny model as both sides, and three cases."""

    def __init__(self, folder: Path) -> None:
        """Find the model; load nothing."""
        model = resolve(str(tiny_llama(folder / "model")))
        suite = folder / "s.yaml"
        suite.write_text(SUITE)
        self.cases: tuple[Case, ...] = load_suite(suite).cases
        self.store = Store(folder / "store")
        self.slot = folder / "cpu.lock"
        self.slots = Slots(folder, lambda: Places((Device("cpu", "cpu"),)))
        participant = Participant("m", model.fingerprint)
        self.side = LiveSide(participant, Conditions(model.fingerprint, None), self.store)
        self.loads = 0

        def load(devices: Sequence[str]) -> LoadedPair:
            self.loads += 1
            return LoadedPair({"baseline": model, "model": model}, LoadOptions(device=devices[0]))

        sides: dict[SideName, LiveSide] = {"baseline": self.side, "model": self.side}
        self.interview = Interview(sides, LocalEngine(load, None), self.store, self.slots)

    def stored(self) -> int:
        """How many cases have an answer."""
        return sum(
            answer is not None for answer in self.side.stored([r for c in self.cases for r in self.side.requests(c)])
        )


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    """Ready to be asked."""
    return Setting(tmp_path)


def test_two_sides_that_are_one_model_are_asked_once(setting: Setting) -> None:
    """Equal conditions mean equal answers: the second side finds them in the store."""
    setting.interview.ask(setting.cases, Silent())
    assert setting.interview.effort.computed == {"baseline": 3, "model": 0}
    assert setting.stored() == 3


def test_what_is_stored_is_not_asked(setting: Setting) -> None:
    """Without a missing answer nothing is loaded, and the device is left to others."""
    setting.interview.ask(setting.cases, Silent())
    setting.interview.close()
    setting.interview.ask(setting.cases, Silent())
    assert setting.loads == 1
    FileLock(str(setting.slot)).acquire(timeout=0)


def test_progress_hears_of_every_answer(setting: Setting) -> None:
    """Start with the number to come, steps, end."""
    heard = Heard()
    setting.interview.ask(setting.cases, heard)
    assert heard.said == [("baseline", 3), 3, "end"]


def test_a_process_that_waits_takes_what_the_other_answers(setting: Setting) -> None:
    """While another holds the device the store is watched; what it brings needs no model here."""
    other = FileLock(str(setting.slot))
    other.acquire()
    request = {setting.side.requests(case)[0]: Answer("1", "eos") for case in setting.cases}
    asking = threading.Thread(target=setting.interview.ask, args=(setting.cases, Silent()))
    asking.start()
    time.sleep(0.2)
    assert asking.is_alive()
    setting.side.keep(request)
    asking.join(timeout=20)
    assert not asking.is_alive()
    assert setting.loads == 0
    other.release()


def test_a_process_that_waits_asks_when_the_device_is_free(setting: Setting) -> None:
    """The holder went away without answering: the next one asks."""
    other = FileLock(str(setting.slot))
    other.acquire()
    asking = threading.Thread(target=setting.interview.ask, args=(setting.cases, Silent()))
    asking.start()
    time.sleep(0.2)
    other.release()
    asking.join(timeout=60)
    assert setting.stored() == 3
