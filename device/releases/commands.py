"""The agent's commands. Each prints one JSON object on stdout, errors too.

Exit codes: 0 done; 1 the work failed: `{"error": {...}}`, or a trial's outcome that is not good; 2
wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from edgeinfer.device.core.errors import EdgeinferError, ReleaseError, UsageError, storage_error
from edgeinfer.device.releases.install.collect import collect
from edgeinfer.device.releases.install.release import find_release, install, is_usable
from edgeinfer.device.releases.install.setup import check_prefix, make_prefix, remove_all, set_up
from edgeinfer.device.releases.install.spec import ReleaseSpec, read_spec
from edgeinfer.device.releases.install.store import receive_all
from edgeinfer.device.releases.lock import LockedError, locked
from edgeinfer.device.releases.pack_agent import VERSION
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.state import read_state
from edgeinfer.device.releases.systemd.manager import Systemd
from edgeinfer.device.releases.trial.outcome import GOOD
from edgeinfer.device.releases.trial.recover import settle
from edgeinfer.device.releases.trial.request import answer_request, ask_for_trial

_SETTLE_S = 60.0
_MOST_SPEC_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    os.umask(0o022)  # the service's user reads what root writes
    try:
        given = _parser().parse_args(arguments)
        layout = Layout(prefix=given.prefix, run=given.run, units=given.units)
        result = _run(given, layout)
    except EdgeinferError as error:
        _print({"error": error.to_dict()})
        return error.exit_code
    except OSError as error:
        subject = error.filename if isinstance(error.filename, str) else "releases.pyz"
        _print({"error": storage_error(subject, error).to_dict()})
        return 1
    except KeyboardInterrupt:
        interrupted = ReleaseError("releases.pyz", got="was interrupted")
        _print({"error": interrupted.to_dict()})
        return 1
    _print(result)
    outcome = result.get("outcome")
    return 0 if "error" not in result and (outcome is None or outcome in GOOD) else 1


def _run(given: argparse.Namespace, layout: Layout) -> dict[str, Any]:
    manager = Systemd()
    command: str = given.command
    if command == "state":
        return read_state(layout, manager)
    if os.geteuid() != 0:
        raise ReleaseError(
            f"`{command}`", got="does not run as root", next_step="run it through sudo"
        )
    if command == "setup":
        make_prefix(layout)
    else:
        check_prefix(layout)
    if command == "try":
        return ask_for_trial(
            layout, manager, given.release, frames=given.frames, seconds=given.seconds
        )
    if command == "rollback":
        number = _previous(layout)
        return ask_for_trial(layout, manager, number, frames=given.frames, seconds=given.seconds)
    if command == "trial":
        return answer_request(layout, manager)
    if command == "settle":
        return _settle(layout, manager, boot=given.boot)
    if command == "find":
        return {"release": find_release(layout, _given_spec())}
    with locked(layout, command) as lock:
        if command == "setup":
            return {"changed": set_up(layout, manager)}
        if command == "receive":
            return {"new": receive_all(layout, given.files, sys.stdin.buffer)}
        if command == "install":
            spec = _given_spec()
            settle(layout, manager)
            number, new = install(layout, spec, lock)
            return {"release": number, "new": new}
        if command == "collect":
            return {"removed": collect(layout)}
        return {"removed": remove_all(layout, manager, keep_data=given.keep_data)}


def _given_spec() -> ReleaseSpec:
    return read_spec(sys.stdin.buffer.read(_MOST_SPEC_BYTES).decode(errors="replace"))


def _settle(layout: Layout, manager: Systemd, *, boot: bool) -> dict[str, Any]:
    try:
        # At boot nobody waits: the program that holds the lock leaves all as it should be.
        with locked(layout, "settle", wait_s=0.0 if boot else _SETTLE_S):
            return {"settled": settle(layout, None if boot else manager)}
    except LockedError as error:
        if not boot:
            raise
        return {"settled": [], "left": str(error)}


def _previous(layout: Layout) -> int:
    number = layout.linked(layout.previous)
    if number is None or number == layout.linked(layout.current) or not is_usable(layout, number):
        raise ReleaseError("rollback", got="there is no previous release")
    return number


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as any other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(self.prog, got=message, next_step=f"see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    default = Layout()
    parser = _Parser(prog="releases.pyz", description="edgeinfer's releases on this board.")
    parser.add_argument("--version", action="version", version=str(VERSION))
    parser.add_argument("--prefix", type=Path, default=default.prefix)
    parser.add_argument("--run", type=Path, default=default.run, help=argparse.SUPPRESS)
    parser.add_argument("--units", type=Path, default=default.units, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("state", help="what is installed, what runs, how it is")
    commands.add_parser("setup", help="make user, folders and units")
    command = commands.add_parser("receive", help="store files that come on stdin, in this order")
    command.add_argument("files", type=_file, metavar="SHA256:SIZE", nargs="+")
    commands.add_parser("install", help="make a release of the JSON on stdin; nothing is switched")
    commands.add_parser("find", help="find which release is what the JSON on stdin describes")
    command = commands.add_parser("try", help="try a release: keep it, or go back")
    command.add_argument("release", type=_count, metavar="NUMBER")
    rollback = commands.add_parser("rollback", help="try the previous release")
    for trying in (command, rollback):
        trying.add_argument("--frames", type=_positive, default=30, help="answers it has to give")
        trying.add_argument("--seconds", type=_seconds, default=120.0, help="in this time")
    commands.add_parser("trial", help="what the trial's service runs")
    command = commands.add_parser("settle", help="repair what was interrupted")
    command.add_argument("--boot", action="store_true", help="the service is not yet started")
    commands.add_parser("collect", help="remove all but the current and the previous release")
    command = commands.add_parser("remove", help="remove all of edgeinfer from this board")
    command.add_argument("--keep-data", action="store_true", help="but not what the loop wrote")
    return parser


def _file(text: str) -> tuple[str, int]:
    sha256, _, size = text.partition(":")
    return sha256, _count(size)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a count")
    return int(text)


def _positive(text: str) -> int:
    if (number := _count(text)) == 0:
        raise argparse.ArgumentTypeError("0 is too few")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 86400")
    return seconds


def _print(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)
