"""What looks after a loop: the service manager's watchdog, reloads, heat."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.core.signals import ReloadRequest
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.run_loop import Watch
from edgeinfer.device.loop.supervision.sd_notify import Notifier
from edgeinfer.device.loop.supervision.watchdog import Watchdog

if TYPE_CHECKING:
    from edgeinfer.device.loop.supervision.rate_control import Heat
    from edgeinfer.device.loop.supervision.reload import Reloader

LOOK_EVERY_S = 0.25


class CatchUp(Protocol):
    """Logs the last of the events that were left out, where none like them came since."""

    def __call__(self, *, at_end: bool = False) -> None:
        """Log them; at the end of the loop all of them, however recent."""


class Supervisor(Watch):
    """Looks after a loop between its answers, never for longer than a moment.

    Args:
        camera: the loop's source.
        notifier: the service manager.
        reload: set by SIGHUP.
        make_reloader: makes what reloads for a pipeline; called when a reload is asked for.
        make_heat: makes what slows a pipeline down, given the rate asked for; called soon after
            the first answer, which then need not wait for it.
        catch_up: logs the events that were left out for some time, see `CatchUp`.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        notifier: Notifier,
        reload: ReloadRequest,
        make_reloader: Callable[[Pipeline], Reloader],
        make_heat: Callable[[float | None], Heat],
        catch_up: CatchUp,
    ) -> None:
        self._notifier = notifier
        self._reload = reload
        self._make_reloader = make_reloader
        self._make_heat = make_heat
        self._catch_up = catch_up
        self._watchdog = Watchdog(notifier, camera)
        self._pipeline: Pipeline | None = None
        self._reloader: Reloader | None = None
        self._heat: Heat | None = None
        self._reloading = False
        self._has_answered = False
        self._due_s = 0.0

    def started(self, pipeline: Pipeline) -> None:
        """Take the pipeline to look after."""
        self._pipeline = pipeline

    @property
    def dropped(self) -> int:
        """Frames of a live source that were too old, or that a newer one replaced, so far."""
        return 0 if self._pipeline is None else self._pipeline.dropped

    def answered(self) -> None:
        """Count an answer that was given out."""
        self._has_answered = True
        self._watchdog.answered()
        if self._heat is not None:
            self._heat.answered()

    def look(self) -> None:
        """See to what is due."""
        now_s = time.monotonic()
        if now_s < self._due_s or self._pipeline is None:
            return
        self._due_s = now_s + LOOK_EVERY_S
        self._look_at_reload(self._pipeline)
        if self._heat is None and self._has_answered:
            self._heat = self._make_heat(self._pipeline.max_fps)
        if self._heat is not None:
            max_fps = self._heat.look()
            if max_fps != self._pipeline.max_fps:
                self._pipeline.max_fps = max_fps
        self._watchdog.look(self._pipeline.max_fps)
        self._catch_up()

    def _look_at_reload(self, pipeline: Pipeline) -> None:
        if self._reload.requested:
            self._reload.requested = False
            if self._reloader is None:
                self._reloader = self._make_reloader(pipeline)
            self._reloading = True
            self._notifier.reloading()
            self._reloader.request()
        elif self._reloading and self._reloader is not None and not self._reloader.busy:
            self._reloading = False
            self._notifier.send(READY=1)

    def stopping(self) -> None:
        """Tell the service manager that the loop ends."""
        self._notifier.send(STOPPING=1)

    def ended(self) -> None:
        """Give up what is under way; the pipeline is closed."""
        if self._reloader is not None:
            self._reloader.close()
        if self._heat is not None:
            self._heat.close()
        self._notifier.close()
        self._catch_up(at_end=True)
