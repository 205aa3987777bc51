from __future__ import annotations

import cv2
import numpy as np

from edgeinfer.host.data.capture.guard import Guard, cells, changed_share

NOISE = np.random.default_rng(0)
SCENE = NOISE.integers(60, 200, (96, 128, 3), np.uint8)


def with_a_patch(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = SCENE.copy()
    picture[: round(96 * share)] = 0
    return picture


def test_the_share_that_has_changed() -> None:
    for share in (0.25, 0.5, 1.0):
        assert abs(changed_share(cells(SCENE), cells(with_a_patch(share))) - share) < 0.03


def test_noise_is_not_a_change() -> None:
    noise = NOISE.integers(-20, 21, SCENE.shape)
    noisy = np.clip(SCENE.astype(int) + noise, 0, 255).astype(np.uint8)
    assert changed_share(cells(SCENE), cells(noisy)) < 0.01


def test_change_is_counted_from_what_was_saved() -> None:
    guard = Guard(0.4, None)
    assert guard.changed(SCENE)
    guard.saved(SCENE)
    assert not guard.changed(with_a_patch(0.3))
    assert guard.changed(with_a_patch(0.5))


def test_equal_pictures_and_those_taken_back() -> None:
    from edgeinfer.host.data.folders.check import pixel_digest

    guard = Guard(None, None)
    guard.saved(SCENE)
    assert not guard.is_new(SCENE.copy())
    assert guard.is_new(with_a_patch(0.1))
    guard.forget(pixel_digest(SCENE))
    assert guard.is_new(SCENE)


def test_a_blurred_picture_among_sharp_ones() -> None:
    guard = Guard(None, 0.5)
    assert all(guard.sharp(SCENE) for _ in range(5))
    assert not guard.sharp(np.asarray(cv2.GaussianBlur(SCENE, (0, 0), 3), np.uint8))
    assert guard.sharp(SCENE)
