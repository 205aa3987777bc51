"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeinfer.device.core.errors import printable
from edgeinfer.device.models.bundle.installed import installed_bundle
from edgeinfer.device.models.labels import read_label_file

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions

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
        help="The class names of a plain .tflite: one a line, 'NUMBER NAME' lines, or a label map.",
    )(command)


MAX_THREADS = 64


class _ThreadsOption(click.Option):
    """Tells the board's thread count in the help of a command, when that help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], f"{record[1]}  [default: the board's, {board_threads()}]")


def board_threads() -> int:
    """Return the interpreter threads that suit the board this runs on, 1 to `MAX_THREADS`."""
    from edgeinfer.boards.here import threads_here

    return min(threads_here(), MAX_THREADS)


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


_OPENING_OPTIONS = (
    click.option(
        "--variant", metavar="NAME", help="A bundle's variant; without it the best that works here."
    ),
    click.option(
        "--delegate",
        metavar="NAME|PATH",
        help="edgetpu, ethos-u, vx, gpu, or an external delegate's library.",
    ),
    click.option(
        "--delegate-option",
        "delegate_options",
        multiple=True,
        metavar="KEY=VALUE",
        help="The delegate's own, such as device=usb:0; may be repeated.",
    ),
    click.option(
        "--edgetpu",
        "edgetpus",
        metavar="all|DEVICE,...",
        help="Edge TPUs that share the work, such as usb:0,usb:1.",
    ),
    click.option("--require-delegate", is_flag=True, help="Fail rather than run on the CPU."),
    click.option(
        "--delegate-deadline",
        type=click.FloatRange(0.001, 3600),
        metavar="SECONDS",
        help="How long a delegate may take for a frame; without it ten times its slowest of the "
        "first, at least 1.",
    ),
    click.option(
        "--delegate-restarts",
        type=click.IntRange(0, 1_000_000),
        default=5,
        show_default=True,
        metavar="N",
        help="Failures within ten minutes after which a delegate is started anew.",
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="Run a model with operators that edgeinfer cannot check, since you know its maker.",
    ),
)
OPENING_PARAMETERS = (
    "variant",
    "delegate",
    "delegate_options",
    "edgetpus",
    "require_delegate",
    "delegate_deadline",
    "delegate_restarts",
    "trust",
)
"""The parameters behind these options, which `read_opening` takes."""


def opening_options(command: Command) -> Command:
    """Add `--variant`, `--delegate`, what belongs to them and `--trust`.

    The command takes them as `opening`, the `OpenOptions` that they ask for.
    """

    @functools.wraps(command)
    def with_opening(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in OPENING_PARAMETERS}
        return command(*args, opening=read_opening(**given), **kwargs)

    wrapped: Any = with_opening
    for option in reversed(_OPENING_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def read_opening(
    *,
    variant: str | None = None,
    delegate: str | None = None,
    delegate_options: tuple[str, ...] = (),
    edgetpus: str | None = None,
    require_delegate: bool = False,
    delegate_deadline: float | None = None,
    delegate_restarts: int = 5,
    trust: bool = False,
) -> OpenOptions:
    """Return what the options of `opening_options` ask for.

    Raises:
        UsageError: they contradict each other, or one is wrong.
    """
    from edgeinfer.device.runtime.delegates.request import DelegateRequest
    from edgeinfer.device.runtime.delegates.spec import parse_option
    from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
    from edgeinfer.device.runtime.open_options import OpenOptions

    request = DelegateRequest(
        variant=variant,
        delegate=delegate,
        options=tuple(map(parse_option, delegate_options)),
        edgetpus=() if edgetpus is None else tuple(edgetpus.split(",")),
        require=require_delegate,
        policy=WorkerPolicy(deadline_s=delegate_deadline, restarts=delegate_restarts),
    )
    return OpenOptions(delegates=request, trust=trust)


def resolve_model(model: Path | None) -> Path:
    """Return the named model, else the installed bundle.

    Raises:
        BundleError: none is named and none is installed.
    """
    return installed_bundle() if model is None else model


def read_labels(path: Path | None) -> tuple[str, ...] | None:
    """Read class names, in any of the formats of `device.labels`; None where no file is named.

    Raises:
        ModelError: the file cannot be read or is empty.
    """
    return None if path is None else read_label_file(path)


def tell_notes(notes: tuple[str, ...]) -> None:
    """Print on stderr what was guessed of a model."""
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
