from __future__ import annotations

import threading
import time

import pytest

from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.loop.slot import EndOfItems, Slot
from tests.support.waiting import PATIENCE_S, until


def test_the_newest_item_replaces_and_counts() -> None:
    stale: list[int] = []
    slot: Slot[int] = Slot(keep_newest=True, on_drop=stale.append)
    for number in range(5):
        assert slot.put(number)
    assert (slot.take(0), slot.dropped, stale) == (4, 4, [0, 1, 2, 3])
    assert slot.take(0) is None


def test_a_full_slot_makes_the_stage_before_wait_and_loses_nothing() -> None:
    slot: Slot[int] = Slot(keep_newest=False, capacity=2)
    delivered: list[int] = []

    def deliver() -> None:
        for number in range(6):
            slot.put(number)
            delivered.append(number)
        slot.end()

    source = threading.Thread(target=deliver)
    source.start()
    until(lambda: delivered == [0, 1])
    time.sleep(0.1)
    assert delivered == [0, 1]
    taken = [slot.take(PATIENCE_S) for _ in range(6)]
    with pytest.raises(EndOfItems):
        slot.take(PATIENCE_S)
    source.join()
    assert taken == list(range(6))
    assert slot.dropped == 0


def test_close_releases_a_waiting_source_and_taker() -> None:
    slot: Slot[int] = Slot(keep_newest=False, capacity=1)
    answers: list[bool] = []

    def deliver() -> None:
        for number in range(2):
            answers.append(slot.put(number))

    source = threading.Thread(target=deliver)
    source.start()
    until(lambda: answers == [True])
    time.sleep(0.05)  # for the second to wait; where it comes later it finds the slot closed
    slot.close()
    source.join(PATIENCE_S)
    assert answers == [True, False]
    with pytest.raises(EndOfItems):
        slot.take(PATIENCE_S)


def test_every_taker_learns_of_the_end() -> None:
    slot: Slot[int] = Slot(keep_newest=False)
    slot.end()
    for _ in range(3):
        with pytest.raises(EndOfItems):
            slot.take(1)


def test_an_error_comes_after_the_items_before_it() -> None:
    for keep_newest in (True, False):
        slot: Slot[int] = Slot(keep_newest=keep_newest)
        slot.put(0)
        slot.end(CameraError("camera", got="gone"))
        assert slot.take(0) == 0
        with pytest.raises(CameraError, match="gone"):
            slot.take(0)


def test_nothing_replaces_the_end() -> None:
    slot: Slot[int] = Slot(keep_newest=True)
    slot.end()
    assert not slot.put(0)
    assert slot.dropped == 0
    with pytest.raises(EndOfItems):
        slot.take(1)
