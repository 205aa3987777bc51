"""Nothing is lost: every file that moves can go back, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.evaluation.dataset.quarantine.log import LOG, locked_log, quarantine_of
from edgeinfer.host.evaluation.dataset.quarantine.move import (
    Wanted,
    move_out,
    put_back,
    stamp_of,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for name in ("train/cat/a.jpg", "train/cat/b.jpg", "train/dog/c.jpg", "test/cat/d.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def want(root: Path, *names: str) -> list[Wanted]:
    return [Wanted(path=name, reason="damaged", stamp=stamp_of(root / name)) for name in names]


def test_there_and_back(root: Path) -> None:
    before = content(root)
    result = move_out(root, want(root, "train/cat/a.jpg", "train/dog/c.jpg"))
    assert result.moved == ("train/cat/a.jpg", "train/dog/c.jpg")
    assert not result.left
    assert result.quarantine == root.parent / ".photos-quarantine"
    assert set(content(root)) == {"train/cat/b.jpg", "test/cat/d.jpg"}
    lines = (result.quarantine / LOG).read_text().splitlines()
    assert json.loads(lines[0])["path"] == "train/cat/a.jpg"
    assert json.loads(lines[0])["reason"] == "damaged"
    move_out(root, want(root, "train/cat/b.jpg"))
    assert len(put_back(root).moved) == 3
    assert content(root) == before
    assert not result.quarantine.exists()


def test_nothing_to_move_leaves_nothing(root: Path) -> None:
    assert move_out(root, []).moved == ()
    move_out(root, want(root, "train/cat/gone.jpg"))
    assert not quarantine_of(root).exists()
    with pytest.raises(DataError, match="has no files to put back"):
        put_back(root)


def test_what_changed_since_is_left(root: Path) -> None:
    wanted = want(root, "train/cat/a.jpg", "train/cat/b.jpg")
    (root / "train/cat/a.jpg").write_bytes(b"somebody works on it")
    (root / "train/cat/b.jpg").unlink()
    result = move_out(root, wanted)
    assert dict(result.left) == {
        "train/cat/a.jpg": "has changed since it was looked at",
        "train/cat/b.jpg": "is not there any more",
    }
    assert (root / "train/cat/a.jpg").read_bytes() == b"somebody works on it"


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.jpg").write_bytes(b"not ours")
    (root / "train/bird").symlink_to(outside)
    (root / "train/cat/link.jpg").symlink_to(outside / "x.jpg")
    wanted = [
        Wanted(path="train/bird/x.jpg", reason="damaged", stamp=stamp_of(outside / "x.jpg")),
        *want(root, "train/cat/link.jpg"),
    ]
    result = move_out(root, wanted)
    assert dict(result.left) == {
        "train/bird/x.jpg": "is in a folder that is a link",
        "train/cat/link.jpg": "is a link or not a regular file",
    }
    assert (outside / "x.jpg").read_bytes() == b"not ours"


def test_nothing_is_overwritten(root: Path) -> None:
    move_out(root, want(root, "train/cat/a.jpg"))
    (root / "train/cat/a.jpg").write_bytes(b"a new one")
    result = put_back(root)
    assert dict(result.left) == {"train/cat/a.jpg": "another file is in its place now"}
    assert (root / "train/cat/a.jpg").read_bytes() == b"a new one"
    # The new one goes too, under another name; then both would go to one place.
    move_out(root, want(root, "train/cat/a.jpg"))
    assert sorted(content(quarantine_of(root) / "files").values()) == [
        b"a new one",
        b"train/cat/a.jpg",
    ]
    result = put_back(root)
    assert len(result.moved) == len(result.left) == 1
    assert (root / "train/cat/a.jpg").read_bytes() == b"a new one"


def test_what_changed_in_the_quarantine_stays_there(root: Path) -> None:
    quarantine = move_out(root, want(root, "train/cat/a.jpg")).quarantine
    (quarantine / "files/train/cat/a.jpg").write_bytes(b"TRAIN/cat/a.jpg")
    assert put_back(root).left == (("train/cat/a.jpg", "has changed in the quarantine"),)


@pytest.mark.parametrize(
    "line",
    [
        '{"path": "../x", "to": "files/x", "size": 1, "sha256": "", "reason": ""}',
        '{"path": "x", "to": "files/../../x", "size": 1, "sha256": "", "reason": ""}',
        '{"path": "x", "to": "/etc/x", "size": 1, "sha256": "", "reason": ""}',
        '{"path": "x"}',
        "[]",
        "nonsense",
    ],
)
def test_damaged_logs_are_refused(root: Path, line: str) -> None:
    quarantine = move_out(root, want(root, "train/cat/a.jpg")).quarantine
    log = quarantine / LOG
    log.write_text(line + "\n" + log.read_text())
    with pytest.raises(DataError, match="line 1 is damaged"):
        put_back(root)
    assert (quarantine / "files/train/cat/a.jpg").is_file()


def test_a_line_without_an_end_is_cut_off(root: Path) -> None:
    before = content(root)
    quarantine = move_out(root, want(root, "train/cat/a.jpg")).quarantine
    with (quarantine / LOG).open("a") as log:
        log.write('{"path": "train/cat/b.jpg", "to"')
    move_out(root, want(root, "train/dog/c.jpg"))
    assert len(put_back(root).moved) == 2
    assert content(root) == before


def test_without_hard_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **others: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    before = content(root)
    move_out(root, want(root, "train/cat/a.jpg", "test/cat/d.jpg"))
    assert len(content(root)) == 2
    put_back(root)
    assert content(root) == before


@pytest.mark.parametrize("call", ["link", "unlink", "fsync", "write", "mkdir"])
@pytest.mark.parametrize("which", [1, 3])
def test_a_kill_in_the_middle_of_either(root: Path, call: str, which: int) -> None:
    """A process is killed at a system call while it moves, and another while it puts back."""
    before = content(root)
    program = """
import os, signal, sys
from pathlib import Path
from edgeinfer.device.core.errors import DataError
from edgeinfer.host.evaluation.dataset.quarantine.move import *
root, call, which, back = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "back"
names = ["train/cat/a.jpg", "train/cat/b.jpg", "train/dog/c.jpg", "test/cat/d.jpg"]
wanted = [Wanted(path=n, reason="damaged", stamp=stamp_of(root / n)) for n in names]
real, calls = getattr(os, call), 0
def killing(*arguments, **others):
    global calls
    calls += 1
    if calls == which:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **others)
setattr(os, call, killing)
try:
    put_back(root) if back else move_out(root, wanted)
except DataError as error:
    assert back and error.got == "has no files to put back", error
"""
    for direction in ("out", "back"):
        arguments = [sys.executable, "-c", program, str(root), call, str(which), direction]
        status = subprocess.run(arguments, capture_output=True, text=True)
        assert status.returncode in (0, -signal.SIGKILL), status.stderr
    if quarantine_of(root).exists():
        assert not put_back(root).left
    assert content(root) == before
    assert not quarantine_of(root).exists()


def test_two_at_the_same_time(root: Path) -> None:
    quarantine = move_out(root, want(root, "train/cat/a.jpg")).quarantine
    with locked_log(quarantine), pytest.raises(DataError, match="used by another process"):
        put_back(root)
