"""The options of `edgeinfer run` that the service gets, checked here before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edgeinfer.device.core.camera_url import (
    CAMERA_OPTION,
    FILE_OPTION,
    check_one_camera,
    read_camera_url,
)
from edgeinfer.device.core.errors import UsageError

DEFAULT = ("--camera", "--wait-for-camera")
"""The service's default options."""

_SET_BY_FLASH = {
    "model": "the release's own bundle runs",
    "bundle": "the release's own bundle runs",
    "log_format": "the journal gets its own format",
}
_ENDING = ("max_frames", "max_seconds")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The service's options.

    Attributes:
        words: the arguments of `edgeinfer run`; they may contain a camera's password.
        camera: the source; empty for the first V4L2 camera, None if a file there names it.
        variant: the bundle's variant that they name; None if they name none.
    """

    words: tuple[str, ...] = field(repr=False)
    camera: str | None = field(repr=False)
    variant: str | None

    @property
    def v4l2_node(self) -> str | None:
        """The device of the camera: empty for the first one, None if it is not a V4L2 camera."""
        if self.camera is None:
            return None
        if self.camera.isascii() and self.camera.isdigit():
            return f"/dev/video{int(self.camera)}"
        if not self.camera or self.camera.startswith("/dev/"):
            return self.camera
        return None


def check_run_options(words: Sequence[str], camera_url_file: Path | None = None) -> RunOptions:
    """Read the options as `edgeinfer run` on the board will, without a model or a camera.

    Files and devices that they name on the board are not checked. Without `--camera` the
    service takes the first camera, and waits for one.

    Args:
        words: the options.
        camera_url_file: a file here whose one line is the camera's URL.

    Raises:
        UsageError: one is wrong, or is not for a service.
        click.UsageError: there is no such option, or its value is impossible.
        CameraError: the file cannot be read, other users may read it, or it names no such camera.
    """
    from edgeinfer.device.cli.commands.run import run

    given = _parse(run, words)
    camera, file_there = given.params["camera"], given.params["camera_url_file"]
    check_one_camera(camera, file_there)
    if camera_url_file is not None:
        if camera is not None or file_there is not None:
            raise UsageError(
                FILE_OPTION, got="is given, and also a camera after `--`", expected="one of the two"
            )
        words = (CAMERA_OPTION, read_camera_url(camera_url_file), *words)
        given = _parse(run, words)
    elif camera is None and file_there is None:
        words = (*DEFAULT, *words)
        given = _parse(run, words)
    for name, reason in _SET_BY_FLASH.items():
        if given.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            option = "BUNDLE" if name == "bundle" else f"--{name.replace('_', '-')}"
            raise UsageError(
                f"run option {option}", got="is given", expected=f"none, since {reason}"
            )
    params = given.params
    if params["camera"] is not None and not params["camera"].isprintable():
        raise UsageError("run option --camera", got="has control characters", expected="a source")
    for name in _ENDING:
        if params[name] is not None:
            raise UsageError(
                f"run option --{name.replace('_', '-')}",
                got="ends the loop",
                expected="options that let a service run without end",
            )
    if params["camera"] == "-":
        raise UsageError(
            "run option --camera", got="is stdin", expected="a camera, which a service can read"
        )
    _check_outputs(params)
    _check_delegates(params)
    return RunOptions(words=tuple(words), camera=params["camera"], variant=params["variant"])


def _parse(command: click.Command, words: Sequence[str]) -> click.Context:
    try:
        return command.make_context("edgeinfer run", list(words))
    except click.exceptions.Exit as error:  # --help
        raise UsageError(
            "run options", got="asks for help", expected="`edgeinfer run --help`"
        ) from error


def _check_outputs(params: Mapping[str, Any]) -> None:
    from edgeinfer.device.cli.options.output import OutputChoice

    for text in params["output"]:
        if text.partition(":")[0] == "status":
            raise UsageError(
                f"run option --output {text}", got="is given", expected="none: flash sets it"
            )
        if text == "window":
            raise UsageError(
                "run option --output window", got="needs a screen", expected="an output to a file"
            )
    OutputChoice(
        texts=params["output"],
        max_file_mb=params["output_max_mb"],
        when=params["record_when"],
        seconds=params["record_seconds"],
        max_mb=params["record_max_mb"],
        keep_free_mb=params["record_keep_free_mb"],
        stills_every_s=params["stills_every"],
        stills_clean=params["stills_clean"],
    ).parse(as_json=params["as_json"])


def _check_delegates(params: Mapping[str, Any]) -> None:
    from edgeinfer.device.cli.options.opening import OPENING_PARAMETERS, read_opening
    from edgeinfer.device.models.plain_options import refuse_plain_options

    opening = read_opening(**{name: params[name] for name in OPENING_PARAMETERS})
    refuse_plain_options(opening, subject="a bundle")
