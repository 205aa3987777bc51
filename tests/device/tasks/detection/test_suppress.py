"""Of overlapping objects the surest stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.consensus import overlap
from edgeinfer.device.tasks.detection.suppress import suppress

BOXES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 12), st.integers(1, 12)),
    max_size=12,
)


def slow(boxes: NDArray[np.float64], classes: NDArray[np.int64], iou: float) -> list[int]:
    """Say it again, object by object."""
    kept: list[int] = []
    for number in range(len(boxes)):
        rivals = [one for one in kept if classes[one] == classes[number]]
        if all(overlap(boxes[one], boxes[number]) <= iou for one in rivals):
            kept.append(number)
    return kept


@given(BOXES, st.integers(1, 3), st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]))
def test_it_is_what_comparing_each_with_each_gives(
    found: list[tuple[int, int, int, int]], classes: int, iou: float
) -> None:
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h in found], np.float64).reshape(-1, 4)
    labels = np.arange(len(corners)) % classes
    # Just off the limit, so that no rounding decides.
    limit = min(iou + 1e-4, 1.0)
    expected = slow(corners, labels, limit)
    for most in (2, 12):
        kept = suppress(corners, labels, iou=limit, most=most)
        assert kept.tolist() == expected[:most]
        angles = np.zeros(len(corners))
        assert (
            suppress(corners, labels, iou=limit, most=most, angles=angles).tolist() == kept.tolist()
        )


@pytest.mark.parametrize(("angle", "kept"), [(0.0, 1), (np.pi, 1), (0.1, 1), (np.pi / 2, 2)])
def test_turned_boxes_overlap_as_they_are_turned(angle: float, kept: int) -> None:
    boxes = np.array([[0.0, 40, 100, 60]] * 2)
    found = suppress(boxes, np.array([0, 0]), iou=0.45, most=9, angles=np.array([0.0, angle]))
    assert found.tolist() == list(range(kept))
