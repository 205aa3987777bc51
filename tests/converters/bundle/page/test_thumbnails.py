from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.bundle.page.thumbnails import (
    MOST_TILES,
    SIDE,
    Thumbnails,
    section_with_thumbnails,
)
from edgeinfer.converters.common.page.parts import Gallery, Pictures, Section, Shown, Text
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.pictures.decode import encode_png


def picture(path: Path, height: int, width: int, *, seed: int = 0) -> Sample:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    path.write_bytes(encode_png(pixels))
    return Sample(source=str(path))


def gallery(samples: list[Sample], made: Thumbnails | None = None) -> Gallery:
    pictures = tuple(Shown(place=place, lines=("one",)) for place in range(len(samples)))
    section = Section(title="s", parts=(Pictures(title="t", pictures=pictures, note="Note."),))
    (part,) = section_with_thumbnails(section, samples, made or Thumbnails()).parts
    assert isinstance(part, Gallery)
    return part


def decoded(uri: str) -> NDArray[np.uint8]:
    content = base64.b64decode(uri.partition("base64,")[2])
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(300, 500), (1, 900), (900, 1), (130, 128), (2, 2)])
def test_large_pictures_become_small(tmp_path: Path, height: int, width: int) -> None:
    (tile,) = gallery([picture(tmp_path / "a.png", height, width)]).tiles
    assert max(decoded(tile.uri).shape[:2]) == SIDE
    assert len(tile.uri) < 80_000
    assert (tile.name, tile.lines) == ("a.png", ("one",))


def test_tiny_pictures_are_enlarged_exactly(tmp_path: Path) -> None:
    (tile,) = gallery([picture(tmp_path / "a.png", 28, 20)]).tiles
    assert tile.uri.startswith("data:image/png")
    shown = decoded(tile.uri)
    assert shown.shape == (112, 80, 3)
    original = cv2.imread(str(tmp_path / "a.png"))
    np.testing.assert_array_equal(shown[::4, ::4], original)


def test_a_picture_that_was_removed_is_said(tmp_path: Path) -> None:
    there, gone = picture(tmp_path / "a.png", 20, 20), picture(tmp_path / "b.png", 20, 20)
    Path(gone.source).unlink()
    damaged = picture(tmp_path / "c.png", 20, 20)
    Path(damaged.source).write_bytes(b"no picture")
    found = gallery([there, gone, damaged])
    assert [bool(tile.uri) for tile in found.tiles] == [True, False, False]
    assert found.note == (
        "Note. 2 of these pictures could no longer be read when this page was written."
    )


def test_a_page_has_room_for_some_pictures(tmp_path: Path) -> None:
    made = Thumbnails()
    for number in range(MOST_TILES - 1):
        made.uri(f"nothing-{number}")
    found = gallery([picture(tmp_path / f"{n}.png", 4, 4) for n in range(3)], made)
    assert len(found.tiles) == 1
    assert found.note == "Note. The page has room for 1 of them."


def test_pictures_that_nobody_can_place_are_not_guessed(tmp_path: Path) -> None:
    part = Pictures(title="The worst", pictures=(Shown(place=3),))
    section = Section(title="s", parts=(part,))
    (text,) = section_with_thumbnails(
        section, [picture(tmp_path / "a.png", 4, 4)], Thumbnails()
    ).parts
    assert text == Text(paragraphs=("The worst: which pictures they are is not known.",))
