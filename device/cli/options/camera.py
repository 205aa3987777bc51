"""The options of `run` that say how a camera is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeinfer.device.cameras.options import SILENCE_S, CameraOptions

Command = TypeVar("Command", bound=Callable[..., Any])


class _Size(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """WIDTHxHEIGHT."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        from edgeinfer.device.cameras.v4l2.modes import parse_size

        if isinstance(value, tuple):
            return value
        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Control(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """NAME=VALUE."""

    name = "control"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, setting = value.partition("=")
        if not (name.strip() and equals and setting.strip()):
            self.fail(f"'{value}' is no setting, expected NAME=VALUE", param, ctx)
        return name.strip(), setting.strip()


def camera_url_file_option(command: Command) -> Command:
    """Add `--camera-url-file`; `read_source` takes its value."""
    return click.option(
        "--camera-url-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file whose one line is the camera's URL, or 'gst:PIPELINE': in place of --camera "
        "where others can see the command line.",
    )(command)


def read_source(camera: str | None, file: Path | None) -> str:
    """Return the camera of `--camera` or `--camera-url-file`.

    Raises:
        UsageError: both are given.
        CameraError: the file cannot be read, or others may read it.
    """
    from edgeinfer.device.core.camera_url import check_one_camera, read_camera_url

    check_one_camera(camera, file)
    if file is not None:
        return read_camera_url(file)
    if camera is None:
        raise click.UsageError(
            "no camera: --camera takes the first one found, "
            "--camera simulated needs none; see `edgeinfer run --help`"
        )
    return camera


def camera_options(command: Command) -> Command:
    """Add the options; `read_camera_options` turns their values into `CameraOptions`."""
    options = [
        click.option(
            "--camera-size",
            type=_Size(),
            metavar="WxH",
            help="A camera's picture size; by default the smallest that covers the model's input.",
        ),
        click.option(
            "--camera-fps",
            type=click.FloatRange(0, 1000, min_open=True),
            help="A camera's frames per second.",
        ),
        click.option(
            "--camera-format",
            metavar="FOURCC",
            help="A camera's pixel format, such as YUYV or MJPG.",
        ),
        click.option(
            "--camera-control",
            "camera_controls",
            type=_Control(),
            multiple=True,
            metavar="NAME=VALUE",
            help="Set a camera's control, such as brightness=100; may be given several times. "
            "`edgeinfer cameras` lists them.",
        ),
        click.option(
            "--camera-timeout",
            type=click.FloatRange(0.1, 3600),
            default=SILENCE_S,
            show_default=True,
            metavar="SECONDS",
            help="A camera without a new picture for so long is opened again.",
        ),
        click.option(
            "--wait-for-camera",
            is_flag=True,
            help="Wait for a camera that is not there yet instead of failing.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_camera_options(
    *,
    camera_size: tuple[int, int] | None,
    camera_fps: float | None,
    camera_format: str | None,
    camera_controls: tuple[tuple[str, str], ...],
    camera_timeout: float,
    wait_for_camera: bool,
    give_up_s: float | None = None,
) -> CameraOptions:
    """Return what the options say; their names are those of the command line.

    Args:
        give_up_s: end the wait for a camera after this time; None for never.
    """
    return CameraOptions(
        size=camera_size,
        fps=camera_fps,
        pixel_format=None if camera_format is None else camera_format.upper(),
        controls=dict(camera_controls),
        timeout_s=camera_timeout,
        wait=wait_for_camera,
        give_up_s=give_up_s,
    )
