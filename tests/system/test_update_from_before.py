"""A board flashed by an earlier commit takes this checkout's release, and goes back to its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility.before import PackageBefore, make_package_before, unpack_sources
from tests.compatibility.said import assert_still_said
from tests.compatibility.stored import BUNDLE
from tests.support.program import PROGRAM
from tests.support.waiting import until
from tests.system.environments import clean_environ
from tests.system.own_board import OwnBoard, own_board

pytestmark = pytest.mark.system
AGENT_BYTES = 100_000
"""More than an agent has, and less than any wheel or bundle that is sent."""

PYTHON = "/usr/bin/python3"
AGENT = "/var/lib/edgeinfer/releases.pyz"
SIMULATED = ("--", "--camera", "simulated")
NO_CAMERA = ("--", "--camera", "/nothing/there")
CHANGING = ("agent", "free_bytes", "service", "status")
"""Of what an agent says of a board: its own number, and what changes by itself."""


class Workstation:
    """An edgeinfer that flashes the board.

    Args:
        board: the board.
        program: how its program is started.
        wheel: its own wheel.
    """

    def __init__(self, board: OwnBoard, program: Sequence[str], wheel: Path) -> None:
        self._board, self._program, self._wheel = board, program, wheel

    def flash(self, run: Sequence[str] = SIMULATED) -> dict[str, Any]:
        """Flash the bundle; return what became of the board, whatever it is."""
        command = ["flash", str(BUNDLE), "--board", "generic-x86-64", "--wheel", str(self._wheel)]
        command += [*self._board.sshd.options(), "--trial-frames", "5", "--json", *run]
        done = subprocess.run(
            [*self._program, *command],
            cwd=self._board.sshd.folder,
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        (host,) = json.loads(done.stdout)["hosts"]
        return dict(host)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBoard]:
    with own_board(tmp_path_factory.mktemp("board")) as running:
        yield running


@pytest.fixture(scope="module")
def package_before(tmp_path_factory: pytest.TempPathFactory) -> PackageBefore:
    return make_package_before(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def wheel_before(registry: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of before, built of git's history."""
    folder = tmp_path_factory.mktemp("wheel-before")
    unpack_sources(folder / "sources")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
    built = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(folder / "sources")],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environ(),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("edgeinfer-*.whl")
    return wheel


def agent(board: OwnBoard, *arguments: object, program: str = AGENT) -> dict[str, Any]:
    """Run a command of an agent on the board; return what it said."""
    done = board.systemd.run(PYTHON, "-I", program, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


def check_running(board: OwnBoard, number: int) -> None:
    """Check that a release is current, that its own packages run, and that it answers."""
    state = agent(board, "state")
    assert (state["current"], state["trial"]) == (number, None)
    package = state["releases"][str(number)]["package"]
    assert f"/packages/{package}/" in command_line(board)
    # As the trial sees it: it has answered lately.
    until(lambda: agent(board, "try", number)["outcome"] == "already current and healthy")


def command_line(board: OwnBoard) -> str:
    """Return the command line of the service's process."""
    pid = board.systemd.run("systemctl", "show", "-P", "MainPID", "edgeinfer.service").stdout
    words = board.systemd.path(f"/proc/{pid.strip()}/cmdline").read_text()
    return words.replace("\0", " ")


def check_both_read_it(board: OwnBoard, before: str, now: str) -> None:
    """Check that the agents of both say the same of the board."""
    was, is_now = (agent(board, "state", program=program) for program in (before, now))
    for name in CHANGING:
        del was[name], is_now[name]
    assert was["history"]
    assert_still_said(was, is_now)


def test_it_takes_the_new_release_and_goes_back(
    board: OwnBoard, package_before: PackageBefore, wheel_before: Path, wheel: Path
) -> None:
    program = (str(package_before.python), "-P", "-m", "edgeinfer.device.cli")
    before = Workstation(board, program, wheel_before)
    now = Workstation(board, PROGRAM, wheel)
    releases = board.systemd.path(AGENT)
    agents = {name: f"/root/{name}.pyz" for name in ("before", "now")}

    first = before.flash()
    assert (first["outcome"], first["release"]) == ("confirmed", 1), first
    board.systemd.path(agents["before"]).write_bytes(releases.read_bytes())

    # One that gives no answers: the board is back with its release by itself.
    failed = now.flash(NO_CAMERA)
    assert failed["outcome"] == "rolled back", failed
    board.systemd.path(agents["now"]).write_bytes(releases.read_bytes())
    check_running(board, 1)

    second = now.flash()
    assert (second["outcome"], second["previous"]) == ("confirmed", 1), second
    number = second["release"]
    check_running(board, number)
    check_both_read_it(board, agents["before"], agents["now"])

    back = agent(board, "rollback", "--frames", "5")
    assert (back["outcome"], back["release"]) == ("confirmed", 1), back
    check_running(board, 1)
    check_both_read_it(board, agents["before"], agents["now"])

    # The workstation of before finds its release, and brings its agent, which knows the new one.
    again = before.flash()
    assert (again["outcome"], again["release"]) == ("unchanged", 1), again
    assert again["sent_bytes"] <= AGENT_BYTES, again
    forth = agent(board, "rollback", "--frames", "5")
    assert (forth["outcome"], forth["release"]) == ("confirmed", number), forth
    check_running(board, number)
    assert now.flash()["outcome"] == "unchanged"
