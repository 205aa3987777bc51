"""The units that the service manager runs, and why they allow what they allow."""

from __future__ import annotations

import grp
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.files import write_atomically
from edgeinfer.device.releases.layout import SERVICE, SETTLE, TRIAL, USER, Layout

GROUPS = ("video", "render", "plugdev", "gpio", "apex")
"""Groups whose members may open cameras, GPUs and accelerators on the usual systems."""
NODES = ("/dev/vcio", "/dev/vchiq", "/dev/galcore", "/dev/ethosu0", "/dev/mali0")
"""Devices without a class of their own that the loop uses where the board has them."""

_SERVICE = """\
# Written by edgeinfer; `releases.pyz setup` writes it anew.
[Unit]
Description=edgeinfer: a camera that answers
Wants={settle}
After={settle} network.target
ConditionPathExists={prefix}/current/run
StartLimitIntervalSec=0

[Service]
Type=notify
User={user}
Group={user}
SupplementaryGroups={groups}
ExecStart={prefix}/current/run
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=30
Restart=always
RestartSec=5
# A camera may take for ever to be there; the trial has a time limit of its own.
TimeoutStartSec=infinity
# The loop ends within 30 s by itself, whatever hangs.
TimeoutStopSec=40
RuntimeDirectory=edgeinfer
WorkingDirectory={prefix}/data
Environment=PYTHONDONTWRITEBYTECODE=1
# No line per frame in the journal, and no core dump on the card.
StandardOutput=null
StandardError=journal
LimitCORE=0
# Whoever is to read recordings joins the group, so UMask=0077 is not set.
UMask=0027

# What it may write: its data, its status, a /tmp of its own.
ProtectSystem=strict
ReadWritePaths={prefix}/data
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes

# What it may open: the devices of cameras and accelerators, through the SupplementaryGroups above
# and the DeviceAllow below. PrivateDevices would hide them all.
DevicePolicy=closed
{devices}

# What it may become: nothing but what it is.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes

# What it sees of the system. /proc/cpuinfo, meminfo and device-tree tell it what board this is, so
# ProcSubset=pid stays off. /sys, where heat and supply are read, can be read.
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes

# The network stays open (PrivateNetwork, IPAddressDeny): a network camera may be anywhere. AF_UNIX
# carries the service manager's notices, AF_NETLINK tells libusb, and so an Edge TPU's library, of
# devices.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

# Calls outside of these fail as for want of permission, they do not kill.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

# Left open on purpose. MemoryDenyWriteExecute: drivers of GPUs and NPUs, and older libffi, make
# code as they run. PrivateUsers: not every board's kernel has user namespaces. RootDirectory and
# RootImage: the package uses the system's Python.

[Install]
WantedBy=multi-user.target
"""

_DEVICES = (
    ("char-video4linux rw", "cameras"),
    ("char-media rw", "cameras on the ribbon cable"),
    ("char-dma_heap rw", "their pictures' memory"),
    ("char-usb_device rw", "an Edge TPU on USB"),
    ("char-apex rw", "an Edge TPU on PCIe"),
    ("char-drm rw", "GPUs"),
)

_SETTLE = """\
# Written by edgeinfer; `releases.pyz setup` writes it anew.
[Unit]
Description=edgeinfer: put right what a power cut left
Before={service}
ConditionPathExists={prefix}/releases.pyz

[Service]
Type=oneshot
# Once a boot: a restart of the service must not run it again.
RemainAfterExit=yes
ExecStart={agent} settle --boot
Environment=PYTHONDONTWRITEBYTECODE=1

[Install]
WantedBy=multi-user.target
"""

_TRIAL = """\
# Written by edgeinfer; `releases.pyz setup` writes it anew.
[Unit]
Description=edgeinfer: the trial of a release

[Service]
Type=oneshot
ExecStart={agent} trial
# When the trial died, the release that it tried is taken back.
ExecStopPost={agent} settle
TimeoutStartSec=infinity
Environment=PYTHONDONTWRITEBYTECODE=1
"""


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
        layout: where everything lies.
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
    names = {"service": SERVICE, "settle": SETTLE, "user": USER, "agent": agent}
    prefix = str(layout.prefix).replace("%", "%%")
    return {
        SERVICE: _SERVICE.format(
            prefix=prefix, groups=" ".join(groups), devices="\n".join(devices), **names
        ),
        SETTLE: _SETTLE.format(prefix=prefix, **names),
        TRIAL: _TRIAL.format(prefix=prefix, **names),
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
    if word and all(character.isalnum() or character in "-_./=+:,%$@" for character in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
