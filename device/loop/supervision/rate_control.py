"""Slowing the loop down while the board is hot or its supply weak, and logging each step."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from edgeinfer.device.core.events import NOTICE, event
from edgeinfer.device.loop.supervision.rate_steps import STEPS, Governor, Reading
from edgeinfer.device.loop.supervision.rpi_firmware import Throttled, read_throttled
from edgeinfer.device.loop.supervision.temperatures import read_temperatures, sysfs_root

_LOG = logging.getLogger(__name__)

READ_EVERY_S = 5.0
RATE_OVER_S = 5.0
"""The loop's rate is measured over so long a time."""
_RATES = 6
"""The loop's own rate is the highest of this many: while a camera was away it was lower."""
_COOL = "cool the board: a heat sink, a fan, or air around it"
_SUPPLY = (
    "use the power supply made for the board (5.1 V; 3 A for a Raspberry Pi 4, 5 A for a 5) "
    "and a short, thick cable"
)


def read_board() -> Reading:
    """Read the sensors and the firmware of this board."""
    sysfs = sysfs_root()
    return Reading(temperatures=read_temperatures(sysfs), throttled=read_throttled(sysfs))


class Heat:
    """Reads the board on a separate thread, since a sensor may hang, and sets the loop's rate.

    Args:
        max_fps: the rate that the user asked for; None for as many as there are.
        read: reads the board.
        every_s: how often.
        clock: seconds that never jump.
    """

    def __init__(
        self,
        *,
        max_fps: float | None = None,
        read: Callable[[], Reading] = read_board,
        every_s: float = READ_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asked_fps = max_fps
        self._read = read
        self._every_s = every_s
        self._clock = clock
        self._governor = Governor()
        self._reading: Reading | None = None
        self._low_told = False
        self._rates: deque[float] = deque(maxlen=_RATES)
        self._answers = 0
        self._since_s = clock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="edgeinfer-heat", daemon=True)
        self._thread.start()

    def answered(self) -> None:
        """Count an answer."""
        self._answers += 1

    def look(self) -> float | None:
        """Take the last reading, log what changed, and return the rate to be held, or None."""
        now_s = self._clock()
        self._measure(now_s)
        reading, self._reading = self._reading, None
        if reading is not None:
            before = self._governor.step
            if reading.throttled is not None:
                self._tell_supply(reading.throttled)
            # A rate that is not known yet cannot be lowered.
            if self._rates and self._governor.decide(reading, now_s):
                self._tell_step(reading, before)
        return self._limit_fps()

    def close(self) -> None:
        """End the thread; one that hangs in a sensor is left to the end of the process."""
        self._closing.set()
        self._thread.join(1.0)

    def _watch(self) -> None:
        while True:
            try:
                self._reading = self._read()
            except Exception as error:  # whatever a sensor says must not end the loop
                _LOG.warning("heat: cannot be read (%s)", error, extra=event("heat-unknown"))
            if self._closing.wait(self._every_s):
                return

    def _measure(self, now_s: float) -> None:
        """Measure the loop's rate while only the user's limit holds it down."""
        seconds = now_s - self._since_s
        if not self._governor.step and seconds < RATE_OVER_S:
            return
        if not self._governor.step and self._answers:
            self._rates.append(self._answers / seconds)
        self._answers, self._since_s = 0, now_s

    def _own_fps(self) -> float:
        return (
            max(self._rates) if self._asked_fps is None else min(max(self._rates), self._asked_fps)
        )

    def _limit_fps(self) -> float | None:
        if not self._governor.step:
            return self._asked_fps
        return self._own_fps() * self._governor.fraction

    def _tell_supply(self, throttled: Throttled) -> None:
        """Log a weak supply once: it comes and goes as long as it is there."""
        if self._low_told or not (throttled.undervoltage or throttled.undervoltage_occurred):
            return
        self._low_told = True
        when = "is too low" if throttled.undervoltage else "was too low since the board started"
        line = "power: the supply's voltage %s; %s"
        _LOG.warning(line, when, _SUPPLY, extra=event("undervoltage"))

    def _tell_step(self, reading: Reading, before: int) -> None:
        step, percent = self._governor.step, round(100 * self._governor.fraction)
        own_fps = self._own_fps()
        rate = f" ({own_fps * self._governor.fraction:.3g} of {own_fps:.3g} answers/s)"
        fields: dict[str, object] = {
            "percent": percent,
            "temperatures": {t.name: t.celsius for t in reading.temperatures},
        }
        why = _why(reading)
        if step > before:
            advice = f"; {_COOL}" if step == len(STEPS) - 1 else ""
            line = f"heat: {why}: rate lowered to {percent} %{rate}{advice}"
            _LOG.warning("%s", line, extra=event("rate-lowered", limited=False, **fields))
        else:
            line = f"heat: {why}: rate back to {percent} %{rate if step else ''}"
            _LOG.log(NOTICE, "%s", line, extra=event("rate-raised", limited=False, **fields))


def _why(reading: Reading) -> str:
    parts = []
    nearest, throttled = reading.nearest, reading.throttled
    if nearest is not None:
        side = "below" if nearest.margin_c >= 0 else "above"
        parts.append(
            f"{nearest.name} {nearest.celsius:.1f} °C, {abs(nearest.margin_c):.1f} {side} its limit"
        )
    if throttled is not None and throttled.slowed:
        parts.append("the processor is slowed down by its firmware")
    if throttled is not None and throttled.undervoltage:
        parts.append("the supply is weak")
    return ", ".join(parts) or "nothing is known"
