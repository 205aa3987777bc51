from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.data.importing.fit import (
    CUT,
    EMPTY,
    OUTSIDE,
    SCALED,
    SWAPPED,
    TURNED,
    UNREADABLE,
    WRONG_SIZE,
    fit_box,
    fit_picture,
)
from edgeinfer.host.data.importing.found import Box, FoundPicture, Record
from tests.host.data.importing.conftest import reasons

SIZE = (40, 24)
SPOT = Box("spot", 4, 2, 12, 8)


def turned(path: Path, orientation: int) -> None:
    """Write a black picture with a white spot, stored as it is, that is to be turned."""
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[2:8, 4:12] = 255
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels).save(path, exif=exif)


def picture(path: Path, *boxes: Box, **facts: object) -> FoundPicture:
    return FoundPicture(path=str(path), place="a.xml", boxes=boxes, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_of_a_picture_that_is_turned(
    tmp_path: Path, orientation: int, record: Record
) -> None:
    path = tmp_path / "a.png"
    turned(path, orientation)
    pixels = read_image(path)
    rows, columns = np.nonzero(pixels[..., 0] > 127)
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    upright = (pixels.shape[1], pixels.shape[0])
    fitted = fit_picture(picture(path, Box("spot", *map(float, seen)), size=upright), record)
    assert fitted is not None
    assert fitted.size == upright
    assert fitted.boxes[0][1:] == seen
    assert reasons(record) == {}
    if orientation >= 5:  # else both have one size, and nothing says which is meant
        fitted = fit_picture(picture(path, SPOT, size=SIZE), record)
        assert fitted is not None
        assert fitted.boxes[0][1:] == seen
        assert reasons(record) == {TURNED: 1}


def test_shares_and_other_sizes(tmp_path: Path, record: Record) -> None:
    path = tmp_path / "a.png"
    turned(path, 1)
    half = Box("spot", 0.25, 0.25, 0.75, 0.75)
    fitted = fit_picture(picture(path, half, ratio=True), record)
    assert fitted is not None
    assert fitted.boxes[0][1:] == (10, 6, 30, 18)
    fitted = fit_picture(picture(path, Box("spot", 8, 4, 24, 16), size=(80, 48)), record)
    assert fitted is not None
    assert fitted.boxes == (SPOT,)
    assert fit_picture(picture(path, SPOT, size=(50, 24)), record) is None
    assert reasons(record) == {SCALED: 1, WRONG_SIZE: 1}


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xd8\xff\xe0"])
def test_pictures_that_cannot_be_read(tmp_path: Path, data: bytes, record: Record) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    assert fit_picture(picture(tmp_path / "a.jpg", SPOT), record) is None
    assert reasons(record) == {UNREADABLE: 1}


@pytest.mark.parametrize(
    ("edges", "fitted", "reason"),
    [
        ((-5, 2, 12, 8), (0, 2, 12, 8), CUT),
        ((4, 2, 99, 99), (4, 2, 40, 24), CUT),
        ((-0.5, 0, 40.5, 24), (0, 0, 40, 24), None),
        ((12, 8, 4, 2), (4, 2, 12, 8), SWAPPED),
        ((4, 2, 4, 8), None, EMPTY),
        ((4, 2, 4.5, 8), None, EMPTY),
        ((50, 2, 60, 8), None, OUTSIDE),
        ((-9, -9, 0, 0), None, OUTSIDE),
    ],
)
def test_boxes_that_do_not_fit(
    edges: tuple[float, float, float, float],
    fitted: tuple[float, ...] | None,
    reason: str | None,
    record: Record,
) -> None:
    found = fit_box(Box("a", *edges), SIZE, record, "a.xml")
    assert (None if found is None else found[1:]) == fitted
    assert reasons(record) == ({} if reason is None else {reason: 1})


EDGE = st.floats(-1e6, 1e6)


@settings(max_examples=80)
@given(EDGE, EDGE, EDGE, EDGE)
def test_any_box_is_inside_or_left_out(a: float, b: float, c: float, d: float) -> None:
    record = Record()
    found = fit_box(Box("a", a, b, c, d), SIZE, record, "")
    if found is None:
        assert set(reasons(record)) <= {EMPTY, OUTSIDE, SWAPPED}
        assert set(reasons(record)) & {EMPTY, OUTSIDE}
        return
    assert 0 <= found.left <= found.right - 1
    assert found.right <= SIZE[0]
    assert 0 <= found.top <= found.bottom - 1
    assert found.bottom <= SIZE[1]
