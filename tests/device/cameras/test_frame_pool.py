"""Memory is used again, but never under a holder's eyes, whatever the interpreter counts."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import to_rgb

SHAPE = (4, 6, 3)


def filled(pool: FramePool, value: int, shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    array = pool.take(shape)
    array[...] = value
    return array


def test_memory_that_nobody_holds_is_used_again() -> None:
    pool = FramePool()
    seen = set()
    for _ in range(20):
        array = pool.take(SHAPE)
        seen.add(array.ctypes.data)
        del array
    assert len(seen) == 1
    assert pool.allocated == 1


@pytest.mark.parametrize("count", range(1, 9))
def test_what_the_interpreter_counts_does_not_matter(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CPython 3.14 counts fewer references than 3.13: a loop's variable borrows one."""
    monkeypatch.setattr(sys, "getrefcount", lambda array: count)
    pool = FramePool()
    kept = filled(pool, 7)
    others = [filled(pool, 9) for _ in range(3)]
    assert (kept == 7).all()
    del kept, others
    for _ in range(20):
        filled(pool, 8)
    assert pool.allocated == 4


def test_array_of_the_right_kind() -> None:
    array = FramePool().take(SHAPE)
    assert (array.shape, array.dtype.name) == (SHAPE, "uint8")
    assert type(array) is np.ndarray
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.flags.aligned


VIEWS: dict[str, Callable[[Any], Any]] = {
    "itself": lambda array: array,
    "slice": lambda array: array[1:-1],
    "slice of a slice": lambda array: array[1:][:, ::2][..., ::-1],
    "a row": lambda array: array[2],
    "channels turned": lambda array: to_rgb(array, "bgr"),
    "reshaped": lambda array: array.reshape(-1)[5:],
    "transposed": lambda array: array.transpose(2, 0, 1),
    "another type": lambda array: array.reshape(-1).view(np.uint16),
    "ravel": lambda array: array.ravel(),
    "asarray": lambda array: np.asarray(array[:2]),
    "frombuffer": lambda array: np.frombuffer(array, np.uint8),
    "memoryview": lambda array: memoryview(array),
    "slice of a memoryview": lambda array: memoryview(array)[1:],
    "a memoryview of a view": lambda array: memoryview(array[1:][::2]),
    "dlpack": lambda array: np.from_dlpack(array[1:]),
    "broadcast": lambda array: np.broadcast_to(array, (2, *array.shape)),
    "strided": lambda array: np.lib.stride_tricks.as_strided(array[1:], (2, 2), (1, 1)),
    "windows": lambda array: np.lib.stride_tricks.sliding_window_view(array, (2, 2, 3)),
    "iterator": lambda array: array[1:].flat,
    "a subclass": lambda array: array.view(np.recarray),
    "a frame": lambda array: Frame(pixels=array, format="bgr", sequence=0, captured_ns=0),
    "a frame's picture": lambda array: Frame(
        pixels=array, format="bgr", sequence=0, captured_ns=0
    ).rgb(),
}


def shows(view: Any) -> set[int]:
    """Return the values of the bytes in a view."""
    return set(np.asarray(view.pixels if isinstance(view, Frame) else view).tobytes())


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_keeps_the_pixels(kind: str) -> None:
    pool = FramePool()
    view = VIEWS[kind](filled(pool, 7))
    others = [filled(pool, 9) for _ in range(3)]
    gc.collect()
    assert shows(view) == {7}
    del others
    for _ in range(5):
        filled(pool, 9)
    assert shows(view) == {7}
    assert pool.allocated == 4
    del view
    gc.collect()
    arrays = [filled(pool, 9) for _ in range(4)]
    assert pool.allocated == 4
    del arrays


@dataclass
class Held:
    """A view, and what it must show."""

    view: Any
    value: int


ACTIONS = st.tuples(st.sampled_from(["take", "view", "drop"]), st.integers(0, 2**16))


@given(st.lists(ACTIONS))
def test_whatever_is_held_in_whatever_order(actions: list[tuple[str, int]]) -> None:
    pool, held, most = FramePool(limit=100), list[Held](), 0
    makers = list(VIEWS.values())

    def act(action: str, choice: int, value: int) -> None:
        if action == "take":
            held.append(Held(filled(pool, value), value))
        elif held and action == "drop":
            del held[choice % len(held)]
        elif held:
            item, make = held[choice % len(held)], makers[choice // 100 % len(makers)]
            view = item.view
            if isinstance(view, np.ndarray) and view.shape == SHAPE and view.flags.c_contiguous:
                held.append(Held(make(view), item.value))

    for number, (action, choice) in enumerate(actions):
        act(action, choice, number % 256)
        most = max(most, len(held))
        assert [shows(item.view) for item in held] == [{item.value} for item in held]
    assert pool.allocated <= most


def test_frames_go_through_several_threads_and_stay_as_they_are() -> None:
    """One thread takes, others keep some of them and release them later."""
    pool, frames, wrong = FramePool(limit=64), SimpleQueue[Any](), list[tuple[int, int]]()
    room = threading.Semaphore(8)

    def hold(seed: int) -> None:
        generator, kept = np.random.default_rng(seed), list[Held]()
        while (item := frames.get()) is not None:
            room.release()
            kept.append(Held(item.view[1:][..., ::-1], item.value))
            del item
            if len(kept) > generator.integers(1, 6):
                index = int(generator.integers(len(kept)))
                if shows(kept[index].view) != {kept[index].value}:
                    wrong.append((seed, kept[index].value))
                del kept[index]

    threads = [threading.Thread(target=hold, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for number in range(3000):
            room.acquire()
            frames.put(Held(filled(pool, number % 251), number % 251))
    finally:
        sys.setswitchinterval(before)
        for _ in threads:
            frames.put(None)
        for thread in threads:
            thread.join()
    assert wrong == []
    # Eight on their way, six with each, one being filled, one in each thread's hands.
    assert pool.allocated <= 8 + 4 * 6 + 1 + 4


def test_another_shape_gets_new_arrays() -> None:
    pool = FramePool()
    kept = filled(pool, 7)
    assert pool.take((2, 2)).shape == (2, 2)
    assert pool.take(SHAPE).shape == SHAPE
    assert pool.allocated == 3
    assert (kept == 7).all()
    assert pool.take((2, 2)).shape == (2, 2)
    del kept  # of another shape than the last that was asked for
    assert pool.take((2, 2)).shape == (2, 2)
    assert pool.allocated == 4


def test_more_than_the_limit_are_handed_out_all_the_same() -> None:
    pool = FramePool(limit=2)
    arrays = [filled(pool, value) for value in range(5)]
    assert [shows(array) for array in arrays] == [{value} for value in range(5)]
    arrays.clear()
    arrays = [pool.take(SHAPE) for _ in range(5)]
    assert pool.allocated == 5 + 3


def test_those_that_are_kept_take_no_place_for_ever() -> None:
    pool = FramePool(limit=3)
    kept = [filled(pool, value) for value in range(9)]
    for _ in range(50):
        filled(pool, 99)
    # The pool still knows the last two, as well as the one that it uses again.
    assert pool.allocated == 10
    assert [shows(array) for array in kept] == [{value} for value in range(9)]


def test_arrays_last_longer_than_the_pool_and_keep_no_others() -> None:
    size = 2**20
    tracemalloc.start()
    try:
        pool = FramePool()
        kept, others = filled(pool, 7, (size,)), [pool.take((size,)) for _ in range(3)]
        del others
        assert tracemalloc.get_traced_memory()[0] > 4 * size
        del pool
        assert tracemalloc.get_traced_memory()[0] < 2 * size
        assert (kept == 7).all()
        del kept
        assert tracemalloc.get_traced_memory()[0] < size
    finally:
        tracemalloc.stop()


def test_garbage_that_saves_its_pixels() -> None:
    """Objects in a circle are finalized while what they refer to is still to be had."""
    pool, saved = FramePool(), list[Any]()

    class Circle:
        def __init__(self, pixels: Any) -> None:
            self.pixels = pixels
            self.itself = self

        def __del__(self) -> None:
            others.extend(filled(pool, 9) for _ in range(3))
            saved.append(self.pixels)

    others: list[Any] = []
    Circle(filled(pool, 7)[1:])
    gc.collect()
    others.extend(filled(pool, 9) for _ in range(3))
    assert [shows(pixels) for pixels in saved] == [{7}]
