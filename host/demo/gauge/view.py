"""How a camera sees the gauge: from where, before which wall, how sharp and with how much noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.gauge.paint import CENTRE, RADIUS, Colour, Point, any_colour

PICTURE = 160
"""Side of a picture in pixels."""
_SHARP = 0.2
"""The blur, in pixels, below which a kernel would be a single point."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A camera's view, as numbers.

    Attributes:
        radius: of the scale, as a share of the picture's side.
        centre: where the gauge's centre is, as shares of the side.
        roll_deg: how far the camera is turned, clockwise.
        tilt_deg: between its axis and the dial's.
        tilt_to_deg: towards where it is tilted.
        distance: from the dial, in radii of the scale.
        blur: standard deviation of the unsharpness, in pixels.
        noise: standard deviation of the sensor's noise, in pixel units.
        jpeg_quality: of the camera's JPEG, 1 to 100.
        seed: of noise and wall.
        wall: two colours of the background.
        wall_grain: standard deviation of its texture, in pixel units.
        pipes: (angle in degrees, offset, width, colour) of stripes behind, in sides.
    """

    radius: float
    centre: Point
    roll_deg: float
    tilt_deg: float
    tilt_to_deg: float
    distance: float
    blur: float
    noise: float
    jpeg_quality: int
    seed: int
    wall: tuple[Colour, Colour]
    wall_grain: float
    pipes: tuple[tuple[float, float, float, Colour], ...]


def draw_a_view(random: np.random.Generator) -> View:
    """Choose a view at random."""
    return View(
        radius=random.uniform(0.32, 0.44),
        centre=(random.uniform(0.45, 0.55), random.uniform(0.45, 0.55)),
        roll_deg=random.uniform(-8.0, 8.0),
        tilt_deg=random.uniform(0.0, 22.0),
        tilt_to_deg=random.uniform(0.0, 360.0),
        distance=random.uniform(3.5, 8.0),
        blur=random.uniform(0.0, 1.1),
        noise=random.uniform(0.0, 9.0),
        jpeg_quality=int(random.integers(45, 98)),
        seed=int(random.integers(2**31)),
        wall=(any_colour(random, 20, 230, 0.5), any_colour(random, 20, 230, 0.5)),
        wall_grain=random.uniform(0.0, 14.0),
        pipes=tuple(
            (
                random.uniform(0.0, 180.0),
                random.uniform(-0.5, 0.5),
                random.uniform(0.04, 0.2),
                any_colour(random, 20, 230, 0.6),
            )
            for _ in range(int(random.integers(0, 4)))
        ),
    )


def plate_to_picture(view: View, side: int = PICTURE) -> NDArray[np.float64]:
    """Return the 3x3 matrix from points of the plate to points of the picture, in pixels."""
    tilt, towards, roll = (
        math.radians(angle) for angle in (view.tilt_deg, view.tilt_to_deg, view.roll_deg)
    )
    # Turn about an axis in the dial's plane (Rodrigues), then about the camera's axis.
    axis = np.array([math.cos(towards), math.sin(towards), 0.0]) * tilt
    turn = _turn(np.array([0.0, 0.0, roll])) @ _turn(axis)
    focal = view.distance * view.radius * side
    camera = np.array(
        [
            [focal, 0.0, view.centre[0] * side - 0.5],
            [0.0, focal, view.centre[1] * side - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
    to_radii = np.array(
        [[1 / RADIUS, 0.0, -CENTRE / RADIUS], [0.0, 1 / RADIUS, -CENTRE / RADIUS], [0.0, 0.0, 1.0]]
    )
    placed = np.column_stack([turn[:, 0], turn[:, 1], [0.0, 0.0, view.distance]])
    return np.asarray(camera @ placed @ to_radii)


def look(plate: Pixels, cover: Pixels, view: View, side: int = PICTURE) -> Pixels:
    """Return the picture (side, side, 3) of a painted plate before its wall, before the lens."""
    matrix = plate_to_picture(view, side)
    size = (side, side)
    seen = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR)
    covered = cv2.warpPerspective(cover, matrix, size, flags=cv2.INTER_LINEAR)
    shares = covered.astype(np.float32) / 255
    return np.asarray(cv2.blendLinear(seen, _wall(view, side), shares, 1 - shares), dtype=np.uint8)


def develop(picture: Pixels, view: View, grain: int = 0) -> bytes:
    """Return the picture as the camera delivers it: unsharp, noisy, a JPEG file.

    `grain` numbers the frames of one view, which differ in their noise.
    """
    if view.blur > _SHARP:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), view.blur), dtype=np.uint8)
    random = np.random.default_rng((view.seed, grain))
    noise = random.standard_normal(picture.shape[:2], np.float32) * view.noise
    grey = np.asarray(np.rint(noise), dtype=np.int16)
    noisy = cv2.add(picture, cv2.merge((grey, grey, grey)), dtype=cv2.CV_8U)
    settings = (cv2.IMWRITE_JPEG_QUALITY, view.jpeg_quality)
    done, content = cv2.imencode(".jpg", cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR), settings)
    assert done, "OpenCV encodes every picture of 8 bits"
    return content.tobytes()


def _wall(view: View, side: int) -> Pixels:
    random = np.random.default_rng(view.seed)
    shares = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    first, second = (np.array(colour, np.float32) for colour in view.wall)
    rows = first + (second - first) * shares
    wall = np.ascontiguousarray(np.broadcast_to(rows, (side, side, 3)))
    for angle_deg, offset, width, colour in view.pipes:
        angle = math.radians(angle_deg)
        along = np.array([math.cos(angle), math.sin(angle)]) * side
        middle = np.array([0.5, 0.5]) * side + offset * np.array([-along[1], along[0]])
        start, end = (tuple(int(p) for p in np.rint(middle + sign * along)) for sign in (-1, 1))
        cv2.line(wall, start, end, colour, max(1, round(width * side)), cv2.LINE_8)
    if view.wall_grain:
        coarse = random.standard_normal((side // 2, side // 2), np.float32) * view.wall_grain
        wall += cv2.resize(coarse, (side, side))[..., None]
    return np.asarray(np.clip(wall, 0, 255), dtype=np.uint8)


def _turn(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix, _ = cv2.Rodrigues(vector)
    return np.asarray(matrix, dtype=np.float64)
