"""Memory is used again, but never under a holder's eyes."""

from __future__ import annotations

from edgeinfer.device.cameras.frame_pool import FramePool


def test_memory_that_nobody_holds_is_used_again() -> None:
    pool = FramePool()
    seen = set()
    for _ in range(20):
        array = pool.take((4, 4, 3))
        seen.add(array.ctypes.data)
        del array
    assert len(seen) == 1


def test_an_array_or_a_view_into_it_is_kept() -> None:
    pool = FramePool()
    view = pool.take((4, 4, 3))[..., ::-1]
    view[:] = 7
    others = [pool.take((4, 4, 3)) for _ in range(3)]
    for other in others:
        other[:] = 9
    assert (view == 7).all()
    assert len({other.ctypes.data for other in others}) == 3


def test_another_shape_starts_anew() -> None:
    pool = FramePool()
    assert pool.take((4, 4, 3)).shape == (4, 4, 3)
    assert pool.take((2, 2)).shape == (2, 2)
    assert pool.take((4, 4, 3)).shape == (4, 4, 3)


def test_more_than_the_limit_are_handed_out_all_the_same() -> None:
    pool = FramePool(limit=2)
    arrays = [pool.take((2, 2)) for _ in range(5)]
    assert len({array.ctypes.data for array in arrays}) == 5
