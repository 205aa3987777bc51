"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeinfer.device.bundle.installed import installed_bundle
from edgeinfer.device.errors import ModelError

Command = TypeVar("Command", bound=Callable[..., Any])


def model_option(command: Command) -> Command:
    """Add `--model`; `resolve_model` turns its value into a path."""
    return click.option(
        "--model",
        "-m",
        type=click.Path(path_type=Path),
        help="A .edgebundle or .tflite file; without it, the installed bundle.",
    )(command)


def labels_option(command: Command) -> Command:
    """Add `--labels`; `read_labels` reads it."""
    return click.option(
        "--labels",
        "labels_file",
        type=click.Path(path_type=Path),
        help="The class names of a plain .tflite, one a line.",
    )(command)


MAX_THREADS = 64


class _ThreadsOption(click.Option):
    """Tells the board's thread count in the help of a command, when that help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], f"{record[1]}  [default: the board's, {board_threads()}]")


def board_threads() -> int:
    """Return the interpreter threads that suit the board this runs on, 1 to `MAX_THREADS`."""
    from edgeinfer.boards import detect_board

    return min(detect_board().thread_count(), MAX_THREADS)


def threads_option(command: Command) -> Command:
    """Add `--threads`; the board is looked at only where the option is not given."""
    return click.option(
        "--threads",
        cls=_ThreadsOption,
        type=click.IntRange(1, MAX_THREADS),
        default=board_threads,
        help="Interpreter threads.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(command)


def resolve_model(model: Path | None) -> Path:
    """Return the named model, else the installed bundle.

    Raises:
        BundleError: none is named and none is installed.
    """
    return installed_bundle() if model is None else model


def read_labels(path: Path | None) -> tuple[str, ...] | None:
    """Read class names, one a line; None where no file is named.

    Raises:
        ModelError: the file cannot be read or is empty.
    """
    if path is None:
        return None
    try:
        labels = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            path, got=f"cannot be read ({error})", expected="class names in UTF-8"
        ) from error
    if not labels:
        raise ModelError(path, got="is empty", expected="one class name a line")
    return labels
