"""The trial of a release: verified, switched to, watched; then kept or taken back."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeinfer.device.core.errors import EdgeinferError, ReleaseError
from edgeinfer.device.releases.history import note
from edgeinfer.device.releases.install.collect import collect
from edgeinfer.device.releases.install.release import Release, check_bundle, is_usable, read_release
from edgeinfer.device.releases.paths import SERVICE, Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager
from edgeinfer.device.releases.trial.health import FRESH_S, HealthWatch, is_healthy
from edgeinfer.device.releases.trial.outcome import Outcome
from edgeinfer.device.releases.trial.recover import settle
from edgeinfer.device.releases.trial.status import read_status, whole
from edgeinfer.device.releases.trial.verify import verify
from edgeinfer.device.releases.trial_file import TrialFile, begin, confirm, take_back

POLL_S = 0.5

Verify = Callable[[Layout, Release], str]


def try_release(
    layout: Layout,
    number: int,
    manager: ServiceManager,
    *,
    frames: int = 30,
    seconds: float = 120.0,
    request: str = "",
    verify: Verify = verify,
    poll_s: float = POLL_S,
) -> Outcome:
    """Try a release, under the lock.

    Args:
        layout: where.
        number: which release.
        manager: runs the service.
        frames: how many answers its process has to give.
        seconds: how long starting and answering may take.
        request: the id under which the outcome is asked for.
        verify: replays the golden frames; returns why it fails, or "".
        poll_s: how often it is looked.

    Raises:
        ReleaseError: there is no such release.
        StorageError: the disk is full, or fails.
    """
    settle(layout, manager)  # what an earlier one left
    began_s = time.monotonic()
    release = read_release(layout, number)
    current = layout.linked(layout.current)
    service, status = manager.show(SERVICE), read_status(layout.status)
    if current == number and is_healthy(service, status):
        return Outcome(
            release=number,
            outcome="already current and healthy",
            answers=whole(status, "answers"),
            last=None if status is None else status.get("last"),
            current=current,
        )
    reason = _refusal(layout, release, verify)
    if reason:
        note(layout, "refused", release=number, reason=reason)
        return Outcome(
            release=number,
            outcome="refused",
            reason=reason,
            seconds=time.monotonic() - began_s,
            current=current,
        )
    trial = begin(layout, number, previous=current, request=request)
    note(layout, "tried", release=number, previous=current)
    reason, watch = _watch(layout, manager, frames=frames, seconds=seconds, poll_s=poll_s)
    status = read_status(layout.status)
    last = status.get("last") if status is not None and watch.answers else None
    if not reason:
        _keep(layout, trial)
    else:
        _give_up(layout, manager, trial, reason=reason)
    return Outcome(
        release=number,
        outcome=(
            "confirmed" if not reason else "not healthy" if current == number else "rolled back"
        ),
        reason=reason,
        answers=watch.answers,
        last=last,
        seconds=time.monotonic() - began_s,
        current=layout.linked(layout.current),
    )


def _refusal(layout: Layout, release: Release, verify: Verify) -> str:
    """Return why a release is not even tried, or ""."""
    if not is_usable(layout, release.number):
        return "it is not complete; install it again"
    try:
        check_bundle(layout, release)
    except ReleaseError as error:
        return str(error)
    return verify(layout, release)


def _watch(
    layout: Layout, manager: ServiceManager, *, frames: int, seconds: float, poll_s: float
) -> tuple[str, HealthWatch]:
    """Start the service and watch it; return why it is not healthy, or "", and what was seen."""
    before = manager.show(SERVICE)
    watch = HealthWatch(frames, before)
    deadline_s = time.monotonic() + seconds
    try:
        manager.restart(SERVICE)
        while not watch.look(service := manager.show(SERVICE), read_status(layout.status)):
            if watch.failure:
                return _with_last_words(watch.failure, manager, watch), watch
            if time.monotonic() >= deadline_s:
                return _with_last_words(watch.too_late(service, seconds), manager, watch), watch
            time.sleep(poll_s)
    except EdgeinferError as error:  # the service manager's: as good as a failed start
        return str(error), watch
    return "", watch


def _with_last_words(reason: str, manager: ServiceManager, watch: HealthWatch) -> str:
    """Add to a reason what the loop said last."""
    words = manager.last_words(watch.invocation)
    return f"{reason}: {words}" if words else reason


def _keep(layout: Layout, trial: TrialFile) -> None:
    confirm(layout, trial)
    note(layout, "confirmed", release=trial.release)
    collect(layout)


def _give_up(layout: Layout, manager: ServiceManager, trial: TrialFile, *, reason: str) -> None:
    """Go back to what ran before, and see whether it answers."""
    note(layout, "rolled back", release=trial.release, to=trial.previous, reason=reason)
    take_back(layout, trial.previous, None if trial.previous == trial.release else manager)
    if trial.previous in (None, trial.release):
        return
    # The user wants to know that the old one answers again, as long as that takes no longer
    # than it may be silent.
    deadline_s = time.monotonic() + 3 * FRESH_S
    while time.monotonic() < deadline_s:
        if is_healthy(manager.show(SERVICE), read_status(layout.status)):
            return
        time.sleep(POLL_S)
