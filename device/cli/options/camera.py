"""The options that say which camera is used and how it is opened."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgeinfer.device.cameras.options import MAX_RAW, SILENCE_S, CameraOptions
from edgeinfer.device.cli.help.pages import Decorated, option_group
from edgeinfer.device.cli.options.common import is_model
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.model_file import command_line

_camera = option_group("Camera")


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
            self.fail(f"'{value}' is not a setting, expected NAME=VALUE", param, ctx)
        return name.strip(), setting.strip()


class _Range(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """LOW,HIGH."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([0-9]{1,5}),([0-9]{1,5})", value.replace(" ", ""), re.ASCII)
        low, high = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 0 <= low < high <= MAX_RAW:
            self.fail(
                f"'{value}' is not a range, expected LOW,HIGH from 0 to {MAX_RAW} such as "
                "7000,9000",
                param,
                ctx,
            )
        return low, high


def camera_url_file_option(command: Decorated) -> Decorated:
    """Add `--camera-url-file`; `read_source` takes its value."""
    return _camera(
        "--camera-url-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A file with one line: the camera's URL or gst:PIPELINE. Use it instead of --camera "
        "if others can see the command line.",
    )(command)


def read_source(camera: str | None, file: Path | None, model: Path | None = None) -> str:
    """Return the camera of `--camera` or `--camera-url-file`.

    Args:
        camera: the option's value.
        file: the other's.
        model: the model that is given, for the command that an error names.

    Raises:
        UsageError: both are given, or `--camera` names a model.
        CameraError: the file cannot be read, or others may read it.
    """
    from edgeinfer.device.core.camera_url import check_one_camera, read_camera_url

    check_one_camera(camera, file)
    if file is not None:
        return read_camera_url(file)
    named: tuple[str | Path, ...] = () if model is None else ("--model", model)
    if camera is None:
        raise click.UsageError(
            f"No camera is given. {command_line('run', *named, '--camera')} takes the first camera "
            "found, --camera simulated needs no camera."
        )
    # `--camera` takes the next word as its source, so that a bundle behind it lands here.
    if is_model(camera):
        raise UsageError(
            f"--camera {camera}",
            got="is a model, not a source",
            expected="a camera",
            next_step=f"name it first: {command_line('run', '--model', Path(camera), '--camera')}",
        )
    from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

    if Path(camera).is_file() and Path(camera).suffix.lower() in IMAGE_SUFFIXES:
        raise UsageError(
            f"--camera {camera}",
            got="is a single photo",
            expected="a camera, a clip or a folder",
            next_step=f"ask about it: {command_line('predict', *named, Path(camera))}",
        )
    return camera


def tls_options(command: Decorated) -> Decorated:
    """Add the options on the certificate of a camera at an https:// URL."""
    command = _camera(
        "--tls-insecure",
        is_flag=True,
        help="Accept any certificate of a camera at an https:// URL. Others on the network can "
        "then read the password and replace the pictures.",
    )(command)
    return _camera(
        "--tls-ca",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The certificates that a camera at an https:// URL may have, in PEM, such as its own "
        "self-signed one.",
    )(command)


def camera_options(command: Decorated) -> Decorated:
    """Add the options; `read_camera_options` turns their values into `CameraOptions`."""
    return camera_options_covering("the model's input")(command)


def camera_options_covering(covered: str) -> Callable[[Decorated], Decorated]:
    """Return what adds the options to a command.

    Args:
        covered: what pictures cover where no size is given, in words.
    """
    return functools.partial(_add_camera_options, covered=covered)


def _add_camera_options(command: Decorated, covered: str) -> Decorated:
    options = [
        _camera(
            "--camera-size",
            type=_Size(),
            metavar="WxH",
            show_default=f"the smallest that covers {covered}",
            help="Picture size of the camera.",
        ),
        _camera(
            "--camera-fps",
            type=click.FloatRange(0, 1000, min_open=True),
            metavar="FPS",
            help="Frames per second of the camera.",
        ),
        _camera(
            "--camera-format",
            metavar="FOURCC",
            help="Pixel format of the camera, such as YUYV or MJPG.",
        ),
        _camera(
            "--camera-range",
            type=_Range(),
            metavar="LOW,HIGH",
            help="Raw values that become black and white, for cameras that send grey of 10 to 16 "
            "bits, such as thermal cameras.",
        ),
        _camera(
            "--camera-control",
            "camera_controls",
            type=_Control(),
            multiple=True,
            metavar="NAME=VALUE",
            help="Set a control of the camera, such as brightness=100. May be repeated. "
            "`edgeinfer cameras` lists the controls.",
        ),
        _camera(
            "--camera-timeout",
            type=click.FloatRange(0.1, 3600),
            default=SILENCE_S,
            metavar="SECONDS",
            help="Reconnect to the camera after this time without a new picture.",
        ),
        _camera(
            "--wait-for-camera",
            is_flag=True,
            help="Wait for a camera that is not connected yet instead of failing.",
        ),
    ]
    command = tls_options(command)
    for option in reversed(options):
        command = option(command)
    return command


def read_camera_options(
    *,
    camera_size: tuple[int, int] | None,
    camera_fps: float | None,
    camera_format: str | None,
    camera_range: tuple[int, int] | None,
    camera_controls: tuple[tuple[str, str], ...],
    camera_timeout: float,
    wait_for_camera: bool,
    tls_ca: Path | None = None,
    tls_insecure: bool = False,
    give_up_s: float | None = None,
) -> CameraOptions:
    """Return the values of the options, whose names are those of the command line.

    Args:
        give_up_s: stop waiting for a camera after this time; None for never.
    """
    return CameraOptions(
        size=camera_size,
        fps=camera_fps,
        pixel_format=None if camera_format is None else camera_format.upper(),
        raw_range=camera_range,
        controls=dict(camera_controls),
        timeout_s=camera_timeout,
        wait=wait_for_camera,
        tls_ca=tls_ca,
        tls_insecure=tls_insecure,
        give_up_s=give_up_s,
    )
