"""Putting together what looks after the loop of `edgeinfer run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.device.core.signals import ReloadRequest
from edgeinfer.device.models.model import Model
from edgeinfer.device.pipeline import Pipeline
from edgeinfer.device.stream import Stream
from edgeinfer.device.supervision.events import EventLog
from edgeinfer.device.supervision.notify import Notifier
from edgeinfer.device.supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from edgeinfer.device.supervision.heat import Heat
    from edgeinfer.device.supervision.reload import Reloader


def supervise(
    stream: Stream,
    *,
    resolve: Callable[[], Path],
    options: dict[str, Any],
    reload: ReloadRequest,
    log: EventLog,
) -> Supervisor:
    """Return what looks after a stream's loop.

    Args:
        stream: camera and models.
        resolve: returns the model's file, at every reload.
        options: what `Model.open` took.
        reload: set by SIGHUP.
        log: where things are told.
    """

    def keep(models: list[Model]) -> None:
        stream.models = models

    def make_reloader(pipeline: Pipeline) -> Reloader:
        from edgeinfer.device.supervision.reload import Reloader

        return Reloader(
            pipeline, stream.models, resolve=resolve, options=options, on_replaced=keep, log=log
        )

    def make_heat(max_fps: float | None) -> Heat:
        from edgeinfer.device.supervision.heat import Heat

        return Heat(log, max_fps=max_fps)

    return Supervisor(
        stream.camera,
        notifier=Notifier(),
        reload=reload,
        make_reloader=make_reloader,
        make_heat=make_heat,
        log=log,
    )
