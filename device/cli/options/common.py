"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.names import DELEGATE
from edgeinfer.device.cli.help.pages import Decorated, Option, option_group
from edgeinfer.device.core.errors import UsageError, printable
from edgeinfer.device.models.bundle.installed import SUFFIX, installed_bundle
from edgeinfer.device.models.labels import read_label_file

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions

MODEL_SUFFIXES = (SUFFIX, ".tflite")

_model = option_group("Model")
_accelerator = option_group("Accelerator")


def is_model(path: str | Path) -> bool:
    """Return whether a path is that of a model by its name: it ends in .edgebundle or .tflite."""
    return str(path).lower().endswith(MODEL_SUFFIXES)


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


_OPENING_OPTIONS = (
    _accelerator(
        "--variant",
        metavar="NAME",
        show_default="the best that works here",
        help="Which variant of the bundle to run.",
    ),
    _accelerator(
        "--delegate",
        type=DELEGATE,
        metavar="NAME|PATH",
        help="edgetpu, ethos-u, vx, gpu, or the library of another delegate.",
    ),
    _accelerator(
        "--delegate-option",
        "delegate_options",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option of the delegate, such as device=usb:0. May be repeated.",
    ),
    _accelerator(
        "--edgetpu",
        "edgetpus",
        metavar="all|DEVICE,...",
        help="Edge TPUs that share the work, such as usb:0,usb:1.",
    ),
    _accelerator("--require-delegate", is_flag=True, help="Fail instead of running on the CPU."),
    _accelerator(
        "--delegate-deadline",
        type=click.FloatRange(0.001, 3600),
        metavar="SECONDS",
        show_default="10 times the slowest of its first frames, at least 1",
        help="How long the delegate may take for one frame.",
    ),
    _accelerator(
        "--delegate-restarts",
        type=click.IntRange(0, 1_000_000),
        default=5,
        metavar="N",
        help="Restart a failing delegate at most this often in 10 minutes.",
    ),
    _model(
        "--trust",
        is_flag=True,
        help="Run a model with operators that edgeinfer cannot check. Only if you know who made "
        "it.",
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
"""The parameters of these options, which `read_opening` takes."""


def opening_options(command: Decorated) -> Decorated:
    """Add `--variant`, `--delegate` and its options, and `--trust`.

    The command takes them as `opening`, an `OpenOptions`.
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
    """Return the values of the options that `opening_options` adds.

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
    """Return the model that is named, or the installed bundle if none is.

    Raises:
        BundleError: no model is named and none is installed.
    """
    return installed_bundle() if model is None else model


def read_labels(path: Path | None) -> tuple[str, ...] | None:
    """Read class names in any of the formats of `device.models.labels`; None without a file.

    Raises:
        ModelError: the file cannot be read or is empty.
    """
    return None if path is None else read_label_file(path)


def tell_notes(notes: tuple[str, ...]) -> None:
    """Print on stderr what was guessed about a model."""
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)
