"""Made scenes: boxes that move on known tracks, as a detector would see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SIZE = (1280, 720)
FPS = 15.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Thing:
    """A thing that moves at a constant speed, hidden for some time.

    Attributes:
        label: the number of its class.
        start: (2,) its centre at the beginning, in pixels.
        velocity: (2,) pixels a second.
        sides: (2,) width and height in pixels.
        from_s: when it comes.
        to_s: when it goes.
        hidden_s: (from, to): it is not seen then.
    """

    label: int
    start: Floats
    velocity: Floats
    sides: Floats
    from_s: float = 0.0
    to_s: float = 1e9
    hidden_s: tuple[float, float] = (0.0, 0.0)

    def centre(self, time_s: float) -> Floats:
        return self.start + self.velocity * (time_s - self.from_s)

    def box(self, time_s: float) -> Floats:
        centre = self.centre(time_s)
        return np.concatenate([centre - self.sides / 2, centre + self.sides / 2])


@dataclass(frozen=True)
class Frame:
    """What a detector sees of a scene.

    Attributes:
        time_s: when.
        boxes: (objects, 4) in pixels.
        classes: (objects,).
        things: (objects,) which thing each object is; -1 for a mistake.
    """

    time_s: float
    boxes: Floats
    classes: NDArray[np.int64]
    things: NDArray[np.int64]


@dataclass(frozen=True)
class Detector:
    """The mistakes of a detector.

    Attributes:
        jitter: of edges, in sizes of the box.
        missed: the share of objects that it does not see.
        mistakes: boxes a frame where nothing is.
    """

    jitter: float = 0.03
    missed: float = 0.05
    mistakes: float = 0.05


@dataclass(frozen=True)
class Scene:
    """Things for some time."""

    things: tuple[Thing, ...]
    seconds: float
    detector: Detector = field(default_factory=Detector)
    fps: float = FPS

    def frames(self, seed: int) -> Iterator[Frame]:
        random = np.random.default_rng(seed)
        for number in range(round(self.seconds * self.fps)):
            time_s = number / self.fps
            rows: list[tuple[int, int, Floats]] = []
            for which, thing in enumerate(self.things):
                hidden = thing.hidden_s[0] <= time_s < thing.hidden_s[1]
                there = thing.from_s <= time_s < thing.to_s and not hidden
                if there and random.random() >= self.detector.missed:
                    spread = self.detector.jitter * np.sqrt(thing.sides.prod())
                    rows.append(
                        (which, thing.label, thing.box(time_s) + random.normal(0, spread, 4))
                    )
            if random.random() < self.detector.mistakes:
                corner = random.uniform(0, 600, 2)
                rows.append((-1, 0, np.concatenate([corner, corner + 60])))
            rows = [rows[place] for place in random.permutation(len(rows))]
            yield Frame(
                time_s,
                np.array([box for _, _, box in rows]).reshape(-1, 4),
                np.array([label for _, label, _ in rows], np.int64),
                np.array([which for which, _, _ in rows], np.int64),
            )


def street(seed: int, people: int = 8) -> Scene:
    """People who walk across the picture on lanes, left or right, some hidden for half a second.

    All cross the line at half the width once; those who come from the left cross it to the right.
    """
    random = np.random.default_rng((seed, 1))
    things = []
    for number in range(people):
        to_the_right = bool(random.random() < 0.5)
        speed = random.uniform(150, 300)
        start_x = -80.0 if to_the_right else SIZE[0] + 80.0
        from_s = random.uniform(0, 12)
        takes_s = (SIZE[0] + 160) / speed
        hidden = from_s + random.uniform(0.25, 0.65) * takes_s
        things.append(
            Thing(
                0,
                np.array([start_x, 70 + 80 * number + random.uniform(-8, 8)]),
                np.array([speed if to_the_right else -speed, random.uniform(-6, 6)]),
                np.array([random.uniform(34, 50), random.uniform(60, 76)]),
                from_s,
                from_s + takes_s,
                (hidden, hidden + 0.5) if random.random() < 0.5 else (0.0, 0.0),
            )
        )
    return Scene(tuple(things), 26.0)
