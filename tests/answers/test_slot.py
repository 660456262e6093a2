"""Taking turns on a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_forgetting.answers import slot
from pytest_forgetting.answers.slot import Slot, Slots
from pytest_forgetting.models.devices import Device, Places

TWO = (Device("gpu-0", "cuda:0"), Device("gpu-1", "cuda:1"))


class Holder:
    """Somebody with models."""

    def __init__(self) -> None:
        """Nothing was let go yet."""
        self.freed = 0

    def free(self) -> None:
        """Count."""
        self.freed += 1


def as_seen(folder: Path, *devices: Device, together: bool = False) -> Slots:
    """Devices as one process sees them."""
    return Slots(folder, lambda: Places(devices or (Device("cpu", "cpu"),), together))


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `Slots` is as in a process of its own: it has lock files of its own open. Looks are short."""
    monkeypatch.setattr(slot, "POLL", 0.05)
    monkeypatch.setattr(slot, "slot_at", Slot)


@pytest.fixture
def turns(processes: None, tmp_path: Path) -> tuple[Slots, Slots]:
    """One device as two processes see it."""
    return as_seen(tmp_path), as_seen(tmp_path)


def test_one_process_holds_it_at_a_time(turns: tuple[Slots, Slots]) -> None:
    """The other gets it once it is left."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    mine.leave(me)
    assert theirs.take(they)
    theirs.leave(they)


def test_way_is_given_to_those_who_wait_only(turns: tuple[Slots, Slots], monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are let go where somebody waits, and kept where nobody does, or does no longer."""
    monkeypatch.setattr(slot, "POLL", 0.0)
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    mine.give_way(me)
    assert me.freed == 0
    assert not theirs.take(they)
    theirs.stop_waiting(they)
    mine.give_way(me)
    assert me.freed == 0
    assert not theirs.take(they)
    mine.give_way(me)
    assert me.freed == 1
    assert theirs.take(they)
    theirs.leave(they)


def test_who_has_given_way_stands_behind(turns: tuple[Slots, Slots]) -> None:
    """And does not take it again before the other has had it."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    mine.leave(me)
    assert not mine.take(me)
    assert theirs.take(they)
    theirs.leave(they)


def test_it_is_not_looked_all_the_time(turns: tuple[Slots, Slots], monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving way is asked after each test: most of the time that must cost nothing."""
    (mine, theirs), me, they = turns, Holder(), Holder()
    assert mine.take(me)
    assert not theirs.take(they)
    monkeypatch.setattr(slot, "POLL", 60)
    mine.give_way(me)
    assert me.freed == 0
    mine.leave(me)
    theirs.stop_waiting(they)


def test_a_second_tenant_of_one_process_takes_over(tmp_path: Path) -> None:
    """It never waits for the first, whose models are let go; the first takes it back in the same way."""
    first, second = Holder(), Holder()
    one, other = as_seen(tmp_path), as_seen(tmp_path)
    assert one.take(first)
    assert other.take(second)
    assert (first.freed, second.freed) == (1, 0)
    one.leave(first)
    assert second.freed == 0
    assert one.take(first)
    assert second.freed == 1
    one.leave(first)


@pytest.mark.usefixtures("processes")
def test_each_process_has_a_device_of_its_own(tmp_path: Path) -> None:
    """With two devices two processes hold one each; a third waits until one is left, whichever it is."""
    first, second, third = (as_seen(tmp_path, *TWO) for _ in range(3))
    one, two, three = Holder(), Holder(), Holder()
    assert (first.take(one), second.take(two), third.take(three)) == (TWO[:1], TWO[1:], ())
    assert first.take(one) == TWO[:1]
    second.leave(two)
    assert third.take(three) == TWO[1:]
    first.leave(one)
    third.leave(three)


@pytest.mark.usefixtures("processes")
def test_those_who_wait_stand_at_different_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who wait get way from two holders, and neither holder gets it back before them."""
    monkeypatch.setattr(slot, "POLL", 0.0)
    all_four = [(as_seen(tmp_path, *TWO), Holder()) for _ in range(4)]
    assert [bool(slots.take(holder)) for slots, holder in all_four] == [True, True, False, False]
    for slots, holder in all_four[:2]:
        slots.give_way(holder)
        assert holder.freed == 1
        assert not slots.take(holder)
    assert all(slots.take(holder) for slots, holder in all_four[2:])
    for slots, holder in all_four:
        slots.leave(holder)
        slots.stop_waiting(holder)


@pytest.mark.usefixtures("processes")
def test_a_model_for_all_devices_waits_for_all(tmp_path: Path) -> None:
    """It keeps those that are free meanwhile, and leaves them if it need not wait any longer."""
    large, small, other = as_seen(tmp_path, *TWO, together=True), as_seen(tmp_path, TWO[1]), as_seen(tmp_path, TWO[0])
    big, little, third = Holder(), Holder(), Holder()
    assert small.take(little)
    assert not large.take(big)
    assert not other.take(third)
    large.stop_waiting(big)
    assert other.take(third)
    other.leave(third)
    small.leave(little)
    assert large.take(big) == TWO
    assert not small.take(little)
    large.leave(big)
    small.stop_waiting(little)
