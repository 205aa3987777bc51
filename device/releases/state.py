"""What is on the board."""

from __future__ import annotations

import os

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.releases.disk import free_bytes
from edgeinfer.device.releases.history import read_history
from edgeinfer.device.releases.install.environment import is_complete
from edgeinfer.device.releases.install.release import is_usable, read_releases
from edgeinfer.device.releases.install.store import file_sha256, stored_sizes
from edgeinfer.device.releases.pack_agent import VERSION
from edgeinfer.device.releases.paths import SERVICE, Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager
from edgeinfer.device.releases.trial.status import read_status
from edgeinfer.device.releases.trial_file import read_trial

_LAST_EVENTS = 10


def read_state(layout: Layout, manager: ServiceManager) -> dict[str, object]:
    """Return what is installed, what runs and how it is; changes nothing, needs no lock."""
    trial = read_trial(layout)
    current, previous = layout.linked(layout.current), layout.linked(layout.previous)
    packages = [path.name for path in _entries(layout) if is_complete(layout, path.name)]
    return {
        "schema": 1,
        "agent": VERSION,
        "agent_sha256": file_sha256(layout.agent) if layout.agent.is_file() else None,
        "set_up": layout.setup.is_file(),
        "current": current,
        "previous": None if previous == current or not is_usable(layout, previous) else previous,
        "trial": None if trial is None else trial.to_json(),
        "releases": {
            str(number): {**release.to_json(), "whole": is_usable(layout, number)}
            for number, release in read_releases(layout).items()
        },
        "store": stored_sizes(layout),
        "packages": packages,
        "history": read_history(layout)[-_LAST_EVENTS:],
        "service": _service(manager),
        "status": read_status(layout.status),
        "free_bytes": free_bytes(layout.prefix),
    }


def _entries(layout: Layout) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(layout.packages), key=lambda entry: entry.name)
    except OSError:
        return []


def _service(manager: ServiceManager) -> dict[str, object]:
    try:
        service = manager.show(SERVICE)
    except EdgeinferError as error:
        return {"active": "unknown", "restarts": 0, "pid": None, "reason": str(error)}
    return {
        "active": service.active,
        "sub": service.sub,
        "restarts": service.restarts,
        "pid": service.pid or None,
    }
