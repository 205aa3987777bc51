"""How far the loop is slowed down when the board is hot or its supply weak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.device.loop.supervision.rpi_firmware import Throttled
from edgeinfer.device.loop.supervision.temperatures import Temperature

STEPS = (1.0, 0.75, 0.5, 0.25)
"""Parts of the loop's own rate."""
MARGINS_C = (6.0, 3.0, 0.0)
"""At so much below the limit, or less, begins each step after the first."""
HYSTERESIS_C = 3.0
"""A step is left again only so much further below the limit: no back and forth at its edge."""
CALM_S = 20.0
"""Going back takes one step at a time, and so long between two: a board cools slowly."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the board says at one time.

    Attributes:
        temperatures: of its sensors; none where it has no sensors.
        throttled: what its firmware says; None where there is no such firmware.
    """

    temperatures: Sequence[Temperature] = ()
    throttled: Throttled | None = None

    @property
    def nearest(self) -> Temperature | None:
        """The temperature that is nearest to its limit, or furthest above it."""
        return min(self.temperatures, key=lambda t: t.margin_c, default=None)


class Governor:
    """Decides at which step the loop runs: down immediately, up slowly.

    Attributes:
        step: which of `STEPS` it is now.
    """

    def __init__(self) -> None:
        self.step = 0
        self._changed_s = float("-inf")

    @property
    def fraction(self) -> float:
        """The part of the full rate that the loop is to have."""
        return STEPS[self.step]

    def decide(self, reading: Reading, now_s: float) -> bool:
        """Take a reading at a time, in seconds that never jump; return whether the step changed."""
        before = self.step
        wanted = _step(reading, extra_c=0.0)
        if wanted > self.step:
            self.step = wanted
        elif now_s - self._changed_s >= CALM_S and _step(reading, extra_c=HYSTERESIS_C) < self.step:
            self.step -= 1
        if self.step == before:
            return False
        self._changed_s = now_s
        return True


def _step(reading: Reading, *, extra_c: float) -> int:
    """Return the step for a reading, if every margin were wider by `extra_c`."""
    step = 0
    if reading.nearest is not None:
        step = sum(reading.nearest.margin_c <= margin_c + extra_c for margin_c in MARGINS_C)
    if reading.throttled is not None:
        # The hardware has slowed itself down already, at which temperature ever.
        if reading.throttled.slowed:
            step = max(step, 2)
        elif reading.throttled.undervoltage:  # a slower loop draws less current
            step = max(step, 1)
    return step
