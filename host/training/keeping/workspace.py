"""A run's folder: it appears complete, by rename, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import TRAINED_FILE
from edgeinfer.device.core.errors import UsageError, storage_error
from edgeinfer.host.training.keeping.identity import Identity
from edgeinfer.host.training.keeping.kept_stage import kept_state
from edgeinfer.host.training.keeping.work_folder import (
    LOCK_FILE,
    Lock,
    leftovers,
    remove,
    work_folder,
)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Folders next to the run's final place, so that all are on its disk.

    Attributes:
        run: becomes the run's folder.
        cache: prepared pictures and activations; removed when the run ends.
        checkpoints: those of the training; None if nothing is kept of a training that is stopped.
    """

    run: Path
    cache: Path
    checkpoints: Path | None = None


def check_destination(out: Path, *, force: bool) -> None:
    """Refuse a place that already exists.

    Raises:
        UsageError: `out` exists and must not be replaced.
    """
    if not os.path.lexists(out):
        return
    if not force:
        raise UsageError(
            out, got="already exists", next_step="choose another --out, or replace it with --force"
        )
    if not out.is_dir() or not ((out / TRAINED_FILE).is_file() or not any(out.iterdir())):
        raise UsageError(
            out, got="was not made by `edgeinfer train`", expected="an earlier run to replace"
        )


@contextmanager
def workspace(out: Path, *, force: bool, progress: Progress | None = None) -> Iterator[Workspace]:
    """Make a workspace whose `run` replaces `out` when the block ends without an error.

    After any error or interruption nothing is left and an earlier run stays. What a process left
    that was killed is removed.

    Raises:
        UsageError: `out` exists.
        StorageError: its folder cannot be written.
    """
    out = out.absolute()
    check_destination(out, force=force)
    for folder in leftovers(out.parent):
        remove(folder)
        if progress is not None:
            progress.say(f"removed {folder}, which a process left that was killed")
    folder = work_folder(out, kept=False)
    lock = Lock(folder)
    try:
        yield from _filled(folder, out)
    finally:
        remove(folder)
        lock.release()


@contextmanager
def kept_workspace(
    out: Path,
    identity: Identity,
    *,
    force: bool,
    resume: bool,
    progress: Progress,
    replace: bool = False,
) -> Iterator[Workspace]:
    """Make a workspace as `workspace` does, which stays with its checkpoints after an error.

    It also stays if its process is killed. The next one for the same `out` goes on with it.

    Args:
        out: the run's place.
        identity: the settings and the data, which must be the same to go on.
        force: replace an earlier run, and a training that was stopped.
        resume: go on with a training that was stopped.
        progress: reports what is removed.
        replace: replace an earlier run, but not a training that was stopped.

    Raises:
        UsageError: `out` exists; another process is training it; there is a training that was
            stopped, without `resume` or `force`; there is none and `resume`; or it has other
            settings or other data.
        StorageError: a folder cannot be written.
    """
    out = out.absolute()
    check_destination(out, force=force or replace)
    for folder in leftovers(out.parent):
        remove(folder)
        progress.say(f"removed {folder}, which a process left that was killed")
    folder = work_folder(out, kept=True)
    if resume and not folder.is_dir():
        raise UsageError(
            out,
            got="there is no training to go on with",
            expected="one that was stopped",
            next_step="leave --resume out",
        )
    lock = Lock(folder)
    try:
        _begin(folder, out, identity, force=force, resume=resume, progress=progress)
        try:
            yield from _filled(folder, out, kept=True)
        except BaseException as error:
            if (
                not isinstance(error, KeyboardInterrupt) and not kept_state(folder / _CHECKPOINTS)
            ) or not kept_training(out):
                remove(folder)
            raise
        remove(folder)
    finally:
        lock.release()


def kept_training(out: Path) -> str:
    """Return in words what is kept of a training that was stopped; empty if nothing is."""
    folder = work_folder(out.absolute(), kept=True)
    if state := kept_state(folder / _CHECKPOINTS):
        return f"the training up to {state}"
    return "what was prepared" if any(_whole_files(folder / _CACHE)) else ""


_CHECKPOINTS = "checkpoints"
_CACHE = "cache"


def _whole_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("**/*") if path.is_file() and path.name[0] != ".")


def _begin(
    folder: Path, out: Path, identity: Identity, *, force: bool, resume: bool, progress: Progress
) -> None:
    """Go on with what is in the folder, or remove it."""
    state = kept_state(folder / _CHECKPOINTS)
    if resume:
        identity.require_equal(folder, progress)
    elif state and not force:
        raise UsageError(
            out,
            got=f"a training that was stopped at {state} is kept here",
            expected="--resume to go on with it",
            next_step="or start again with --force",
        )
    elif not force and identity.equals(folder):
        progress.say("the pictures were prepared before the last training was stopped")
    else:
        found = [entry for entry in folder.iterdir() if entry.name != LOCK_FILE]
        for entry in found:
            remove(entry) if entry.is_dir() else entry.unlink(missing_ok=True)
        if found:
            progress.say(f"removed what a training left in {folder} that was stopped")
        identity.write(folder)


def _filled(folder: Path, out: Path, *, kept: bool = False) -> Iterator[Workspace]:
    """Make the folders, and move the run to its place at the end."""
    place = Workspace(
        run=folder / "run",
        cache=folder / _CACHE,
        checkpoints=folder / _CHECKPOINTS if kept else None,
    )
    try:
        remove(place.run)  # of a process that was killed when it wrote it
        for made in (place.run, place.cache, *([place.checkpoints] if place.checkpoints else [])):
            made.mkdir(exist_ok=True)
            for unfinished in made.glob("**/.*"):
                unfinished.unlink()
    except OSError as error:
        raise storage_error(out, error) from error
    yield place
    try:
        if os.path.lexists(out):
            remove(folder / "replaced")
            out.rename(folder / "replaced")
        place.run.rename(out)
    except OSError as error:
        raise storage_error(out, error) from error
