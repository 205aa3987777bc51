from __future__ import annotations

import math

import pytest

from edgeinfer.device.cameras.files.clips.facts import orientation_of


@pytest.mark.parametrize(
    ("turn", "orientation"),
    [
        ((1, 0, 0, 1), 1),
        ((-1, 0, 0, 1), 2),
        ((-1, 0, 0, -1), 3),
        ((1, 0, 0, -1), 4),
        ((0, 1, 1, 0), 5),
        ((0, 1, -1, 0), 6),
        ((0, -1, -1, 0), 7),
        ((0, -1, 1, 0), 8),
        # Enlarged by the aspect ratio of the pixels, and with what a float leaves.
        ((0, 1.5, -1, 0), 6),
        ((1e-9, -1, 1, 1e-9), 8),
        ((0, 0, 0, 0), 1),
    ],
)
def test_every_turn_has_exifs_number(turn: tuple[float, ...], orientation: int) -> None:
    assert orientation_of(*turn) == orientation


@pytest.mark.parametrize("degrees", [5, 30, 45, 60, 85, 200])
def test_an_oblique_turn_is_left_alone(degrees: float) -> None:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    assert orientation_of(cosine, sine, -sine, cosine) == 1
