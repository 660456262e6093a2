"""Taking turns on a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_forgetting.answers import slot
from pytest_forgetting.answers.slot import Slot, slot_at


class Holder:
    """Somebody with models."""

    def __init__(self) -> None:
        """Nothing was let go yet."""
        self.freed = 0

    def free(self) -> None:
        """Count."""
        self.freed += 1


@pytest.fixture
def turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Slot, Slot]:
    """One device as two processes see it: each has lock files of its own open. Looks are short."""
    monkeypatch.setattr(slot, "POLL", 0.05)
    return Slot(tmp_path / "cpu.lock"), Slot(tmp_path / "cpu.lock")


def test_one_process_holds_it_at_a_time(turns: tuple[Slot, Slot]) -> None:
    """The other gets it once it is left."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    mine.leave(me)
    assert theirs.take(they)
    theirs.leave(they)


def test_way_is_given_to_those_who_wait_only(turns: tuple[Slot, Slot], monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are let go where somebody waits, and kept where nobody does, or does no longer."""
    monkeypatch.setattr(slot, "POLL", 0.0)
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    mine.give_way(me)
    assert me.freed == 0
    assert not theirs.take(they)
    theirs.stop_waiting()
    mine.give_way(me)
    assert me.freed == 0
    assert not theirs.take(they)
    mine.give_way(me)
    assert me.freed == 1
    assert theirs.take(they)
    theirs.leave(they)


def test_who_has_given_way_stands_behind(turns: tuple[Slot, Slot]) -> None:
    """And does not take it again before the other has had it."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    mine.leave(me)
    assert not mine.take(me)
    assert theirs.take(they)
    theirs.leave(they)


def test_it_is_not_looked_all_the_time(turns: tuple[Slot, Slot], monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving way is asked after each test: most of the time that must cost nothing."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    monkeypatch.setattr(slot, "POLL", 60)
    mine.give_way(me)
    assert me.freed == 0
    mine.leave(me)
    theirs.stop_waiting()


def test_a_second_tenant_of_one_process_takes_over(tmp_path: Path) -> None:
    """It never waits for the first, whose models are let go; the first takes it back in the same way."""
    first, second = Holder(), Holder()
    here = slot_at(tmp_path / "cpu.lock")
    assert here is slot_at(tmp_path / "cpu.lock")
    assert here.take(first)
    assert here.take(second)
    assert (first.freed, second.freed) == (1, 0)
    here.leave(first)
    assert second.freed == 0
    assert here.take(first)
    assert second.freed == 1
    here.leave(first)
