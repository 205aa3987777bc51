"""The simulated camera."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.cameras.files.labelled import LabelledPicture, PictureFolder
from edgeinfer.device.cameras.simulated import FRAMES_A_PICTURE, SimulatedCamera
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec

FAST = 100_000.0
"""Frames per second that leave no waiting."""


def blobs() -> list[LabelledPicture]:
    """Eight pictures of 28x28 on black, each with a square elsewhere, labelled by its number."""
    pictures: list[LabelledPicture] = []
    for number in range(8):
        pixels = np.zeros((28, 28, 3), dtype=np.uint8)
        row, column = 3 + 12 * (number // 4), 2 + 6 * (number % 4)
        pixels[row : row + 9, column : column + 5] = 230
        pictures.append((pixels, str(number)))
    return pictures


def take(camera: SimulatedCamera, count: int) -> list[Frame]:
    frames = [camera.read() for _ in range(count)]
    assert all(frame is not None for frame in frames)
    return [frame for frame in frames if frame is not None]


def test_same_seed_same_frames_other_seed_others() -> None:
    def pixels(seed: int) -> list[bytes]:
        camera = SimulatedCamera(blobs(), fps=FAST, seed=seed)
        return [frame.pixels.tobytes() for frame in take(camera, 2 * FRAMES_A_PICTURE + 5)]

    assert pixels(1) == pixels(1)
    assert pixels(1) != pixels(2)


def test_every_picture_comes_once_a_round_and_frames_differ() -> None:
    camera = SimulatedCamera(blobs(), fps=FAST)
    frames = take(camera, 8 * FRAMES_A_PICTURE)
    shown = Counter(frame.label for frame in frames)
    assert set(shown) - {None} == {str(number) for number in range(8)}
    assert min(shown[str(number)] for number in range(8)) > FRAMES_A_PICTURE // 2
    assert len({frame.pixels.tobytes() for frame in frames}) == len(frames)
    assert [frame.sequence for frame in frames] == list(range(len(frames)))


def test_pictures_stay_recognisable_through_a_models_preprocessing() -> None:
    pictures = blobs()
    prepare = Preprocessor(PreprocessSpec(size=(28, 28)))
    camera = SimulatedCamera(pictures, fps=FAST, seed=3)
    right = labelled = 0
    for frame in take(camera, 8 * FRAMES_A_PICTURE):
        if frame.label is None:
            continue
        seen = prepare.image(frame.pixels).astype(int)
        distances = [np.abs(seen - pixels.astype(int)).sum() for pixels, _ in pictures]
        labelled += 1
        right += pictures[int(np.argmin(distances))][1] == frame.label
    assert labelled > 7 * FRAMES_A_PICTURE
    # Only the few frames between two pictures may be taken for another.
    assert right / labelled > 0.9


def test_frames_have_the_shape_of_the_pictures() -> None:
    wide = [(np.zeros((90, 120, 3), dtype=np.uint8), "a")]
    assert take(SimulatedCamera(wide, fps=FAST), 1)[0].pixels.shape == (240, 320, 3)
    strip = [(np.zeros((10, 400, 3), dtype=np.uint8), "a")]
    assert take(SimulatedCamera(strip, fps=FAST), 1)[0].pixels.shape == (180, 320, 3)


def test_frame_limit_ends_it() -> None:
    camera = SimulatedCamera(blobs(), fps=FAST, frame_limit=3)
    take(camera, 3)
    assert camera.read() is None


def test_it_keeps_its_rate() -> None:
    camera = SimulatedCamera(blobs(), fps=50)
    assert camera.live
    start = time.monotonic()
    take(camera, 11)
    assert time.monotonic() - start >= 0.199


def test_damaged_pictures_are_skipped_and_reported_once(
    class_folder: Path, logged: list[str]
) -> None:
    (class_folder / "dark" / "1.png").write_bytes(b"no image")
    camera = SimulatedCamera(PictureFolder(class_folder), fps=FAST)
    frames = take(camera, 8 * FRAMES_A_PICTURE)
    assert {frame.label for frame in frames} - {None} == {"dark", "bright"}
    assert camera.skipped_files == len(logged) == 1


def test_only_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(CameraError, match="none of 1 pictures can be read"):
        SimulatedCamera(PictureFolder(tmp_path))
