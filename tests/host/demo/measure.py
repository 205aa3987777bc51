"""How well a bundle reads gauges that it never saw, of both kinds.

    python -m tests.host.demo.measure demo-gauge/gauge.edgebundle [--count N] [--worst FOLDER]

The first kind is the demo's own with another seed, the second is `other_gauges.py`. Figures are in
percent of the scale. With --worst the ten worst readings of each kind become one picture.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import edgeinfer
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.tasks.value.prediction import Value
from edgeinfer.host.demo.gauge.gauge import numbered_gauge
from tests.host.demo.other_gauges import other_gauge

SEED = 1_000_003
"""Other than that of the demo's pictures and that of its moving needle."""
WORST = 10
SHOWN = 160
"""Side of each of the worst pictures."""


def first_kind(number: int) -> tuple[Pixels, float]:
    """Return a gauge of the demo's generator and its reading."""
    gauge, percent = numbered_gauge(SEED, number)
    return gauge.picture(percent), percent


def second_kind(number: int) -> tuple[Pixels, float]:
    """Return a gauge of the other generator and its reading."""
    return other_gauge(SEED, number)


def main() -> None:
    """Read gauges of both kinds and print the errors."""
    parser = argparse.ArgumentParser(description="How well a bundle reads gauges of both kinds.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--count", type=int, default=1000, help="gauges of each kind")
    parser.add_argument("--worst", type=Path, help="a folder for pictures of the worst")
    arguments = parser.parse_args()
    with edgeinfer.Model.open(arguments.bundle) as model:
        for name, kind in (("first", first_kind), ("second", second_kind)):
            read = np.array(list(readings(model, kind, arguments.count)))
            errors = np.abs(read[:, 1] - read[:, 0])
            print(
                f"{name} kind, {len(read):,} gauges: mean error {errors.mean():.3f}, "
                f"median {np.median(errors):.3f}, 95 % within {np.percentile(errors, 95):.2f}, "
                f"largest {errors.max():.1f}; intervals cover {read[:, 2].mean():.1%}"
            )
            if arguments.worst is not None:
                arguments.worst.mkdir(parents=True, exist_ok=True)
                order = np.argsort(-errors)[:WORST]
                sheet = np.hstack([labelled(kind(int(i))[0], read[i]) for i in order])
                write_atomically(arguments.worst / f"{name}.png", encode_png(sheet))


def readings(
    model: edgeinfer.Model, kind: Callable[[int], tuple[Pixels, float]], count: int
) -> Iterator[tuple[float, float, bool]]:
    """Yield each gauge's reading, the model's, and whether its interval holds the former."""
    for number in range(count):
        pixels, percent = kind(number)
        answer = model.predict(pixels)
        assert isinstance(answer, Value), "the bundle measures one value"
        low, high = answer.low, answer.high
        covered = low is not None and high is not None and low <= percent <= high
        yield percent, answer.value, covered


def labelled(pixels: Pixels, reading: NDArray[np.float64]) -> Pixels:
    """Return a picture with the true and the read value in it."""
    shown = cv2.resize(pixels, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA)
    text = f"{reading[0]:.1f} read {reading[1]:.1f}"
    cv2.putText(shown, text, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 0, 255), 1)
    return np.asarray(shown, np.uint8)


if __name__ == "__main__":
    main()
