"""`edgeinfer benchmark --host`, over a real SSH connection to this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.program import PROGRAM, edgeinfer, error_line
from tests.system.sshd import Sshd, running_sshd

pytestmark = pytest.mark.system

QUICK = ("--seconds", "0.05", "--cold-starts", "1", "--threads", "1")
WAIT_S = 60


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Make a program of a few lines of shell, in a folder whose name needs quoting."""

    def make(script: str) -> Path:
        path = tmp_path / "bin of $HOME & co" / "edgeinfer"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def real(program: Callable[[str], Path]) -> Path:
    """This checkout's program."""
    return program(f'exec "{sys.executable}" -m edgeinfer.device.cli "$@"')


def test_the_boards_table_comes_back(
    board: Sshd, real: Path, sample_bundle: Path, tmp_path: Path
) -> None:
    model = tmp_path / "it's a $model.edgebundle"
    model.write_bytes(sample_bundle.read_bytes())
    asked = (*QUICK, "--frame", "320x240", "--format", "nv12", "--runtime", "ai-edge-litert")
    command = ("benchmark", model, *board.options(), "--remote-program", real, *asked, "--ops")
    done = edgeinfer(*command, "--json")
    assert done.returncode == 0, (done.stderr, board.log())
    report = json.loads(done.stdout)
    assert report["host"] == board.host
    assert report["model"] == {
        "name": "fashion-mnist",
        "file": str(model),
        "size_bytes": model.stat().st_size,
    }
    assert report["frame"] == {"width": 320, "height": 240, "format": "nv12", "pixels": "golden"}
    assert {row["runtime"] for row in report["comparison"]["candidates"]} == {"ai-edge-litert"}
    assert report["ops"]["operators"]
    assert board.left_over() == []

    text = edgeinfer(*command).stdout
    assert f"  host      {board.host}\n" in text
    assert board.left_over() == []


@pytest.mark.parametrize(
    ("known_hosts", "words"),
    [
        ("wrong_hosts", "its host key is not the one that is known"),
        ("no_hosts", "its host key is not known here"),
    ],
)
def test_a_board_whose_key_is_not_the_known_one_is_refused(
    board: Sshd, real: Path, sample_bundle: Path, known_hosts: str, words: str
) -> None:
    done = edgeinfer(
        "benchmark", sample_bundle, *board.options(known_hosts=known_hosts),
        "--remote-program", real,
    )  # fmt: skip
    assert words in error_line(done)
    assert done.stdout == ""
    assert (board.folder / "no_hosts").read_text() == "", "a key was accepted by itself"


def test_a_login_that_is_refused(board: Sshd, sample_bundle: Path) -> None:
    done = edgeinfer("benchmark", sample_bundle, *board.options(key="untrusted"))
    assert "permission denied" in error_line(done)
    assert "ssh-copy-id" in error_line(done)


def test_no_server(sample_bundle: Path) -> None:
    done = edgeinfer(*("benchmark", sample_bundle, "--host", "127.0.0.1", "--ssh-option", "Port=1"))
    assert "127.0.0.1: cannot be reached: it refuses connections" in error_line(done)


@pytest.mark.parametrize("name", ["edgeinfer-that-is-absent", "~/no such place/edgeinfer"])
def test_a_board_without_edgeinfer(board: Sshd, sample_bundle: Path, name: str) -> None:
    done = edgeinfer("benchmark", sample_bundle, *board.options(), "--remote-program", name)
    line = error_line(done)
    assert f"there is no program `{name}`" in line
    assert "--remote-program" in line
    assert board.left_over() == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo noise >&2; echo 'error: x: is odd' >&2; exit 1", "failed there (x: is odd)"),
        ("exit 3", "failed there (it gave no reason)"),
        ("echo 'Error: No such command' >&2; exit 2", "install the same version of edgeinfer"),
        ("echo '{}'", "its report cannot be read (no key 'comparison'"),
        ("echo 'Welcome'; echo '{}'", "its report cannot be read (invalid JSON"),
    ],
)
def test_what_fails_there_is_reported_here(
    board: Sshd, program: Callable[[str], Path], sample_bundle: Path, script: str, words: str
) -> None:
    done = edgeinfer(
        "benchmark", sample_bundle, *board.options(), "--remote-program", program(script)
    )
    assert words in error_line(done)
    assert board.left_over() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_ends_the_work_there_and_removes_the_folder(
    board: Sshd,
    program: Callable[[str], Path],
    sample_bundle: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    started = tmp_path / "started"
    endless = program(f'echo $$ > "{started}.new"; mv "{started}.new" "{started}"; exec sleep 600')
    # A separate session, whose processes all get the signal as from a terminal's Ctrl-C.
    arguments = ("benchmark", str(sample_bundle), *board.options())
    process = subprocess.Popen(
        [*PROGRAM, *arguments, "--remote-program", str(endless)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(started.exists)
        assert len(board.left_over()) == 1
        os.killpg(process.pid, number)
        _, stderr = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, stderr
    assert stderr.strip() == "error: stopped; nothing was written"
    assert board.left_over() == []
    sleeper = int(started.read_text())
    wait_until(lambda: not Path(f"/proc/{sleeper}").exists())


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
