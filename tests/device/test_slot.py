from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from edgeinfer.device.errors import CameraError
from edgeinfer.device.slot import EndOfFrames, FrameSlot
from edgeinfer.device.types import Frame


def frame(sequence: int) -> Frame:
    return Frame(pixels=np.zeros((2, 2, 3), dtype=np.uint8), sequence=sequence, captured_ns=0)


def test_newest_frame_replaces_and_counts() -> None:
    slot = FrameSlot(keep_newest=True)
    for sequence in range(5):
        assert slot.put(frame(sequence))
    taken = slot.take(0)
    assert taken is not None
    assert (taken.sequence, slot.dropped) == (4, 4)
    assert slot.take(0) is None


def test_full_slot_makes_the_source_wait_and_loses_nothing() -> None:
    slot = FrameSlot(keep_newest=False, capacity=2)
    delivered: list[int] = []

    def deliver() -> None:
        for sequence in range(6):
            slot.put(frame(sequence))
            delivered.append(sequence)
        slot.end()

    source = threading.Thread(target=deliver)
    source.start()
    time.sleep(0.1)
    assert delivered == [0, 1]
    taken = [slot.take(5) for _ in range(6)]
    with pytest.raises(EndOfFrames):
        slot.take(5)
    source.join()
    assert [got.sequence for got in taken if got is not None] == list(range(6))
    assert slot.dropped == 0


def test_close_releases_a_waiting_source() -> None:
    slot = FrameSlot(keep_newest=False, capacity=1)
    answers: list[bool] = []
    source = threading.Thread(target=lambda: answers.extend(slot.put(frame(i)) for i in range(2)))
    source.start()
    time.sleep(0.05)
    slot.close()
    source.join(5)
    assert answers == [True, False]


def test_error_comes_after_the_frames_before_it() -> None:
    slot = FrameSlot(keep_newest=False)
    slot.put(frame(0))
    slot.end(CameraError("camera", got="gone"))
    assert slot.take(0) is not None
    with pytest.raises(CameraError, match="gone"):
        slot.take(0)
