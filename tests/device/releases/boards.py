"""Boards that are folders, and a service manager that replaces systemd."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.releases.disk import make_folder
from edgeinfer.device.releases.install.release import Release, install
from edgeinfer.device.releases.install.spec import ReleaseSpec, Wheel
from edgeinfer.device.releases.install.store import receive
from edgeinfer.device.releases.lock import locked
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.systemd.manager import ServiceManager, ServiceState

PIP = b"a wheel of pip, which nothing needs where there are no other wheels"


class FakeManager(ServiceManager):
    """A service whose loop answers immediately, or never.

    It writes the status that `--output status:FILE` would.

    Args:
        layout: the board.
        silent: the release whose loop never answers.
    """

    def __init__(self, layout: Layout, *, silent: int | None = None) -> None:
        self._layout = layout
        self._silent = silent
        self.state = ServiceState()
        self.calls: list[str] = []

    def show(self, unit: str) -> ServiceState:
        return self.state

    def start(self, unit: str) -> None:
        self.restart(unit)

    def restart(self, unit: str) -> None:
        release = self._layout.linked(self._layout.current)
        self.calls.append(f"restart {release}")
        self.state = replace(
            self.state, active="active", sub="running", pid=77, invocation=os.urandom(4).hex()
        )
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        told = {
            "pid": 77,
            "answers": 0 if release == self._silent else 1000,
            "updated": now_s,
            "last": {"label": "Bag"},
        }
        self._layout.status.parent.mkdir(parents=True, exist_ok=True)
        self._layout.status.write_text(json.dumps(told))

    def stop(self, unit: str) -> None:
        self.calls.append("stop")
        self.state = ServiceState()
        self._layout.status.unlink(missing_ok=True)

    def last_words(self, invocation: str) -> str:
        return "the camera was unplugged" if invocation else ""


def make_board(folder: Path) -> Layout:
    """Return an empty board, set up."""
    layout = Layout(prefix=folder / "board", run=folder / "run", units=folder / "units")
    for path in (layout.run, layout.units, layout.prefix):
        path.mkdir(parents=True)
    for path in (layout.store, layout.packages, layout.releases, layout.data):
        make_folder(path)
    return layout


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bare_spec(bundle: bytes, *run: str, system_site_packages: bool = False) -> ReleaseSpec:
    """Return a release without wheels, whose environment is made in a moment."""
    return ReleaseSpec(
        name="test",
        bundle=sha256_of(bundle),
        wheels=(),
        pip=Wheel(name="pip-1-py3-none-any.whl", sha256=sha256_of(PIP)),
        python=sys.executable,
        system_site_packages=system_site_packages,
        run=run,
        verify_timeout_s=10.0,
    )


def install_bare(layout: Layout, bundle: bytes, *run: str) -> int:
    """Install a release without wheels; return its number."""
    for content in (bundle, PIP):
        receive(layout, sha256_of(content), len(content), io.BytesIO(content))
    with locked(layout, "install") as lock:
        return install(layout, bare_spec(bundle, *run), lock)[0]


def verifies(layout: Layout, release: Release) -> str:
    return ""
