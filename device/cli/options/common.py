"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgeinfer.device.cli.given import FOR_BOARDS, refuse_other_than_model
from edgeinfer.device.cli.help.pages import Decorated, Option, option_group
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import ModelError, UsageError, printable
from edgeinfer.device.core.model_file import MODEL_SUFFIXES, model_kind
from edgeinfer.device.models.bundle.installed import installed_bundle
from edgeinfer.device.tasks.labels import read_label_file

_model = option_group("Model")


def is_model(path: str | Path) -> bool:
    """Return whether a path is that of a model: by its name, else by what the file is.

    The names of models that no board runs count, too: opening one says what to do with it.
    """
    from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

    name = str(path).lower()
    if name.endswith(MODEL_SUFFIXES):
        return True
    if name.endswith(tuple(IMAGE_SUFFIXES)):
        return False  # not opened: there may be many
    try:
        return Path(path).is_file() and model_kind(Path(path)) in FOR_BOARDS
    except (ModelError, OSError, ValueError):  # ValueError: a path with a NUL
        return False


def one_model(bundle: Path | None, model: Path | None) -> Path | None:
    """Return the model that is named by its path alone or by `--model`; None if neither is.

    Raises:
        UsageError: both are given and name different files.
    """
    if bundle is None or model is None or bundle.absolute() == model.absolute():
        return model if bundle is None else bundle
    raise UsageError(bundle, got=f"is given, and the model {model} too", expected="only one model")


def model_options(command: Decorated) -> Decorated:
    """Add the argument BUNDLE and `--model`.

    The command takes one of them as `model`; `resolve_model` turns None into the installed bundle.
    """

    @functools.wraps(command)
    def with_model(*args: Any, bundle: Path | None, model: Path | None, **others: Any) -> Any:
        return command(*args, model=one_model(bundle, model), **others)

    argument = click.argument(
        "bundle", required=False, type=click.Path(path_type=Path), metavar="[BUNDLE]"
    )
    return argument(model_option(with_model))  # type: ignore[return-value]


def model_option(command: Decorated) -> Decorated:
    """Add `--model` to a command that reads its arguments itself."""
    return _model(
        "--model",
        "-m",
        type=click.Path(path_type=Path),
        metavar="BUNDLE",
        show_default="the installed bundle",
        help="The model, a .edgebundle or .tflite file. Its path alone means the same.",
    )(command)


def labels_option(heading: str = "Model") -> Callable[[Decorated], Decorated]:
    """Return what adds `--labels` under a heading; `read_labels` reads the file."""
    return option_group(heading)(
        "--labels",
        "labels_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Class names of a .tflite file that has none: one name per line, lines of "
        "'NUMBER NAME', or a label map.",
    )


MAX_THREADS = 64


class _ThreadsOption(Option):
    """Shows the board's thread count as the default, and looks it up only for that."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.show_default = f"{board_threads()} on this board"
        return super().get_help_record(ctx)


def board_threads() -> int:
    """Return the number of interpreter threads that suits this board, 1 to `MAX_THREADS`."""
    from edgeinfer.boards.here import threads_here

    return min(threads_here(), MAX_THREADS)


def threads_option(command: Decorated) -> Decorated:
    """Add `--threads`; the board is looked up only if the option is not given."""
    return click.option(
        "--threads",
        cls=_ThreadsOption,
        group="Speed",
        type=click.IntRange(1, MAX_THREADS),
        default=board_threads,
        metavar="N",
        help="Interpreter threads.",
    )(command)


def json_option(command: Decorated) -> Decorated:
    """Add `--json`."""
    return option_group("Output")(
        "--json", "as_json", is_flag=True, help="Print JSON for programs."
    )(command)


def ssh_option(heading: str) -> Callable[[Decorated], Decorated]:
    """Return what adds `--ssh-option` under a heading."""
    return option_group(heading)(
        "--ssh-option",
        "ssh_options",
        multiple=True,
        metavar="OPTION",
        help="Passed to ssh -o, such as Port=2222. May be repeated.",
    )


def resolve_model(model: Path | None) -> Path:
    """Return the model that is named, or the installed bundle if none is.

    Raises:
        BundleError: no model is named and none is installed.
        ModelError: what is named is something else; the error names the command for it.
    """
    if model is None:
        return installed_bundle()
    refuse_other_than_model(model)
    return model


def read_labels(path: Path | None) -> tuple[str, ...] | None:
    """Read class names in any of the formats of `device.tasks.labels`; None without a file.

    Raises:
        ModelError: the file cannot be read or is empty.
    """
    return None if path is None else read_label_file(path)


def tell_notes(notes: tuple[str, ...]) -> None:
    """Print on stderr what was guessed about a model."""
    for note in notes:
        say(f"note: {printable(note)}", err=True)
