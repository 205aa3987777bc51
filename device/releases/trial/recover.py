"""Repairing what was interrupted: by a power cut, a kill or a full disk."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import storage_error
from edgeinfer.device.releases.disk import remove_tree
from edgeinfer.device.releases.history import note
from edgeinfer.device.releases.install.environment import is_complete
from edgeinfer.device.releases.install.release import is_usable
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager
from edgeinfer.device.releases.trial.outcome import Outcome, write_outcome
from edgeinfer.device.releases.trial_file import read_trial, take_back, turn


def settle(layout: Layout, manager: ServiceManager | None) -> list[str]:
    """Leave a whole release current and nothing half made, under the lock.

    A trial that was interrupted goes back to the release before it. Where `current` leads to
    nothing whole, the previous release replaces it.

    Args:
        layout: where.
        manager: starts what is current again after a trial was taken back; None at boot, where the
            service follows by itself.

    Returns:
        What was done, a sentence each.

    Raises:
        StorageError: the disk fails.
    """
    try:
        done = _settle_trial(layout, manager)
        done += _settle_current(layout)
        done += _remove_half_made(layout)
    except OSError as error:
        raise storage_error(layout.prefix, error) from error
    return done


def _settle_trial(layout: Layout, manager: ServiceManager | None) -> list[str]:
    if not layout.trial.exists():
        return []
    trial = read_trial(layout)
    if trial is None:  # edgeinfer never leaves a file half written: the disk lost it
        before = layout.linked(layout.previous)
        back = before if is_usable(layout, before) else layout.linked(layout.current)
        take_back(layout, back, manager)
        note(layout, "rolled back", to=back, reason="what was on trial could not be read")
        return [f"an unreadable trial ended; current is {back}"]
    back = trial.previous
    if not is_usable(layout, back):
        before = layout.linked(layout.previous)
        back = before if is_usable(layout, before) else None
    if back is None and trial.previous is not None and is_usable(layout, trial.release):
        back = trial.release  # the old one was removed: an unproven release is better than none
    reason = "the trial was interrupted"
    note(layout, "rolled back", release=trial.release, to=back, reason=reason)
    take_back(layout, back, manager)
    if trial.id:
        outcome = Outcome(release=trial.release, outcome="rolled back", reason=reason, current=back)
        write_outcome(layout, trial.id, outcome.to_json())
    return [f"the trial of release {trial.release} was interrupted; current is {back}"]


def _settle_current(layout: Layout) -> list[str]:
    current = layout.linked(layout.current)
    if not layout.current.is_symlink() or is_usable(layout, current):
        return []
    before = layout.linked(layout.previous)
    if not is_usable(layout, before):
        return []  # there is no better one, and a disk that is not mounted may come back
    turn(layout, before)
    note(layout, "rolled back", release=current, to=before, reason="it was not complete")
    return [f"release {current} was not complete; current is {before}"]


def _remove_half_made(layout: Layout) -> list[str]:
    """Remove what has no final name, and incomplete environments."""
    half = [
        path
        for folder in (layout.prefix, layout.store, layout.packages, layout.releases)
        for path in _entries(folder)
        if path.name.startswith(".")
    ]
    half += [path for path in _entries(layout.packages) if not is_complete(layout, path.name)]
    return [f"removed {path.name}, which was incomplete" for path in half if remove_tree(path)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
