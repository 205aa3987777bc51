"""`edgeinfer data capture`: collects labelled pictures from a camera, without a model."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.names import SOURCE
from edgeinfer.device.cli.help.pages import option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.log.option import LoggedCommand, log_events, log_format_option
from edgeinfer.device.cli.options.camera import (
    camera_options_covering,
    camera_url_file_option,
    read_camera_options,
)
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError, printable
from edgeinfer.host.cli.data.capture_text import (
    key_lines,
    print_summary,
    printable_cells,
    to_json,
)

if TYPE_CHECKING:
    from edgeinfer.host.data.capture.capture import Captured
    from edgeinfer.host.data.capture.settings import CaptureSettings

_camera = option_group("Camera")
_shown = option_group("What the pictures show")
_when = option_group("When a picture is saved")
_kept = option_group("How pictures are kept")
_stop = option_group("When it stops")

EXIT_LIMIT_S = 30.0
"""The process ends at most this long after SIGTERM, even if something hangs."""


@click.command(cls=LoggedCommand)
@click.argument("out", type=click.Path(path_type=Path))
@_camera(
    "--camera",
    is_flag=False,
    flag_value="",
    type=SOURCE,
    metavar="[SOURCE]",
    show_default="the first camera found",
    help="Any source that `edgeinfer run` takes: a number or /dev/videoN, picamera, a URL, "
    "gst:PIPELINE, a video file, a folder of images, -, simulated:FOLDER.",
)
@camera_url_file_option
@camera_options_covering("640x480")
@_camera("--realtime", is_flag=True, help="Play files at their own speed and drop frames.")
@_camera(
    "--fps",
    type=click.FloatRange(0.001, 1000),
    show_default="30, and 1 for a URL that gives single pictures",
    metavar="FPS",
    help="Frames per second of simulated and of a folder; how often a URL that gives single "
    "pictures is asked for them.",
)
@_shown(
    "--label",
    "labels",
    multiple=True,
    metavar="[KEY=]LABEL",
    help="What a picture shows; its folder in OUT. May be repeated: KEY saves a picture of it, by "
    "default 1, 2, ...",
)
@_shown(
    "--value",
    metavar="NAME[=NUMBER]",
    help="Type a number and Enter for each picture, instead of labels; OUT/targets.csv gets it.",
)
@_when(
    "--every",
    "every_s",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Save by itself, at most one picture in this time, instead of by keys.",
)
@_when(
    "--on-change",
    "change",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Save by itself when this share of the picture has changed since the last one.",
)
@_when(
    "--min-sharpness",
    type=click.FloatRange(0, 10, min_open=True),
    metavar="SHARE",
    help="Leave out pictures less sharp than this share of what was usual lately.",
)
@_kept("--lossless", is_flag=True, help="Write PNG instead of JPEG.")
@_kept("--add", is_flag=True, help="Add to a folder that holds pictures already.")
@_kept(
    "--keep-free-mb",
    type=click.FloatRange(1),
    default=200.0,
    metavar="MB",
    help="How much of the disk stays free.",
)
@_stop("--max-frames", type=click.IntRange(1), metavar="N", help="Stop after this many pictures.")
@_stop(
    "--max-seconds",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop after this time.",
)
@json_option
@log_format_option
def capture(
    out: Path,
    camera: str | None,
    camera_url_file: Path | None,
    realtime: bool,
    fps: float | None,
    labels: tuple[str, ...],
    value: str | None,
    every_s: float | None,
    change: float | None,
    min_sharpness: float | None,
    lossless: bool,
    add: bool,
    keep_free_mb: float,
    max_frames: int | None,
    max_seconds: float | None,
    as_json: bool,
    log_format: str | None,
    **camera_wishes: Any,
) -> None:
    """Collect labelled pictures from a camera, without a model.

    OUT is a folder for `edgeinfer train`: a sub-folder per label, or with --value pictures and
    targets.csv. Nothing is drawn on the pictures. A key saves a picture, u takes the last one back,
    q ends; --every and --on-change save without keys. An equal picture is not saved twice.
    """
    log_events(log_format)
    from edgeinfer.host.data.capture.settings import CaptureSettings, parse_labels, parse_value

    settings = CaptureSettings(
        labels=parse_labels(labels),
        value=None if value is None else parse_value(value),
        every_s=every_s,
        change=change,
        min_sharpness=min_sharpness,
        max_frames=max_frames,
        max_seconds=max_seconds,
        lossless=lossless,
    )
    source = _source(camera, camera_url_file, out)
    with tell_kept(out), ExitStack() as open_now:
        captured = _capture(
            out,
            source,
            settings,
            open_now,
            as_json=as_json,
            fps=fps,
            # A person who presses keys sees the scene now, not the next frame of a file.
            realtime=realtime or settings.keyed,
            add=add,
            keep_free_bytes=round(keep_free_mb * 1e6),
            camera_wishes=camera_wishes,
        )
    if as_json:
        click.echo(to_json(out, captured))
    else:
        print_summary(out, captured, settings)
    if captured.failure is not None:
        raise captured.failure


def _source(camera: str | None, file: Path | None, out: Path) -> str:
    """Return the camera that is meant.

    Raises:
        UsageError: two are given, or the source is a folder that `out` is in.
        CameraError: the file of the URL cannot be read.
    """
    from edgeinfer.device.core.camera_url import check_one_camera, read_camera_url

    check_one_camera(camera, file)
    if file is not None:
        return read_camera_url(file)
    source = camera or ""
    inside = bool(source) and Path(os.path.abspath(out)).is_relative_to(os.path.abspath(source))
    if inside and os.path.isdir(source):
        raise UsageError(
            out, got=f"is in {source}, which is the camera", expected="a folder elsewhere"
        )
    return source


def _capture(
    out: Path,
    source: str,
    settings: CaptureSettings,
    open_now: ExitStack,
    *,
    as_json: bool,
    fps: float | None,
    realtime: bool,
    add: bool,
    keep_free_bytes: int,
    camera_wishes: dict[str, Any],
) -> Captured:
    """Open what is needed, one after the other, and capture."""
    from edgeinfer.device.cameras.open import PLAYED_FPS, open_camera
    from edgeinfer.device.core.signals import stop_on_signals
    from edgeinfer.host.data.capture import capture as loop
    from edgeinfer.host.data.capture.keyboard import open_keyboard
    from edgeinfer.host.data.capture.store import CaptureFolder

    folder = CaptureFolder(
        out,
        add=add,
        value=None if settings.value is None else settings.value.name,
        keep_free_bytes=keep_free_bytes,
    )
    open_now.callback(folder.close)
    opened = open_now.enter_context(
        open_camera(
            source,
            fps=fps,
            realtime=realtime,
            options=read_camera_options(**camera_wishes, give_up_s=settings.max_seconds),
        )
    )
    stop = open_now.enter_context(stop_on_signals(EXIT_LIMIT_S))
    keyboard = None
    if settings.keyed:
        option = "--label" if settings.labels else "--value"
        keyboard = open_now.enter_context(open_keyboard(option))
    say(f"camera: {printable(opened.description)}", err=True)
    for line in key_lines(settings):
        say(line, err=True)
    captured = loop.capture(
        opened,
        folder,
        settings,
        keyboard=keyboard,
        stop=stop,
        fps=fps or PLAYED_FPS,
        tell=lambda line: say(printable_cells(line), err=as_json, whole=True),
    )
    stop.done = True
    return captured
