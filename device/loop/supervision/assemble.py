"""Putting together what looks after the loop of `edgeinfer run`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.core.signals import ReloadRequest
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.stream import Stream
from edgeinfer.device.loop.supervision.sd_notify import Notifier
from edgeinfer.device.loop.supervision.supervisor import CatchUp, Supervisor
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions

if TYPE_CHECKING:
    from edgeinfer.device.loop.supervision.rate_control import Heat
    from edgeinfer.device.loop.supervision.reload import Reloader


def supervise(
    stream: Stream,
    *,
    resolve: Callable[[], Path],
    options: OpenOptions,
    reload: ReloadRequest,
    catch_up: CatchUp,
) -> Supervisor:
    """Return what looks after a stream's loop.

    Args:
        stream: camera and models.
        resolve: returns the model's file, at every reload.
        options: how its models were opened.
        reload: set by SIGHUP.
        catch_up: logs the events that were left out for some time.
    """

    def keep(models: list[Model]) -> None:
        stream.models = models

    def make_reloader(pipeline: Pipeline) -> Reloader:
        from edgeinfer.device.loop.supervision.reload import Reloader

        return Reloader(pipeline, stream.models, resolve=resolve, options=options, on_replaced=keep)

    def make_heat(max_fps: float | None) -> Heat:
        from edgeinfer.device.loop.supervision.rate_control import Heat

        return Heat(max_fps=max_fps)

    return Supervisor(
        stream.camera,
        notifier=Notifier(),
        reload=reload,
        make_reloader=make_reloader,
        make_heat=make_heat,
        catch_up=catch_up,
    )
