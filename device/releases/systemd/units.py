"""The units that the service manager runs."""

from __future__ import annotations

import grp
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.paths import SERVICE, SETTLE, TRIAL, USER, Layout
from edgeinfer.device.releases.systemd.unit_texts import (
    OWN_TEXT,
    SERVICE_TEXT,
    SETTLE_TEXT,
    TRIAL_TEXT,
)

GROUPS = ("video", "render", "plugdev", "gpio", "apex")
"""Groups whose members may open cameras, GPUs and accelerators on the usual systems."""
NODES = ("/dev/vcio", "/dev/vchiq", "/dev/galcore", "/dev/ethosu0", "/dev/mali0")
"""Devices without their own class that the loop uses where the board has them."""
MEMORY = "80%"
"""How much of the board's memory the loop may take, and a trial."""

_DEVICES = (
    ("char-video4linux rw", "cameras"),
    ("char-media rw", "cameras on the ribbon cable"),
    ("char-dma_heap rw", "their pictures' memory"),
    ("char-usb_device rw", "an Edge TPU on USB"),
    ("char-apex rw", "an Edge TPU on PCIe"),
    ("char-drm rw", "GPUs"),
)


def present_groups() -> list[str]:
    """Return those of `GROUPS` that this system has."""
    names = {group.gr_name for group in grp.getgrall()}
    return [name for name in GROUPS if name in names]


def unit_texts(
    layout: Layout,
    *,
    python: str = sys.executable,
    groups: Sequence[str] | None = None,
    nodes: Sequence[str] | None = None,
) -> dict[str, str]:
    """Return each unit's text by its name.

    Args:
        layout: where everything is.
        python: what runs the agent.
        groups: the service's further groups; None for those of `GROUPS` that are there.
        nodes: single devices that it may open; None for those of `NODES` that are there.
    """
    groups = present_groups() if groups is None else groups
    if nodes is None:
        nodes = [node for node in NODES if os.path.exists(node)]
    devices = [f"# {what}\nDeviceAllow={device}" for device, what in _DEVICES]
    devices += [f"DeviceAllow={node} rw" for node in nodes]
    words = [python, "-I", str(layout.agent), *layout.arguments()]
    agent = " ".join(_quoted(word) for word in words)
    prefix = str(layout.prefix).replace("%", "%%")
    writable = [layout.prefix, *([] if layout.run == Layout().run else [layout.run])]
    folders = [_escaped(str(path).replace("%", "%%")) for path in writable]
    names = {
        "service": SERVICE,
        "settle": SETTLE,
        "user": USER,
        "agent": agent,
        "prefix": prefix,
        "data": _escaped(f"{prefix}/data"),
        "groups": " ".join(groups),
        "devices": "\n".join(devices),
        "memory": MEMORY,
        "own": OWN_TEXT.format(writable=" ".join(folders)),
    }
    return {
        SERVICE: SERVICE_TEXT.format(**names),
        SETTLE: SETTLE_TEXT.format(**names),
        TRIAL: TRIAL_TEXT.format(**names),
    }


def write_units(layout: Layout, texts: dict[str, str]) -> list[str]:
    """Write the units that are not so already; return their names.

    Raises:
        StorageError: they cannot be written.
    """
    changed = []
    for name, text in texts.items():
        path = layout.units / name
        if _text(path) != text:
            write_atomically(path, text)
            changed.append(name)
    return changed


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def _quoted(word: str) -> str:
    """Return a word of a command line as systemd reads it."""
    word = word.replace("%", "%%").replace("$", "$$")
    return _escaped(word)


def _escaped(word: str) -> str:
    """Return a word that systemd reads as one, whatever is in it."""
    if word and all(character.isalnum() or character in "-_./=+:,%$@" for character in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
