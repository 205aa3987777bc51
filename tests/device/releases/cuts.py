"""Power cuts at every step: `python -m tests.device.releases.cuts SCENARIO FOLDER [no-fsync]`.

A child process works on a real folder and kills itself before the K-th thing that it does to the
file system, for every K until it gets to its end. What is left is looked at as it is, and as a disk
may have it that lost what was not brought to it until then: content that was not fsynced is gone,
though its name is there; or names as well whose folder was not fsynced are as they were. Then the
board boots, and everything is done again.

Prints `{"points": ..., "boards": ..., "failures": [...]}`.

With `no-fsync` the child's fsync does nothing: then failures must be found.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
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
    StandInManager,
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
    manager = StandInManager(layout, silent=silent)
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
    """Two releases, each with an environment of its own."""
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
    """What the child does to the file system, in a file that outlives it."""

    def __init__(self, folder: Path, prefix: Path, kill_at: int, *, fsync: bool) -> None:
        self._prefix = str(prefix)
        self._backup = folder / "backup"
        self._backup.mkdir()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._kill_at = kill_at
        self._count = 0
        self._busy = False
        self._fsync, self._sync = os.fsync, os.sync
        self._fsyncs = fsync

    def install(self) -> None:
        """Watch this process from now on."""
        os.fsync = self._watched_fsync  # type: ignore[assignment]
        os.sync = self._watched_sync
        sys.addaudithook(self._hook)

    def _step(self, *entry: object) -> None:
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
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
            and os.path.basename(path) != "lock"  # what stands in it is for people
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
    state = read_state(layout, StandInManager(layout))
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


def cut_at(
    template: Path, folder: Path, work: Work, kill_at: int, *, loss: str, fsync: bool
) -> tuple[Layout, bool, bool]:
    """Work on a copy of a board until the cut.

    Returns:
        The board, whether the work came to its end, and whether there was anything to lose.
    """
    shutil.copytree(template, folder, symlinks=True)
    layout = Layout(prefix=folder / "board", run=folder / "run", units=folder / "units")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            Journal(folder, layout.prefix, kill_at, fsync=fsync).install()
            work(layout)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    ended = os.WIFEXITED(status)
    if ended and os.WEXITSTATUS(status):
        raise SystemExit(f"the work failed by itself, at step {kill_at}")
    lost = loss == LOSSES[0] or lose_what_was_not_synced(
        folder, layout, names=loss == "contents and names"
    )
    shutil.rmtree(layout.run)  # a tmpfs
    layout.run.mkdir()
    return layout, ended, lost


def main(scenario: str, folder: Path, *, fsync: bool) -> dict[str, object]:
    """Cut at every step."""
    before, work, allowed, final = SCENARIOS[scenario]
    template = folder / "template"
    # Environments and links hold whole paths, so every board has to have the same one.
    place = folder / "place"
    before(make_board(place))
    place.rename(template)
    failures, kill_at, boards, ended = [], 0, 0, False
    while not ended:
        for loss in LOSSES:
            layout, ended, lost = cut_at(template, place, work, kill_at, loss=loss, fsync=fsync)
            boards += lost
            try:
                wrong = fault(layout, final if ended else allowed) if lost else ""
                if lost and not wrong:
                    work(layout)
                    again = fault(layout, final)
                    wrong = f"done again: {again}" if again else ""
            except Exception as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                failures.append({"step": kill_at, "lost": loss, "wrong": wrong})
            shutil.rmtree(place)
        kill_at += 1
    return {"points": kill_at - 1, "boards": boards, "failures": failures}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), fsync="no-fsync" not in sys.argv)))
