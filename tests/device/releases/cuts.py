"""Power cuts at every step: `python -m tests.device.releases.cuts SCENARIO FOLDER [UNSYNCED]`.

A child process works on a real folder and keeps a copy of it before each thing that it does to the
file system: what a cut leaves there. Each is looked at as it is, and as a disk may have it that
lost what was not brought to it until then: content that was not fsynced is lost, though its name is
there; or names as well whose folder was not fsynced are as they were. Then the board boots, and
everything is done again. Boards that are the same to the last byte are examined one time only.

Prints `{"points": ..., "boards": ..., "failures": [...]}`: how many cuts there are, and how many
boards they left.

With UNSYNCED, a failure's words, the child's fsync does nothing: it ends when that is found.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeinfer.device.releases.install.camera_file import read_camera
from edgeinfer.device.releases.install.collect import collect
from edgeinfer.device.releases.install.release import install, is_usable
from edgeinfer.device.releases.install.store import receive
from edgeinfer.device.releases.lock import locked
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.state import read_state
from edgeinfer.device.releases.trial.recover import settle
from edgeinfer.device.releases.trial.trial import try_release
from edgeinfer.device.releases.trial_file import begin
from tests.device.releases.boards import (
    PIP,
    FakeManager,
    bare_spec,
    make_board,
    sha256_of,
    verifies,
)

Work = Callable[[Layout], None]
OLD, NEW, THIRD = (name * 1000 for name in (b"the old bundle", b"the new bundle", b"the third"))
CAMERA = "rtsp://me:secret@camera/live"
LOSSES = ("nothing", "contents", "contents and names")
_ENTRIES = ("os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir")
_OTHERS = ("os.chmod", "os.chown", "os.truncate", "subprocess.Popen")
_WRITING = os.O_WRONLY | os.O_RDWR


def bring(layout: Layout, bundle: bytes, *, system: bool, silent: int | None = None) -> None:
    """Send, install and try a release as `flash` does."""
    with locked(layout, "receive"):
        for content in (bundle, PIP):
            receive(layout, sha256_of(content), len(content), io.BytesIO(content))
    manager = FakeManager(layout, silent=silent)
    spec = replace(bare_spec(bundle, system_site_packages=system), camera_url=CAMERA)
    with locked(layout, "install") as lock:
        settle(layout, manager)
        number, _ = install(layout, spec, lock)
    with locked(layout, "trial"):
        try_release(layout, number, manager, frames=5, seconds=0.02, verify=verifies, poll_s=0.01)


def first(layout: Layout) -> None:
    """The first release of a board, its environment included."""
    bring(layout, OLD, system=False)


def update(layout: Layout) -> None:
    """A second release with the same environment."""
    bring(layout, NEW, system=False)


def bad_update(layout: Layout) -> None:
    """A second release that never answers."""
    bring(layout, NEW, system=False, silent=2)


def other_package(layout: Layout) -> None:
    """Two releases, each with its own environment."""
    first(layout)
    bring(layout, NEW, system=True)


def third(layout: Layout) -> None:
    """A third release; the first one goes, with its environment and its file."""
    bring(layout, THIRD, system=True)


def settle_a_trial(layout: Layout) -> None:
    """What happens at boot after a cut in a trial."""
    with locked(layout, "settle"):
        settle(layout, None)
        collect(layout)


def nothing(layout: Layout) -> None:
    """No release before."""


def half_tried(layout: Layout) -> None:
    """A release on trial, and rubbish around it."""
    first(layout)
    spec = bare_spec(NEW)
    receive(layout, spec.bundle, len(NEW), io.BytesIO(NEW))
    with locked(layout, "install") as lock:
        number, _ = install(layout, spec, lock)
    begin(layout, number, previous=1, request="1")
    (layout.packages / "0123456789abcdef").mkdir()
    (layout.store / ".half").write_bytes(b"half")


SCENARIOS: dict[str, tuple[Work, Work, set[int | None], set[int | None]]] = {
    "first": (nothing, first, {None, 1}, {1}),
    "update": (first, update, {1, 2}, {2}),
    "bad-update": (first, bad_update, {1}, {1}),
    "third": (other_package, third, {2, 3}, {3}),
    "settle": (half_tried, settle_a_trial, {1}, {1}),
}
"""Before, what is cut, what may be current afterwards, and what is after it was done again."""


class Journal:
    """What the child does to the file system, and the board before each step of it.

    Args:
        folder: the board's; the journal is in it and is copied with it.
        prefix: of the board's files.
        copies: receives the copies, by their step's number.
        fsync: let fsync and sync work.
    """

    def __init__(self, folder: Path, prefix: Path, copies: Path, *, fsync: bool) -> None:
        self._folder = folder
        self._prefix = str(prefix)
        self._copies = copies
        self._backup = folder / "backup"
        self._backup.mkdir()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._count = 0
        self._busy = False
        self._fsync, self._sync = os.fsync, os.sync
        self._fsyncs = fsync

    def install(self) -> None:
        """Watch this process from now on."""
        os.fsync = self._watched_fsync  # type: ignore[assignment]
        os.sync = self._watched_sync
        sys.addaudithook(self._hook)

    def keep(self) -> None:
        """Copy the board as it is."""
        self._busy, busy = True, self._busy  # copying is not a step
        copy_board(self._folder, self._copies / str(self._count))
        self._busy = busy

    def _step(self, *entry: object) -> None:
        self.keep()
        self._count += 1
        os.write(self._log, json.dumps(entry).encode() + b"\n")

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            if event == "open":
                path, _, flags = arguments
                if isinstance(path, str | os.PathLike) and flags & _WRITING and self._ours(path):
                    new = not os.path.lexists(path)
                    self._step("write", os.fspath(path), new)
            elif event == "os.mkdir" and os.path.lexists(arguments[0]):
                pass  # it is about to be refused
            elif event in _ENTRIES and self._ours(arguments[0]):
                paths = [
                    os.path.abspath(os.fspath(path)) for path in arguments[:2] if _is_path(path)
                ]
                if event == "os.symlink":
                    paths = paths[1:]
                self._step(event, paths, self._save(paths[-1], event))
            elif event in _OTHERS:
                self._step(event, [])
        finally:
            self._busy = False

    def _ours(self, path: Any) -> bool:
        # Python's rmtree names what it removes relative to an open folder: unlocked by `cwd`.
        return (
            _is_path(path)
            and (not os.path.isabs(path) or os.fspath(path).startswith(self._prefix))
            and os.path.basename(path) != "lock"  # its content is for people
        )

    def _save(self, path: str, event: str) -> str | None:
        """Keep what an entry was, so that it can be there again."""
        if event not in ("os.rename", "os.remove") or not os.path.lexists(path):
            return None
        kept = self._backup / str(self._count)
        if os.path.islink(path):
            os.symlink(os.readlink(path), kept)
        elif os.path.isfile(path):
            os.link(path, kept)
        else:
            return None
        return str(kept)

    def _watched_fsync(self, descriptor: int) -> None:
        if self._fsyncs:
            self._step("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
            self._fsync(descriptor)

    def _watched_sync(self) -> None:
        if self._fsyncs:
            self._step("sync")


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def lose_what_was_not_synced(folder: Path, layout: Layout, *, names: bool) -> bool:
    """Take away what a power cut may take; False where all was brought to the disk.

    Args:
        folder: of the child's journal.
        layout: the board.
        names: take the names as well, not the contents alone.
    """
    entries = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    unwritten: dict[str, None] = {}
    undone: list[tuple[str, list[str], str | None]] = []
    built = False
    for entry in entries:
        kind = entry[0]
        if kind == "write":
            unwritten[entry[1]] = None
            if entry[2]:
                undone.append(("created", [entry[1]], None))
        elif kind == "fsync":
            unwritten.pop(entry[1], None)
            undone = [
                (event, paths, kept)
                for event, paths, kept in undone
                if os.path.dirname(paths[-1]) != entry[1]
            ]
        elif kind == "sync":
            unwritten.clear()
            undone.clear()
            built = False
        elif kind == "subprocess.Popen":
            built = True
        elif kind in _ENTRIES:
            paths = entry[1]
            undone.append((kind, paths, entry[2]))
            if kind == "os.rename" and paths[0] in unwritten:
                del unwritten[paths[0]]
                unwritten[paths[1]] = None
    for path in unwritten:
        if os.path.isfile(path) and not os.path.islink(path):
            os.truncate(path, 0)
    if built:  # by other programs, which do not fsync
        for file in layout.packages.glob("*/**/*"):
            if file.is_file() and not file.is_symlink():
                os.truncate(file, 0)
    for event, paths, kept in reversed(undone if names else ()):
        _undo(event, paths, kept)
    return bool(built or unwritten or (names and undone))


def _undo(event: str, paths: list[str], kept: str | None) -> None:
    path = paths[-1]
    if event == "os.rename":
        if os.path.lexists(path):
            os.rename(path, paths[0])
    elif event in ("os.link", "os.symlink", "created"):
        if os.path.lexists(path):
            os.unlink(path)
    elif event == "os.mkdir":
        shutil.rmtree(path, ignore_errors=True)
    elif event == "os.rmdir" and os.path.isdir(os.path.dirname(path)):
        os.makedirs(path, exist_ok=True)
    if kept is not None and os.path.isdir(os.path.dirname(path)) and not os.path.lexists(path):
        os.rename(kept, path)


def fault(layout: Layout, allowed: set[int | None]) -> str:
    """Boot the board; return what is wrong with it, or ""."""
    with locked(layout, "settle"):
        settle(layout, None)
    state = read_state(layout, FakeManager(layout))
    current = layout.linked(layout.current)
    if current not in allowed:
        return f"current is {current}"
    if current is not None and not is_usable(layout, current):
        return f"release {current} is not whole"
    if current is not None and (layout.current / "bundle.edgebundle").read_bytes() not in (
        OLD,
        NEW,
        THIRD,
    ):
        return f"the bundle of release {current} is broken"
    if current is not None and read_camera(layout.release(current)) != CAMERA:
        return f"the camera of release {current} is lost"
    if state["trial"] is not None or layout.trial.exists():
        return "a trial is left"
    half = [
        path.name
        for folder in (layout.prefix, layout.store, layout.releases, layout.packages)
        for path in folder.iterdir()
        if path.name.startswith(".")
    ]
    return f"half made: {half}" if half else ""


def copy_board(source: Path, target: Path) -> None:
    """Copy a folder; names of one file remain names of one file."""
    first: dict[int, Path] = {}

    def copy(path: str, copied: str) -> str:
        inode = os.lstat(path).st_ino
        if inode in first:
            os.link(first[inode], copied, follow_symlinks=False)
        else:
            first[inode] = Path(copied)
            shutil.copy2(path, copied, follow_symlinks=False)
        return copied

    shutil.copytree(source, target, symlinks=True, copy_function=copy)


def fingerprint(folder: Path) -> bytes:
    """Return what tells boards apart: names, kinds, modes, contents, and which files are one."""
    digest = hashlib.sha256()
    first: dict[int, Path] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        told = [str(path.relative_to(folder)), status.st_mode]
        if path.is_symlink():
            told.append(os.readlink(path))
        elif path.is_file():
            told += [str(first.setdefault(status.st_ino, path)), path.read_bytes().hex()]
        digest.update(json.dumps(told).encode())
    return digest.digest()


def cut_everywhere(place: Path, copies: Path, work: Work, *, fsync: bool) -> int:
    """Work on a board to the end, keeping what a cut would leave before each step, and at the end.

    Returns:
        The number of the last copy, in which the work is done.
    """
    layout = layout_of(place)
    copies.mkdir()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            journal = Journal(place, layout.prefix, copies, fsync=fsync)
            journal.install()
            work(layout)
            journal.keep()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("the work failed by itself")
    return len(list(copies.iterdir())) - 1


def layout_of(place: Path) -> Layout:
    """Return the layout of a board that `make_board` made there."""
    return Layout(prefix=place / "board", run=place / "run", units=place / "units")


def main(scenario: str, folder: Path, *, unsynced: str = "") -> dict[str, object]:
    """Cut at every step."""
    before, work, allowed, final = SCENARIOS[scenario]
    # Environments and links hold whole paths, so every board has to have the same one.
    place, copies = folder / "place", folder / "copies"
    before(make_board(place))
    points = cut_everywhere(place, copies, work, fsync=not unsynced)
    layout = layout_of(place)
    failures: list[dict[str, object]] = []
    seen: set[tuple[bool, bytes]] = set()
    boards = 0
    for step in range(points + 1):
        for loss in LOSSES:
            shutil.rmtree(place)
            copy_board(copies / str(step), place)
            if loss != LOSSES[0] and not lose_what_was_not_synced(
                place, layout, names=loss == "contents and names"
            ):
                continue  # there was nothing to lose
            boards += 1
            shutil.rmtree(layout.run)  # a tmpfs
            layout.run.mkdir()
            (place / "log").unlink()
            shutil.rmtree(place / "backup")
            ended = step == points
            same = ended, fingerprint(place)
            if same in seen:
                continue
            seen.add(same)
            wrong = tried(layout, work, final if ended else allowed, final)
            if wrong:
                failures.append({"step": step, "lost": loss, "wrong": wrong})
            if unsynced and wrong == unsynced:
                return {"points": step, "boards": boards, "failures": failures}
    return {"points": points, "boards": boards, "failures": failures}


def tried(layout: Layout, work: Work, allowed: set[int | None], final: set[int | None]) -> str:
    """Boot what a cut left and do everything again; return what went wrong, or ""."""
    try:
        wrong = fault(layout, allowed)
        if wrong:
            return wrong
        work(layout)
        again = fault(layout, final)
        return f"done again: {again}" if again else ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), unsynced="".join(sys.argv[3:4]))))
