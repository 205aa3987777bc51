"""`trial.json`: there while the current release is on trial."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.disk import remove_file, replace_link
from edgeinfer.device.releases.history import now_text
from edgeinfer.device.releases.paths import SERVICE, Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager
from edgeinfer.device.releases.untrusted_json import parse_json


@dataclass(frozen=True, kw_only=True)
class TrialFile:
    """What is on trial.

    Attributes:
        release: its number.
        previous: what runs again if it fails; None for nothing.
        began: when, by the wall clock, for people.
        id: of the request that it answers.
    """

    release: int
    previous: int | None
    began: str
    id: str = ""

    def to_json(self) -> dict[str, object]:
        """Return what is in the file."""
        return {
            "release": self.release,
            "previous": self.previous,
            "began": self.began,
            "id": self.id,
        }


def read_trial(layout: Layout) -> TrialFile | None:
    """Return what is on trial; None for nothing, also where the file cannot be read."""
    try:
        record = parse_json(layout.trial.read_text())
        previous = record["previous"]
        return TrialFile(
            release=int(record["release"]),
            previous=None if previous is None else int(previous),
            began=str(record["began"]),
            id=str(record.get("id", "")),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def begin(layout: Layout, release: int, *, previous: int | None, request: str) -> TrialFile:
    """Say that a release is on trial, then let `current` lead to it.

    Raises:
        OSError: it cannot be written; the old release is current.
    """
    trial = TrialFile(release=release, previous=previous, began=now_text(), id=request)
    write_atomically(layout.trial, json.dumps(trial.to_json()) + "\n")
    turn(layout, release)
    return trial


def confirm(layout: Layout, trial: TrialFile) -> None:
    """Keep the release: from here on the board stays with it."""
    remove_file(layout.trial)
    if trial.previous is not None and trial.previous != trial.release:
        replace_link(layout.previous, f"releases/{trial.previous}")


def take_back(layout: Layout, previous: int | None, manager: ServiceManager | None) -> None:
    """Let `current` lead to the previous release, or nowhere, and run that; the trial is over.

    The file goes last: what is interrupted before is done again by `settle`.

    Args:
        layout: where.
        previous: what is to be current.
        manager: runs it; None where the service is started later anyway.
    """
    turn(layout, previous)
    if manager is not None:
        with suppress(EdgeinferError):  # it will start what is current when it can
            if previous is None:
                manager.stop(SERVICE)
            else:
                manager.restart(SERVICE)
    remove_file(layout.trial)


def turn(layout: Layout, release: int | None) -> None:
    """Let `current` lead to a release, or nowhere."""
    if release is None:
        remove_file(layout.current)
    elif layout.linked(layout.current) != release:
        replace_link(layout.current, f"releases/{release}")
