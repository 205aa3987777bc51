"""Reconnects a live source: one that is unplugged, silent or broken is opened again until it works.

Nothing is made up in between: while there is no picture, `read` waits. A camera that hangs in its
driver stops a separate thread and nothing else.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.options import SILENCE_S
from edgeinfer.device.cameras.recovery.camera_thread import CameraThread, Request
from edgeinfer.device.core.errors import CameraError, EdgeinferError
from edgeinfer.device.pictures.frame import Frame

_LOG = logging.getLogger(__name__)

FIRST_DELAY_S = 0.25
LAST_DELAY_S = 10.0
RELIEF = 4.0
"""How much shorter the next wait becomes by each second that the source was open."""
JITTER = 0.2
"""A wait is longer or shorter by up to this part: several cameras at one hub should not come back
in step."""
OPEN_LIMIT_S = 30.0
"""How long opening may take; trying several modes of a slow webcam takes some 15 s."""
SPARE_S = 1.0
"""How much longer than a camera's own limit its driver may keep a read."""
CLOSE_LIMIT_S = 1.0
"""How long closing is waited for; a driver that hangs keeps its thread, not the loop."""
MAX_HANGING = 4
"""Threads that may hang in a driver; with more, no further one is started."""


class Holder(NamedTuple):
    """What may hold a read that does not return: its name, and what to do about it."""

    name: str
    advice: str


DRIVER = Holder("its driver", "restart the board")
CONNECTION = Holder("its connection", "check its network, and start again")


class SteadyCamera(Camera):
    """Opens a live source and keeps it open.

    Args:
        open_it: opens the source. It is called again after a fault, and should then find the
            device where it is by that time.
        timeout_s: how long the source may be without a new picture, by its own measure; a read
            that takes `SPARE_S` longer hangs in the driver.
        wait: wait for a source that cannot be opened at first; otherwise that is an error.
        give_up_s: after how long that wait ends; None for never.
        holder: what holds a read that does not return, and what to do about it, for errors.
        first_delay_s: from a fault to the first attempt to open again; it doubles each time.
        last_delay_s: the longest such wait.

    Attributes:
        reopenings: how often the source was opened again.

    Raises:
        CameraError: it cannot be opened.
        UsageError: it has no such mode or control.
    """

    live = True

    def __init__(
        self,
        open_it: Callable[[], Camera],
        *,
        timeout_s: float = SILENCE_S,
        wait: bool = False,
        give_up_s: float | None = None,
        holder: Holder = DRIVER,
        first_delay_s: float = FIRST_DELAY_S,
        last_delay_s: float = LAST_DELAY_S,
    ) -> None:
        self._open_it = open_it
        self._read_limit_s = timeout_s + SPARE_S
        self._holder = holder
        self._give_up_at = math.inf if give_up_s is None else time.monotonic() + give_up_s
        self._first_delay_s = first_delay_s
        self._last_delay_s = last_delay_s
        self._changed = threading.Condition()
        self._interruptions = 0
        self._closed = False
        self._distrusted: str | None = None
        self._thread: CameraThread | None = None
        self._hanging: list[threading.Thread] = []
        self._next_sequence = 0
        self._offset = 0
        self._skipped_before = 0
        self._dropped_before = 0
        self._delay_s = first_delay_s
        self._opened_at = 0.0
        self._failed_at: float | None = None
        self._reason = ""
        self.reopenings = 0
        try:
            self._open_first(wait)
        except BaseException:
            self.close()
            raise

    def read(self) -> Frame | None:
        """Wait for the next picture, however long the source is away; None when interrupted."""
        result = self._get("read")
        if not isinstance(result, Frame):
            return None
        sequence = self._offset + result.sequence
        self._next_sequence = sequence + 1
        return result if self._offset == 0 else replace(result, sequence=sequence)

    def skip(self) -> bool:
        """Skip a picture; False when interrupted."""
        if not self._get("skip"):
            return False
        self._next_sequence += 1
        return True

    def interrupt(self) -> None:
        """Have a `read` that waits return None; the next one waits again."""
        with self._changed:
            self._interruptions += 1
            self._changed.notify_all()

    def restart(self, reason: str) -> bool:
        """Have the source opened again before the next picture."""
        with self._changed:
            self._distrusted = reason
        return True

    def close(self) -> None:
        """Release the source; of a driver that hangs, no longer than `CLOSE_LIMIT_S`."""
        with self._changed:
            self._closed = True
            self._interruptions += 1
            self._changed.notify_all()
            worker, self._thread = self._thread, None
        if worker is not None:
            self._release(worker)

    @property
    def skipped_files(self) -> int:  # type: ignore[override]
        """Damaged pictures that were skipped, so far."""
        camera = self._thread.camera if self._thread is not None else None
        return self._skipped_before + (camera.skipped_files if camera is not None else 0)

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Pictures that were too old, so far."""
        camera = self._thread.camera if self._thread is not None else None
        return self._dropped_before + (camera.dropped if camera is not None else 0)

    @property
    def recovering(self) -> bool:  # type: ignore[override]
        """From a fault to the next picture."""
        return self._failed_at is not None

    def _open_first(self, wait: bool) -> None:
        while (error := self._open(self._interruptions)) is not None:
            late = time.monotonic() >= self._give_up_at
            if late or not (wait and isinstance(error, CameraError)):
                raise error
            self._fail(error, "waiting for it")
            self._pause(self._interruptions)
        self._give_up_at = math.inf
        assert self._thread is not None
        assert self._thread.camera is not None
        self.description = self._thread.description
        self.labelled = self._thread.camera.labelled

    def _get(self, request: Request) -> Frame | bool | None:
        """Return what the source gives, opened as often as that takes; None when interrupted."""
        interruptions = self._interruptions
        while not self._closed:
            if self._thread is None and not self._reopen(interruptions):
                return None
            worker = self._thread
            if worker is None:
                break  # closed meanwhile
            with self._changed:
                distrusted, self._distrusted = self._distrusted, None
                # Busy with what an interrupted call asked for: that will do.
                if distrusted is None and not worker.busy:
                    worker.ask(request)
            if distrusted is not None:
                self._lose(_fault(worker, distrusted))
                continue
            done = self._wait(worker, self._read_limit_s, interruptions)
            if done is None:
                return None
            if not done:
                self._lose(
                    _fault(worker, f"hangs in {self._holder.name} for {self._read_limit_s:.3g} s")
                )
            elif (error := worker.take_error()) is not None:
                self._lose(_known(error))
                del error
            elif isinstance(worker.result, Frame) or (worker.result and request == "skip"):
                self._recovered(worker)
                return worker.result
            elif not worker.result:
                self._lose(_fault(worker, "ended"))
        return None

    def _wait(self, worker: CameraThread, limit_s: float, interruptions: int) -> bool | None:
        """Wait until the worker is free: True; False after `limit_s`; None when interrupted."""
        with self._changed:
            self._changed.wait_for(
                lambda: not worker.busy or self._interruptions != interruptions, limit_s
            )
            if not worker.busy:
                return True
            return None if self._interruptions != interruptions else False

    def _open(self, interruptions: int) -> EdgeinferError | None:
        """Try once to open the source; return why it cannot be opened."""
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= MAX_HANGING:
            return CameraError(
                "camera", got=f"{self._holder.name} hangs", next_step=self._holder.advice
            )
        worker = CameraThread(self._open_it, self._changed)
        done = self._wait(worker, OPEN_LIMIT_S, interruptions)
        with self._changed:
            usable = done and not worker.failed and not self._closed
            if usable:
                self._thread = worker
                self._opened_at = time.monotonic()
                return None
        if done and (error := worker.take_error()) is not None:
            return _known(error)
        self._release(worker)
        return CameraError("camera", got=f"does not open within {OPEN_LIMIT_S:.0f} s")

    def _reopen(self, interruptions: int) -> bool:
        """Open the source again, however long that takes; False when interrupted."""
        while self._pause(interruptions):
            error = self._open(interruptions)
            if error is None:
                assert self._thread is not None
                self.description = self._thread.description
                self._offset = self._next_sequence
                self.reopenings += 1
                return True
            if self._interruptions != interruptions:
                return False
            self._fail(error, "trying again")
        return False

    def _pause(self, interruptions: int) -> bool:
        """Wait before the next attempt; False when interrupted."""
        delay_s = self._delay_s * random.uniform(1 - JITTER, 1 + JITTER)
        self._delay_s = min(2 * self._delay_s, self._last_delay_s)
        delay_s = min(delay_s, max(0.0, self._give_up_at - time.monotonic()))
        with self._changed:
            return not self._changed.wait_for(lambda: self._interruptions != interruptions, delay_s)

    def _lose(self, error: EdgeinferError) -> None:
        """Release a source that failed."""
        with self._changed:
            worker, self._thread = self._thread, None
        if worker is None:
            return  # closed meanwhile
        assert worker.camera is not None
        self._skipped_before += worker.camera.skipped_files
        self._dropped_before += worker.camera.dropped
        self._release(worker)
        # One that fails again immediately is not opened every quarter of a second for a month.
        good_s = min(time.monotonic() - self._opened_at, LAST_DELAY_S)
        self._delay_s = max(self._first_delay_s, self._delay_s / RELIEF**good_s)
        self._fail(error, "opening it again")

    def _release(self, worker: CameraThread) -> None:
        with self._changed:
            worker.release()
        worker.thread.join(CLOSE_LIMIT_S)
        if worker.thread.is_alive():
            self._hanging.append(worker.thread)

    def _fail(self, error: EdgeinferError, what_now: str) -> None:
        """Log a failure, once for each reason."""
        if self._failed_at is None:
            self._failed_at = time.monotonic()
        reason = str(error)
        if reason != self._reason:
            self._reason = reason
            _LOG.warning("%s; %s", reason, what_now)

    def _recovered(self, worker: CameraThread) -> None:
        """Log the end of a failure: a picture came."""
        if self._failed_at is None:
            return
        away_s = time.monotonic() - self._failed_at
        self._failed_at, self._reason = None, ""
        _LOG.warning("%s: delivers pictures again after %.1f s", worker.description, away_s)


def _known(error: BaseException) -> EdgeinferError:
    """Return an error that a source may raise; others are errors in edgeinfer, and raised."""
    if isinstance(error, EdgeinferError):
        return error
    raise error


def _fault(worker: CameraThread, got: str) -> CameraError:
    return CameraError(worker.description, got=got)
