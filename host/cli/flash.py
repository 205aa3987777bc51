"""`edgeinfer flash` and `unflash`: a release to boards over SSH, and away from them again."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeinfer.device.cli.options import json_option
from edgeinfer.device.cli.progress import status_line
from edgeinfer.device.errors import UsageError, printable

if TYPE_CHECKING:
    from edgeinfer.host.flashing.fleet import Reach

Command = TypeVar("Command", bound=Callable[..., Any])

_SCHEMA = 1


def _reach_options(command: Command) -> Command:
    """Add what says which boards, and how they are reached."""
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
        # For tests: another place there than the service's.
        click.option("--prefix", default="/var/lib/edgeinfer", hidden=True),
        click.option("--agent-option", "agent_options", multiple=True, hidden=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("run_options", nargs=-1, metavar="[-- RUN OPTIONS]")
@click.option("--board", required=True, metavar="NAME", help="What board; see `edgeinfer boards`.")
@_reach_options
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A wheel to install instead of the package index's; may be repeated.",
)
@click.option(
    "--canary", metavar="HOST", help="Of several, the first to try; without it the first named."
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
    ssh_options: tuple[str, ...],
    ask_sudo_password: bool,
    dry_run: bool,
    as_json: bool,
    prefix: str,
    agent_options: tuple[str, ...],
    wheels: tuple[Path, ...],
    canary: str | None,
    trial_frames: int,
    trial_seconds: float,
) -> int:
    """Install BUNDLE on boards over SSH, as a service that starts by itself.

    The board is looked at first and refused where something is missing. Everything it needs is
    carried there, so it needs no internet. A release that does not verify, or does not answer live
    frames, is taken back by the board itself. Options of `edgeinfer run` for the service follow
    after `--`; without them, it takes the first camera and waits for one. Of several boards one is
    done first, then the others.
    """
    from edgeinfer.host.flashing.fleet import flash_hosts
    from edgeinfer.host.flashing.order import make_order
    from edgeinfer.host.flashing.text import failure_text, result_lines, table_lines

    hosts = _distinct(hosts)
    if canary is not None and canary not in hosts:
        raise UsageError("--canary", got=f"'{canary}' is no --host", expected=" or ".join(hosts))
    order = make_order(
        board=board,
        bundle=bundle,
        run=run_options,
        wheels=wheels,
        trial_frames=trial_frames,
        trial_s=trial_seconds,
        dry_run=dry_run,
        prefix=PurePosixPath(prefix),
        agent_options=agent_options,
    )
    reach = _reach(ssh_options, ask_sudo_password, as_json=as_json)
    with _display(hosts, quiet=as_json) as display:
        results = flash_hosts(hosts, order, reach, display.of, canary=canary)
    if as_json:
        document = {
            "schema": _SCHEMA,
            "board": order.profile.name,
            "bundle": {"name": order.bundle.name, "sha256": order.bundle.sha256},
            "dry_run": dry_run,
            "hosts": [result.to_json() for result in results],
        }
        click.echo(json.dumps(document))
    elif len(results) == 1:
        click.echo("\n".join(result_lines(results[0])))
    else:
        if dry_run:
            for result in results:
                click.echo("\n".join(result_lines(result)) + "\n")
        click.echo("\n".join(table_lines(results)))
    failed = [result for result in results if not result.good]
    if len(hosts) == 1 and failed:
        click.echo(f"error: {hosts[0]}: {printable(failure_text(failed[0]))}", err=True)
    elif failed:
        names = ", ".join(result.host for result in failed)
        click.echo(f"error: {len(failed)} of {len(hosts)} boards: not done: {names}", err=True)
    return int(bool(failed))


def _distinct(hosts: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((host for host in hosts if hosts.count(host) > 1), None)
    if twice is not None:
        raise UsageError("--host", got=f"'{twice}' is named twice", expected="each once")
    return hosts


def _reach(ssh_options: tuple[str, ...], ask_sudo_password: bool, *, as_json: bool) -> Reach:
    from edgeinfer.host.flashing.fleet import Reach

    password = None
    if ask_sudo_password:
        password = click.prompt("password for sudo there", hide_input=True, err=True)
        if not password.isprintable():
            raise UsageError("the password", got="has control characters", expected="text")
    at_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return Reach(ssh_options=ssh_options, password=password, ask=at_terminal and not as_json)


class _Display:
    """The lines of all boards, and one line on stderr that tells what is going on."""

    def __init__(self, hosts: tuple[str, ...], show: Callable[[str], None], *, quiet: bool) -> None:
        self._hosts = hosts
        self._show = show
        self._quiet = quiet
        self._lock = threading.Lock()
        self._doing: dict[str, str] = {}

    def of(self, host: str) -> _HostDisplay:
        """Return what takes the lines of one board."""
        return _HostDisplay(self, host)

    def say(self, host: str, text: str) -> None:
        """Print a line; of several boards with the board's name."""
        if self._quiet:
            return
        with self._lock:
            self._show("")
            click.echo(f"{host}: {printable(text)}")
            self._refresh()

    def show(self, host: str, text: str) -> None:
        """Show what is going on at one board beside what is at the others."""
        with self._lock:
            self._doing[host] = text
            self._refresh()

    def _refresh(self) -> None:
        self._show(" | ".join(f"{host}: {text}" for host, text in self._doing.items() if text))


class _HostDisplay:
    """What one board's work is told to."""

    def __init__(self, display: _Display, host: str) -> None:
        self._display = display
        self._host = host

    def say(self, text: str) -> None:
        """Leave a line."""
        self._display.say(self._host, text)

    def show(self, text: str) -> None:
        """Show what is going on."""
        self._display.show(self._host, text)


@contextmanager
def _display(hosts: tuple[str, ...], *, quiet: bool) -> Iterator[_Display]:
    with status_line() as show:
        yield _Display(hosts, show, quiet=quiet)
