"""A board's facts, as tests vary them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgeinfer.host.flashing.board.facts import BoardFacts

NOW_S = 1_800_000_000.0
PI = BoardFacts(
    machine="aarch64",
    architecture="aarch64",
    os_id="debian",
    os_version="12",
    os_name="Debian GNU/Linux 12 (bookworm)",
    model="Raspberry Pi 4 Model B Rev 1.4",
    python="/usr/bin/python3",
    python_version=(3, 11, 2),
    glibc=(2, 36),
    venv=True,
    modules=("picamera2",),
    free_bytes=8_000_000_000,
    writable=True,
    clock_s=NOW_S,
    systemd=252,
    systemd_runs=True,
    groups=("pi", "video"),
    sudo="free",
    unsafe="",
    has_prefix=False,
    pythons=(),
    agent_sha256="",
)


def pi(**changes: Any) -> BoardFacts:
    """Return a Raspberry Pi 4 under 64-bit Bookworm, except for the changes."""
    return replace(PI, **changes)
