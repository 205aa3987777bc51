"""`edgeinfer flash` and `unflash`: a release to boards over SSH, and away from them again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.host.flashing.board.board import Board
    from edgeinfer.host.flashing.fleet import Reach
    from edgeinfer.host.flashing.progress import Steps, Tell
    from edgeinfer.host.flashing.result import HostResult

Command = TypeVar("Command", bound=Callable[..., Any])

SCHEMA = 1
"""Of what `--json` prints."""


def _reach_options(command: Command) -> Command:
    """Add what says which boards, and how they are reached; `_reach` takes their values."""
    options = [
        click.option(
            "--host",
            "hosts",
            multiple=True,
            required=True,
            metavar="[USER@]HOST",
            help="A board, as your own ssh reaches it; may be repeated.",
        ),
        click.option(
            "--ssh-option",
            "ssh_options",
            multiple=True,
            metavar="OPTION",
            help="For ssh -o, such as Port=2222; may be repeated.",
        ),
        click.option(
            "--ask-sudo-password",
            is_flag=True,
            help="Ask here, once, for the password that sudo wants there.",
        ),
        click.option("--dry-run", is_flag=True, help="Say each step and change nothing."),
        json_option,
        # For tests, beside a board's own service.
        click.option("--prefix", default="/var/lib/edgeinfer", hidden=True),
        click.option("--agent-option", "agent_options", multiple=True, hidden=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("run_options", nargs=-1, metavar="[-- RUN OPTIONS]")
@click.option("--board", required=True, metavar="NAME", help="Which board; see `edgeinfer boards`.")
@_reach_options
@click.option(
    "--camera-url-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file here whose one line is the camera's URL; the service alone can read it there.",
)
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A wheel to install instead of the one that the lock names; may be repeated.",
)
@click.option(
    "--canary", metavar="HOST", help="Of several, which comes first; by default the first named."
)
@click.option(
    "--trial-frames",
    type=click.IntRange(1, 1_000_000),
    default=30,
    show_default=True,
    metavar="N",
    help="How many live answers prove the release.",
)
@click.option(
    "--trial-seconds",
    type=click.FloatRange(1, 86400),
    default=120.0,
    show_default=True,
    metavar="S",
    help="How long starting and answering may take.",
)
def flash(
    bundle: Path,
    run_options: tuple[str, ...],
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
    """Install BUNDLE on boards over SSH, as a service that starts by itself.

    A board is looked at first, and refused where something is missing. Everything it needs is
    carried there, so it needs no internet. A release that does not verify, or does not answer live
    frames, is taken back by the board itself. Options of `edgeinfer run` for the service follow
    after `--`; without them, it takes the first camera. Of several boards one comes first; if it
    fails, the others are left alone.
    """
    from edgeinfer.converters.common.require_extra import require_packages

    require_packages("edgeinfer flash", "packaging")
    from edgeinfer.host.flashing.deploy import Deployment
    from edgeinfer.host.flashing.fleet import work_on
    from edgeinfer.host.flashing.request import make_order

    hosts = _distinct(hosts)
    if canary is not None and canary not in hosts:
        raise UsageError("--canary", got=f"'{canary}' is no --host", expected=" or ".join(hosts))
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


@click.command()
@_reach_options
@click.option("--keep-data", is_flag=True, help="Leave what the loop wrote there.")
def unflash(
    hosts: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    keep_data: bool,
    **reach_options: Any,
) -> int:
    """Remove all that `flash` brought to boards: service, releases, user and folder.

    What was there before is not touched.
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
        password = click.prompt("password for sudo there", hide_input=True, err=True)
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
    """Print what became of the boards; return the exit code."""
    from edgeinfer.host.flashing.text import reason_line, result_lines, table_lines

    if as_json:
        hosts = [result.to_json() for result in results]
        click.echo(json.dumps({"schema": SCHEMA, **told, "dry_run": dry_run, "hosts": hosts}))
    elif len(results) > 1:
        for result in results:
            if result.outcome == "planned":
                click.echo("\n".join(result_lines(result)))
        click.echo("\n".join(table_lines(results)))
    elif results[0].good:
        click.echo("\n".join(result_lines(results[0])))
    failed = [result for result in results if not result.good]
    if len(failed) == len(results) == 1:
        reason = reason_line(failed[0], alone=True)
        click.echo(f"error: {reason}", err=True)
    elif failed:
        names = ", ".join(result.host for result in failed)
        click.echo(f"error: {len(failed)} of {len(results)} boards failed: {names}", err=True)
    return int(bool(failed))
