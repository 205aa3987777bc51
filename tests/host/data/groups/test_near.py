"""Copies are found however they were changed, and other pictures are not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.host.data.groups.near.candidates import (
    MAX_DIFFERENT_BITS,
    pairs_by_corners,
    pairs_by_hash,
)
from edgeinfer.host.data.groups.near.find import Near, find_near
from edgeinfer.host.data.groups.near.sketch import (
    MIRROR_SIGNS,
    SIDE,
    make_sketch,
    reduced,
    small_grey,
)
from tests.host.evaluation.dataset.pictures import Picture, as_jpeg, draw, rgb

Change = Callable[[Picture], Picture]


def _near(pictures: list[Picture]) -> list[Near]:
    greys = [small_grey(rgb(picture)) for picture in pictures]
    sketches = [make_sketch(grey) for grey in greys]
    return find_near(sketches, greys.__getitem__, progress=Silent())


def _again(picture: Picture) -> Picture:
    return cv2.imdecode(np.frombuffer(as_jpeg(picture, 70), np.uint8), cv2.IMREAD_COLOR)


CHANGES: dict[str, Change] = {
    "compressed": lambda picture: picture,
    "smaller": lambda picture: cv2.resize(picture, None, fx=0.5, fy=0.5),
    "another shape": lambda picture: cv2.resize(picture, (120, 120)),
    "brighter": lambda picture: cv2.convertScaleAbs(picture, alpha=1.1, beta=15),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "cropped": lambda picture: picture[8:110, 20:140],
    "one side cropped": lambda picture: picture[:, 30:],
    "framed": lambda picture: cv2.copyMakeBorder(
        picture, 9, 9, 9, 9, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_is_found_among_others(name: str) -> None:
    others = [draw(number) for number in range(8)]
    found = _near([*others, _again(CHANGES[name](others[3]))])
    assert [(near.first, near.second) for near in found] == [(3, 8)]
    assert found[0].likeness.mirrored == (name == "mirrored")


def test_how_much_of_each_is_shown() -> None:
    picture = draw(1)
    (found,) = _near([picture, picture[:, 30:]])
    assert found.likeness.first_share == pytest.approx(0.8, abs=0.05)
    assert found.likeness.second_share > 0.95
    assert found.likeness.turned.first_share == found.likeness.second_share


def test_a_scene_in_which_something_moved_is_not_a_copy() -> None:
    scene, later = draw(5), draw(5)
    cv2.circle(scene, (40, 60), 12, (0, 0, 255), -1)
    cv2.circle(later, (100, 60), 12, (0, 0, 255), -1)
    assert not _near([scene, later])


def test_pictures_without_corners() -> None:
    smooth = [cv2.GaussianBlur(draw(number), (0, 0), 12) for number in range(3)]
    assert not _near(smooth)
    assert len(_near([*smooth, _again(smooth[1])])) == 1
    assert not _near([])
    assert not _near(smooth[:1])


def test_hashes_of_mirror_images() -> None:
    grey = small_grey(rgb(draw(2)))
    mirrored = make_sketch(np.ascontiguousarray(grey[:, ::-1])).signs
    expected = make_sketch(grey).signs * MIRROR_SIGNS
    # Frequencies near zero may fall on either side.
    assert (mirrored != expected).sum() <= 2


def test_pairs_by_hash_are_those_within_the_distance() -> None:
    random = np.random.default_rng(3)
    signs = random.choice(np.array([-1, 1], np.int8), (40, 63))
    signs[7] = signs[30]
    signs[7, :MAX_DIFFERENT_BITS] *= -1
    signs[8] = signs[31]
    signs[8, : MAX_DIFFERENT_BITS + 1] *= -1
    straight, mirrored = pairs_by_hash(signs, lambda rows: None)
    expected = [
        [one, other]
        for one in range(40)
        for other in range(one + 1, 40)
        if (signs[one] != signs[other]).sum() <= MAX_DIFFERENT_BITS
    ]
    assert straight.tolist() == expected
    assert [7, 30] in expected
    assert [8, 31] not in expected
    assert mirrored.shape[1] == 2


def test_corners_of_a_common_pattern_make_no_pairs() -> None:
    tiles = np.tile(draw(4, (20, 20)), (6, 8, 1))
    sketch = make_sketch(small_grey(rgb(tiles)))
    assert not pairs_by_corners([sketch] * 30, lambda tables: None)


def test_large_photos_are_decoded_at_a_part_of_their_size() -> None:
    assert reduced((640, 480)) == 2
    assert reduced((4000, 3000)) == 8
    assert reduced((2 * SIDE - 1, 20)) == 1
