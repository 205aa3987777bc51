"""Telling the service manager that answers come, and keeping silent when they do not."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.loop.supervision.sd_notify import Notifier

STATUS_EVERY_S = 10.0
STARTING_S = 60.0
"""How much longer starting may take, each time it is said that the camera is being opened."""


class Watchdog:
    """Ready after the first answer; alive while answers come or a lost camera is being looked for.

    Whatever else keeps answers from coming, a hung model or driver, ends the signs of life,
    and the service manager starts the program again.

    Args:
        notifier: where to report.
        camera: the source, which knows whether it is being opened again.
        clock: seconds that never jump.
    """

    def __init__(
        self, notifier: Notifier, camera: Camera, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._notifier = notifier
        self._camera = camera
        self._clock = clock
        self._ready = False
        self._answers = 0
        self._answered_s = float("-inf")
        self._recovered_s = float("-inf")
        self._usual_s = 0.0
        self._told_s = float("-inf")
        self._status_s = clock()
        self._status_answers = 0

    def answered(self) -> None:
        """Note an answer."""
        now_s = self._clock()
        if self._answers and not self._camera.recovering and self._recovered_s < self._answered_s:
            # The usual interval, over about the last ten answers.
            self._usual_s += (now_s - self._answered_s - self._usual_s) / min(self._answers, 10)
        self._answered_s = now_s
        self._answers += 1
        if not self._ready:
            self._ready = True
            self._notifier.send(READY=1, STATUS="answering")

    def look(self, max_fps: float | None) -> None:
        """Give a sign of life where there is one; to be called often.

        Args:
            max_fps: the rate that the loop is held to.
        """
        if not self._notifier.present:
            return
        now_s = self._clock()
        if self._camera.recovering:
            self._recovered_s = now_s
        interval_s = (self._notifier.watchdog_s or STATUS_EVERY_S) / 4
        if now_s - self._told_s >= interval_s and self._alive(now_s, interval_s, max_fps):
            self._told_s = now_s
            if self._ready and self._notifier.watchdog_s is not None:
                self._notifier.send(WATCHDOG=1)
            elif not self._ready:
                self._notifier.send(EXTEND_TIMEOUT_USEC=round(STARTING_S * 1e6))
        if self._ready and now_s - self._status_s >= STATUS_EVERY_S:
            self._tell_status(now_s)

    def _alive(self, now_s: float, interval_s: float, max_fps: float | None) -> bool:
        """Tell whether answers come as they did, or the camera is known to be lost."""
        # An answer may be as late as two usual ones, and by what the rate allows.
        patience_s = interval_s + 2 * self._usual_s + (1 / max_fps if max_fps else 0.0)
        return now_s - max(self._answered_s, self._recovered_s) <= patience_s

    def _tell_status(self, now_s: float) -> None:
        if self._camera.recovering:
            status = "the camera was lost and is being opened again"
        else:
            rate = (self._answers - self._status_answers) / (now_s - self._status_s)
            status = f"{rate:.1f} answers/s"
        self._status_s, self._status_answers = now_s, self._answers
        self._notifier.send(STATUS=status)
