"""The board at the other end of an `ssh` that runs everything here, with its own `sudo`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from edgeinfer.device.core.errors import RemoteError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.host.flashing.board.board import Board, file_chunks
from tests.device import fake_ssh

# -S reads one line, byte by byte, as the real one does; what it was given is written down.
SUDO = """\
#!{python}
import os, sys
words = sys.argv[1:]
open({log!r}, "a").write(repr(words) + "\\n")
if "-S" in words:
    line = b""
    while {asks} and not line.endswith(b"\\n"):
        line += os.read(0, 1)
    if {asks} and line != b"secret\\n":
        sys.exit("sudo: incorrect password")
command = words[words.index("--") + 1:] if "--" in words else ["true"]
os.execvp(command[0], command)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def install(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, *, asks: bool) -> None:
    fake_ssh.install(tmp_path, fake_ssh.HERE, monkeypatch)
    sudo = tmp_path / "sudo bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text(SUDO.format(python=sys.executable, log=str(log), asks=asks))
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sudo.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("asks", [True, False])
def test_a_password_goes_ahead_of_the_data_and_never_into_it(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    install(tmp_path, log, monkeypatch, asks=asks)
    board = Board(SshHost("cam"), password="secret")
    assert board.check_password()
    data = bytes(range(256)) * 1000
    stored = tmp_path / "stored"
    answer = board.as_root(["sh", "-c", 'cat > "$1"', "sh", str(stored)], [data[:7], data[7:]])
    assert answer.code == 0, answer.stderr
    assert stored.read_bytes() == data
    assert "secret" not in log.read_text()


def test_a_wrong_password_is_noticed(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, log, monkeypatch, asks=True)
    assert not Board(SshHost("cam"), password="wrong").check_password()


def agent(tmp_path: Path, body: str) -> PurePosixPath:
    prefix = tmp_path / "its prefix"
    prefix.mkdir()
    (prefix / "releases.pyz").write_text(body)
    return PurePosixPath(prefix)


@pytest.fixture
def here(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, log, monkeypatch, asks=False)


@pytest.mark.usefixtures("here")
def test_the_agents_answer_is_the_last_object(tmp_path: Path) -> None:
    prefix = agent(
        tmp_path, "import sys\nprint('hello')\nprint('{\"got\": \"%s\"}' % sys.argv[1:])"
    )
    board = Board(SshHost("cam"), prefix=prefix, agent_options=["--run", "/r"])
    assert board.agent(sys.executable, "state") == {
        "got": str(["--prefix", str(prefix), "--run", "/r", "state"])
    }


@pytest.mark.usefixtures("here")
def test_a_bad_outcome_is_an_answer(tmp_path: Path) -> None:
    prefix = agent(tmp_path, 'print(\'{"outcome": "rolled back"}\')\nraise SystemExit(1)')
    answer = Board(SshHost("cam"), prefix=prefix).agent(sys.executable, "try", "1")
    assert answer["outcome"] == "rolled back"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"subject": "file", "got": "x\x1b", "expected": "y", "next_step": "z"},
         r"^cam: file: x\\x1b, expected y; z$"),
        ({}, "^cam: failed there$"),
        ("odd", "^cam: odd$"),
    ],
)  # fmt: skip
def test_the_agents_error_is_raised_here(tmp_path: Path, body: object, words: str) -> None:
    text = json.dumps({"error": body})
    prefix = agent(tmp_path, f"print({text!r})\nraise SystemExit(1)")
    with pytest.raises(RemoteError, match=words):
        Board(SshHost("cam"), prefix=prefix).agent(sys.executable, "install")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("body", ["raise SystemExit('it is odd')", "print('[1]')", "print('{')"])
def test_an_agent_that_gives_no_answer(tmp_path: Path, body: str) -> None:
    prefix = agent(tmp_path, body)
    with pytest.raises(RemoteError, match="`install` failed there"):
        Board(SshHost("cam"), prefix=prefix).agent(sys.executable, "install")


def test_chunks_are_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(200_000))
    chunks = list(file_chunks(path))
    assert b"".join(chunks) == path.read_bytes()
    assert len(chunks) > 1


BUSY = """\
import json, pathlib, sys
marks = pathlib.Path(sys.argv[0]).with_name("marks")
data = sys.stdin.read()
if not marks.exists():
    marks.touch()
    print(json.dumps({"error": {"subject": "the board's releases",
                                "got": "are being changed by `install` (process 7)",
                                "code": "locked"}}))
    raise SystemExit(1)
print(json.dumps({"got": data}))
"""


@pytest.mark.usefixtures("here")
def test_another_programs_work_there_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.host.flashing.board.board._BUSY_AGAIN_S", 0.01)
    waited: list[str] = []
    board = Board(SshHost("cam"), prefix=agent(tmp_path, BUSY), waiting=waited.append)
    # What it reads is given again.
    assert board.agent(sys.executable, "receive", chunks=lambda: [b"da", b"ta"]) == {"got": "data"}
    assert waited == ["waiting: the board's releases are being changed by `install` (process 7)"]
    (tmp_path / "its prefix" / "marks").unlink()
    monkeypatch.setattr("edgeinfer.host.flashing.board.board._BUSY_S", 0.0)
    with pytest.raises(RemoteError, match="are being changed by `install`"):
        board.agent(sys.executable, "setup")
