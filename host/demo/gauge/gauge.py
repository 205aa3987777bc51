"""A whole gauge: chosen at random, painted, seen by a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.gauge.dial import Dial, draw_a_dial, paint_dial
from edgeinfer.host.demo.gauge.light import Light, apply_light, draw_a_light
from edgeinfer.host.demo.gauge.needle import Needle, draw_a_needle, paint_needle
from edgeinfer.host.demo.gauge.view import PICTURE, View, develop, draw_a_view, look


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """A gauge before a camera; `picture` shows it with its needle anywhere."""

    dial: Dial
    needle: Needle
    light: Light
    view: View

    def jpeg(self, percent: float, *, grain: int = 0, side: int = PICTURE) -> bytes:
        """Return a JPEG file with the needle at `percent` of the scale.

        Args:
            percent: 0 to 100.
            grain: another number gives the same view with other noise, as in the next frame.
            side: of the square picture in pixels.
        """
        plate, cover = paint_dial(self.dial)
        paint_needle(plate, self.needle, self.dial.angle_deg(percent))
        seen = apply_light(look(plate, cover, self.view, side), self.light)
        return develop(seen, self.view, grain)

    def picture(self, percent: float, *, grain: int = 0, side: int = PICTURE) -> Pixels:
        """Return the pixels of `jpeg`, (side, side, 3) uint8 RGB."""
        content = np.frombuffer(self.jpeg(percent, grain=grain, side=side), np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR_BGR)
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def draw_a_gauge(random: np.random.Generator) -> Gauge:
    """Choose a gauge at random; the same state of `random` gives the same gauge."""
    dial = draw_a_dial(random)
    return Gauge(
        dial=dial,
        needle=draw_a_needle(random, dial.face),
        light=draw_a_light(random),
        view=draw_a_view(random),
    )


def numbered_gauge(seed: int, number: int) -> tuple[Gauge, float]:
    """Return gauge `number` of a seed and a reading in percent, independent of all others."""
    random = np.random.default_rng((seed, number))
    gauge = draw_a_gauge(random)
    return gauge, random.uniform(0.0, 100.0)
