"""Having the trial's service try a release; it goes on when the program that asked ends."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from edgeinfer.device.core.errors import EdgeinferError, ReleaseError, storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.disk import make_folder
from edgeinfer.device.releases.install.release import read_release
from edgeinfer.device.releases.lock import locked
from edgeinfer.device.releases.paths import TRIAL, Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager
from edgeinfer.device.releases.trial.outcome import read_outcome, write_outcome
from edgeinfer.device.releases.trial.trial import try_release
from edgeinfer.device.releases.untrusted_json import parse_json

_POLL_S = 0.3
_SETTLED_S = 10.0
"""How long an outcome may be missing after the service has ended."""
_LOCK_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be tried.

    Attributes:
        id: of this request; its outcome has it too.
        release: which release.
        frames: see `try_release`.
        seconds: see `try_release`.
    """

    id: str
    release: int
    frames: int
    seconds: float

    def to_json(self) -> dict[str, object]:
        """Return what is in the request's file."""
        return {
            "id": self.id,
            "release": self.release,
            "frames": self.frames,
            "seconds": self.seconds,
        }


def ask_for_trial(
    layout: Layout, manager: ServiceManager, number: int, *, frames: int, seconds: float
) -> dict[str, Any]:
    """Start the trial's service for a release, or join the trial that is under way; wait for it.

    Raises:
        ReleaseError: there is no such release, another one is on trial, or the trial died.
        StorageError: the request cannot be written.
    """
    read_release(layout, number)
    request = _under_way(layout, manager)
    if request is None:
        request = Request(id=secrets.token_hex(8), release=number, frames=frames, seconds=seconds)
        try:
            make_folder(layout.requests)
        except OSError as error:
            raise storage_error(layout.requests, error) from error
        write_atomically(layout.request, json.dumps(request.to_json()) + "\n")
        manager.start(TRIAL)
    elif request.release != number:
        raise ReleaseError(
            f"release {number}",
            got=f"release {request.release} is on trial",
            expected="one trial at a time",
            next_step="wait until it has ended",
        )
    return _wait(layout, manager, request)


def answer_request(layout: Layout, manager: ServiceManager) -> dict[str, Any]:
    """Try what was asked for, as the trial's service; leave the outcome for who waits.

    Raises:
        EdgeinferError: nothing was asked for, or the trial could not be held.
    """
    request = _read_request(layout)
    if request is None:
        raise ReleaseError("trial", got="nothing is to be tried", next_step="use `try NUMBER`")
    try:
        with locked(layout, f"trial {request.release}", wait_s=_LOCK_S):
            outcome = try_release(
                layout,
                request.release,
                manager,
                frames=request.frames,
                seconds=request.seconds,
                request=request.id,
            ).to_json()
    except EdgeinferError as error:
        write_outcome(layout, request.id, {"error": error.to_dict()})
        raise
    write_outcome(layout, request.id, outcome)
    return outcome


def _under_way(layout: Layout, manager: ServiceManager) -> Request | None:
    """Return what is being tried; None for nothing.

    The service ends a little after the outcome was reported, and its end is waited for: that trial
    is over, and one that is asked for now is another.
    """
    while _is_under_way(manager):
        request = _read_request(layout)
        if request is None or read_outcome(layout, request.id) is None:
            return request
        time.sleep(_POLL_S)
    return None


def _is_under_way(manager: ServiceManager) -> bool:
    return manager.show(TRIAL).active in ("activating", "deactivating")


def _read_request(layout: Layout) -> Request | None:
    try:
        record = parse_json(layout.request.read_text())
        return Request(
            id=str(record["id"]),
            release=int(record["release"]),
            frames=int(record["frames"]),
            seconds=float(record["seconds"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _wait(layout: Layout, manager: ServiceManager, request: Request) -> dict[str, Any]:
    ended_s: float | None = None
    started_s = time.monotonic()
    while (outcome := read_outcome(layout, request.id)) is None:
        if _is_under_way(manager):
            ended_s = None
        elif ended_s is None:
            ended_s = time.monotonic()
        elif time.monotonic() - max(ended_s, started_s) > _SETTLED_S:
            raise ReleaseError(
                f"the trial of release {request.release}",
                got="ended without an outcome",
                next_step=f"see `journalctl --unit {TRIAL}`",
            )
        time.sleep(_POLL_S)
    return outcome
