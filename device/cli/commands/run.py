"""`edgeinfer run`: the camera loop."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.given import refuse_other_than_model
from edgeinfer.device.cli.help.names import SOURCE
from edgeinfer.device.cli.help.pages import option_group
from edgeinfer.device.cli.log.option import LoggedCommand, log_events, log_format_option
from edgeinfer.device.cli.options.camera import (
    camera_options,
    camera_url_file_option,
    read_camera_options,
    read_source,
)
from edgeinfer.device.cli.options.common import (
    json_option,
    labels_option,
    model_options,
    read_labels,
    resolve_model,
    threads_option,
)
from edgeinfer.device.cli.options.following import FollowChoice, follow_options
from edgeinfer.device.cli.options.opening import opening_options
from edgeinfer.device.cli.options.output import OutputChoice, output_options
from edgeinfer.device.core.events import event

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions

_LOG = logging.getLogger(__name__)

EXIT_LIMIT_S = 30.0
"""The process ends at most this long after SIGTERM, even if something hangs."""


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector away from what is loaded, which stays until the end anyway.

    Otherwise it checks all of it many times while modules and models load, a fifteenth of the time
    to the first answer, and again at every full collection of the loop.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


_camera = option_group("Camera")
_speed = option_group("Speed")
_stop = option_group("When it stops")


@click.command(cls=LoggedCommand)
@_camera(
    "--camera",
    is_flag=False,
    flag_value="",
    type=SOURCE,
    metavar="[SOURCE]",
    help="A number or /dev/videoN, picamera, a URL, gst:PIPELINE, a video file, a folder or "
    "pattern of images, - for JPEGs on stdin, simulated or simulated:FOLDER. Without SOURCE: the "
    "first camera found.",
)
@camera_url_file_option
@camera_options
@_camera("--realtime", is_flag=True, help="Play files at their own speed and drop frames.")
@_camera(
    "--fps",
    type=click.FloatRange(0.001, 1000),
    show_default="30, and 1 for a URL that gives single pictures",
    metavar="FPS",
    help="Frames per second of simulated, and of a folder with --realtime; how often a URL that "
    "gives single pictures is asked for them.",
)
@_camera("--seed", type=click.IntRange(0), default=0, metavar="N", help="Random seed of simulated.")
@model_options
@labels_option()
@option_group("Model")(
    "--smooth",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Smooth each answer over the last N: the mean of probabilities, the median of values, "
    "the objects found in most of them.",
)
@follow_options
@threads_option
@_speed(
    "--every",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Answer only every Nth frame.",
)
@_speed(
    "--max-fps",
    type=click.FloatRange(0, min_open=True),
    metavar="FPS",
    help="Most answers per second.",
)
@_speed(
    "--parallel",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Work on N frames at the same time: more frames per second, but no answer comes sooner.",
)
@json_option
@output_options
@opening_options
@_stop("--max-frames", type=click.IntRange(1), metavar="N", help="Stop after this many answers.")
@_stop(
    "--max-seconds",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop after this time.",
)
@log_format_option
def run(
    camera: str | None,
    camera_url_file: Path | None,
    model: Path | None,
    labels_file: Path | None,
    threads: int,
    as_json: bool,
    outputs: OutputChoice,
    opening: OpenOptions,
    following: FollowChoice,
    realtime: bool,
    every: int,
    max_fps: float | None,
    smooth: int,
    parallel: int,
    max_frames: int | None,
    max_seconds: float | None,
    fps: float | None,
    seed: int,
    log_format: str | None,
    **camera_wishes: Any,
) -> None:
    """Run a model on a camera, a video or pictures.

    From a live camera only the newest frame is used, so that answers are never late. From files
    every frame is used, unless --realtime is given. If a camera is unplugged, silent or broken, it
    reconnects until the camera works again. `edgeinfer cameras` lists the cameras. Ctrl-C and
    SIGTERM stop it after the current frames; SIGHUP loads the model again.
    """
    log = log_events(log_format)
    if model is not None:
        refuse_other_than_model(model)
    source = read_source(camera, camera_url_file, model)
    loading = click.get_current_context().with_resource(ExitStack())
    loading.enter_context(_collector_paused())
    from edgeinfer.device.core.signals import reload_on_hangup, stop_on_signals
    from edgeinfer.device.loop.run_loop import run_loop
    from edgeinfer.device.loop.stream import open_stream
    from edgeinfer.device.loop.supervision.assemble import supervise
    from edgeinfer.device.loop.supervision.delegate_counts import log_delegate_counts
    from edgeinfer.device.outputs.base import LoopFacts
    from edgeinfer.device.outputs.open import open_outputs

    opening = replace(opening, threads=threads, labels=read_labels(labels_file))
    wanted, limits = outputs.parse(as_json=as_json)
    follow = following.parse()
    path = resolve_model(model)
    reload = click.get_current_context().with_resource(reload_on_hangup())
    with open_stream(
        path,
        opening,
        camera=source,
        parallel=parallel,
        smooth=smooth,
        follow=follow,
        realtime=realtime,
        fps=fps,
        seed=seed,
        camera_options=read_camera_options(**camera_wishes, give_up_s=max_seconds),
    ) as stream:
        first = stream.models[0]
        if limits.when is not None:
            from edgeinfer.device.outputs.recording.condition import check_names
            from edgeinfer.device.tasks.registry import find_task

            task = find_task(first.task)
            check_names(
                limits.when,
                first.labels,
                measured=task.measures,
                counted=task.has_objects,
                places=() if follow is None else follow.places.names,
            )
        count = len(stream.models)
        side_by_side = f", {count} at the same time" if count > 1 else ""
        _LOG.info("model:   %s (%s)", first.name, path, extra=event("model"))
        for note in first.notes:
            _LOG.info("note:    %s", note, extra=event("note"))
        for choice in dict.fromkeys(model.choice for model in stream.models if model.choice):
            _LOG.info("variant: %s", choice, extra=event("variant"))
        _LOG.info(
            "runtime: %s, %d thread%s%s",
            first.runner.description,
            threads,
            "s" * (threads > 1),
            side_by_side,
            extra=event("runtime"),
        )
        _LOG.info("camera:  %s", stream.camera.description, extra=event("camera"))
        watch = supervise(
            stream,
            resolve=lambda: resolve_model(model),
            options=opening,
            reload=reload,
            catch_up=log.catch_up,
        )
        with (
            stop_on_signals(EXIT_LIMIT_S) as stop,
            log_delegate_counts(stream),
            open_outputs(
                wanted,
                live=stream.camera.live,
                stop=stop,
                limits=limits,
                video_fps=stream.camera.video_fps,
                facts=LoopFacts(
                    camera=lambda: stream.camera.description,
                    model=lambda: stream.models[0].name,
                    dropped=lambda: watch.dropped,
                ),
            ) as sinks,
        ):
            loading.close()
            run_loop(
                stream.camera,
                stream.models,
                [sinks],
                every=every,
                max_fps=max_fps,
                smooth=smooth,
                follow=follow,
                max_frames=max_frames,
                max_seconds=max_seconds,
                stop=stop,
                watch=watch,
            )
            stop.done = True
            if not any(output.on_stdout for output in wanted):
                for line in str(sinks.summary).splitlines():
                    _LOG.info("%s", line, extra=event("summary", limited=False))
            sinks.raise_loss()
