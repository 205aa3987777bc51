"""`edgeinfer flash` and `unflash`: install a release on boards over SSH, and remove it."""

from __future__ import annotations

import json
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.given import refuse_other
from edgeinfer.device.cli.help.names import BOARD
from edgeinfer.device.cli.help.pages import Command, Decorated, option_group
from edgeinfer.device.cli.options.common import json_option, one_model, ssh_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.host.flashing.board.board import Board
    from edgeinfer.host.flashing.fleet import Reach
    from edgeinfer.host.flashing.progress import Steps, Tell
    from edgeinfer.host.flashing.result import HostResult

SCHEMA = 1
"""The version of what `--json` prints."""


_boards = option_group("Boards")
_installed = option_group("What is installed")
_trial = option_group("Trial on the board")


def _reach_options(command: Decorated) -> Decorated:
    """Add the options that say which boards, and how to reach them; `_reach` takes their values."""
    options = [
        _boards(
            "--host",
            "hosts",
            multiple=True,
            required=True,
            metavar="[USER@]HOST",
            help="A board, by its name in your own ssh. May be repeated.",
        ),
        ssh_option("Boards"),
        _boards(
            "--ask-sudo-password",
            is_flag=True,
            help="Ask once for the password that sudo needs on the boards.",
        ),
        _boards("--dry-run", is_flag=True, help="Print each step and change nothing."),
        # For tests, next to a service that the board has already.
        _boards("--prefix", default="/var/lib/edgeinfer", hidden=True),
        _boards("--agent-option", "agent_options", multiple=True, hidden=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _refuse_other_than_bundle(
    context: click.Context, parameter: click.Parameter, words: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse a first word that is another kind of model, and name the command for it."""
    if words and not words[0].startswith("-"):
        refuse_other(Path(words[0]), ("bundle",), "a .edgebundle file", command="flash")
    return words


@click.command(cls=Command)
@click.argument(
    "words",
    nargs=-1,
    type=click.Path(),
    metavar="BUNDLE [-- RUN OPTIONS]",
    is_eager=True,  # before what else is missing
    callback=_refuse_other_than_bundle,
)
@_boards(
    "--board",
    required=True,
    type=BOARD,
    metavar="NAME",
    help="The kind of board; `edgeinfer boards` lists them.",
)
@_reach_options
@_boards(
    "--canary",
    metavar="HOST",
    show_default="the first --host",
    help="The board that comes first. If it fails, the others are not changed.",
)
@_installed(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="The same as BUNDLE.",
)
@_installed(
    "--camera-url-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file here with one line: the camera's URL. Only the service can read it on the board.",
)
@_installed(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A wheel to install instead of the one in the lock file. May be repeated.",
)
@_trial(
    "--trial-frames",
    type=click.IntRange(1, 1_000_000),
    default=30,
    metavar="N",
    help="Live answers that the new release must give.",
)
@_trial(
    "--trial-seconds",
    type=click.FloatRange(1, 86400),
    default=120.0,
    metavar="SECONDS",
    help="Time for the start and these answers.",
)
@json_option
def flash(
    words: tuple[str, ...],
    model: Path | None,
    board: str,
    hosts: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    camera_url_file: Path | None,
    wheels: tuple[Path, ...],
    canary: str | None,
    trial_frames: int,
    trial_seconds: float,
    **reach_options: Any,
) -> int:
    """Install a bundle on boards over SSH, as a service.

    The service starts with the board. Each board is checked first, and refused if something is
    missing. Everything it needs is copied there, so the board needs no internet. If the bundle does
    not verify or does not answer live frames, the board goes back to what it ran before. Options of
    `edgeinfer run` for the service follow after `--`; without them, it uses the first camera.
    """
    bundle, run_options = _bundle_and_run_options(words, model)
    from edgeinfer.converters.common.require_extra import require_packages

    require_packages("edgeinfer flash", "packaging")
    from edgeinfer.host.flashing.deploy import Deployment
    from edgeinfer.host.flashing.fleet import work_on
    from edgeinfer.host.flashing.request import make_order

    hosts = _distinct(hosts)
    if canary is not None and canary not in hosts:
        raise UsageError("--canary", got=f"'{canary}' is not a --host", expected=" or ".join(hosts))
    order = make_order(
        board=board,
        bundle=bundle,
        run=run_options,
        camera_url_file=camera_url_file,
        wheels=wheels,
        trial_frames=trial_frames,
        trial_s=trial_seconds,
        dry_run=dry_run,
    )

    def work(there: Board, tell: Tell, steps: Steps) -> HostResult:
        return Deployment(there, order, tell, steps).run()

    reach = _reach(as_json=as_json, **reach_options)
    with _display(hosts, quiet=as_json) as display:
        results = work_on(hosts, work, reach, display.of, first=canary or hosts[0])
    told = {
        "board": order.profile.name,
        "bundle": {"name": order.bundle.name, "sha256": order.bundle.sha256},
    }
    return _tell(results, told, as_json=as_json, dry_run=dry_run)


@click.command(cls=Command)
@_reach_options
@_boards("--keep-data", is_flag=True, help="Keep the files that the service wrote.")
@json_option
def unflash(
    hosts: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    keep_data: bool,
    **reach_options: Any,
) -> int:
    """Remove from boards what `flash` installed.

    Removes the service, the releases, the user and the folder. What was there before stays.
    """
    from edgeinfer.converters.common.require_extra import require_packages

    require_packages("edgeinfer unflash", "packaging")
    from edgeinfer.host.flashing.fleet import work_on
    from edgeinfer.host.flashing.remove import remove

    hosts = _distinct(hosts)

    def work(there: Board, tell: Tell, steps: Steps) -> HostResult:
        return remove(there, tell, steps, keep_data=keep_data, dry_run=dry_run)

    reach = _reach(as_json=as_json, **reach_options)
    with _display(hosts, quiet=as_json) as display:
        results = work_on(hosts, work, reach, display.of)
    return _tell(results, {}, as_json=as_json, dry_run=dry_run)


def _bundle_and_run_options(
    words: tuple[str, ...], model: Path | None
) -> tuple[Path, tuple[str, ...]]:
    """Tell the bundle from the options of `edgeinfer run`, which click gives as one list.

    Raises:
        UsageError: two different bundles are given.
        click.UsageError: no bundle is given.
    """
    if words and not words[0].startswith("-"):
        model, words = one_model(Path(words[0]), model), words[1:]
    if model is None:
        raise click.UsageError("Missing argument 'BUNDLE'.")
    refuse_other(model, ("bundle",), "a .edgebundle file", command="flash")
    return model, words


def _distinct(hosts: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((host for host in hosts if hosts.count(host) > 1), None)
    if twice is not None:
        raise UsageError("--host", got=f"'{twice}' is named twice", expected="each once")
    return hosts


def _reach(
    *,
    ssh_options: tuple[str, ...],
    ask_sudo_password: bool,
    prefix: str,
    agent_options: tuple[str, ...],
    as_json: bool,
) -> Reach:
    from edgeinfer.host.flashing.fleet import Reach

    password = None
    if ask_sudo_password:
        password = click.prompt("password for sudo on the boards", hide_input=True, err=True)
        if not password.isprintable():
            raise UsageError("the password", got="has control characters", expected="text")
    at_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Reach(
        ssh_options=ssh_options,
        password=password,
        ask=at_terminal and not as_json,
        prefix=PurePosixPath(prefix),
        agent_options=agent_options,
    )


def _display(hosts: tuple[str, ...], *, quiet: bool) -> Any:
    from edgeinfer.host.cli.board_display import board_display

    return board_display(hosts, quiet=quiet)


def _tell(results: list[HostResult], told: dict[str, Any], *, as_json: bool, dry_run: bool) -> int:
    """Print the result for each board; return the exit code."""
    from edgeinfer.host.flashing.text import (
        failures_line,
        reason_line,
        result_lines,
        table_lines,
    )

    if as_json:
        hosts = [result.to_json() for result in results]
        click.echo(json.dumps({"schema": SCHEMA, **told, "dry_run": dry_run, "hosts": hosts}))
    elif len(results) > 1:
        for result in results:
            if result.outcome == "planned":
                say("\n".join(result_lines(result)))
        say("\n".join(table_lines(results)))
    elif results[0].good:
        say("\n".join(result_lines(results[0])))
    wrong = [result for result in results if not result.good]
    if len(wrong) == len(results) == 1:
        say(f"error: {reason_line(wrong[0], alone=True)}", err=True)
    elif wrong:
        say(f"error: {failures_line(results)}", err=True)
    return int(bool(wrong))
