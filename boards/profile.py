"""Board profiles: one TOML file a board, read strictly; files.py finds them.

A file that says something that no `BoardProfile` has, or something impossible, is refused: a
misspelt key would otherwise be a setting that silently does nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeinfer.boards.schema import (
    SchemaError,
    build,
    refuse_unless_among,
    refuse_unless_match,
    refuse_unless_text,
    shown,
)
from edgeinfer.boards.systems import System, same_architecture
from edgeinfer.boards.threads import thread_rule

ACCELERATORS = ("", "edgetpu", "ethos-u", "vx")
"""What a profile may name as its accelerator; empty for none. More are those that other
packages bring: see `edgeinfer.device.accelerators.registry`."""

_OF_NO_BOARD = ("gpu",)
"""Many machines have one, and no profile names it."""

COMPILED = ("edgetpu", "ethos-u")
"""Those that models are compiled for on a workstation; others compile as they load a model."""

CONFIGURED = ("ethos-u",)
"""Those that come in several configurations, of which a profile names one."""

CONNECTIONS = ("usb", "pcie", "built-in")
"""How an accelerator is connected."""

THERMAL = ("thermal-zone", "hwmon", "apex")
"""Where the temperature is read: see `edgeinfer.device.loop.supervision.temperatures`."""

POWER = ("raspberry-pi-firmware",)
"""What reports a weak supply: see `edgeinfer.device.loop.supervision.rpi_firmware`."""

FLASH = ("ssh", "card")
"""The ways in which edgeinfer may come onto a board."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILE = re.compile(r"[\w.-]+", re.ASCII)
MOST_CHARACTERS = 2000
"""Of one text: far above any that a profile needs."""

_MOST_CORES = 1024
_MOST_MEMORY_MIB = 2**24
_MOST_MS = 1e6


def is_accelerator(name: str) -> bool:
    """Return whether a package that is installed brings an accelerator of that name."""
    if name in (*ACCELERATORS[1:], *_OF_NO_BOARD):
        return name not in _OF_NO_BOARD
    from importlib import metadata  # it looks through all that is installed

    return bool(metadata.entry_points(group="edgeinfer.accelerators", name=name))


class ProfileError(ValueError):
    """A profile is absent, is not TOML, or says something unknown or impossible."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long one inference takes, as somebody published it: not measured here.

    Attributes:
        model: which model, with its input's size.
        processor: what computes: `cpu`, or the board's accelerator.
        latency_ms: the time of one inference, milliseconds.
        source: the document's title and address.
    """

    model: str
    processor: str
    latency_ms: float
    source: str

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for field, text in (("model", self.model), ("source", self.source)):
            refuse_unless_text(field, text)
        if not is_accelerator(self.processor):
            refuse_unless_among("processor", (self.processor,), ("cpu", *ACCELERATORS[1:]))
        if not (math.isfinite(self.latency_ms) and 0 < self.latency_ms <= _MOST_MS):
            raise ValueError(f"latency_ms is {self.latency_ms}, expected above 0")


@dataclass(frozen=True, kw_only=True)
class BoardProfile:
    """A board.

    The thread counts follow one rule and have not been measured on the boards; `edgeinfer
    benchmark` compares them with others on the machine where it runs.

    Attributes:
        name: the file's name without its suffix: small letters, digits and hyphens.
        title: what people call the board.
        architecture: as `platform.machine()` names it under a 64-bit system: `aarch64`, ...
        cores: processor cores; 0 for a generic profile, where the system is asked.
        memory_mib: main memory, MiB, of the smallest model sold; 0 for a generic profile.
        threads: interpreter threads; 0 means by the rule, see `thread_count`.
        device_tree: how the board is recognised: texts with which `/proc/device-tree/model` may
            begin; none for a generic profile.
        accelerator: what computes in addition to the processor, which decides the rules for
            operators: a name of `ACCELERATORS`; empty where there is none.
        delegate: the library through which a runtime uses it.
        compiler: the program that prepares models for it; empty where none does.
        npu: its configuration, such as `ethos-u65-256`, as its compiler names it; empty where
            there is only one.
        connection: how the accelerator is connected: a name of `CONNECTIONS`.
        based_on: the board whose profile this one begins with; a file states only what differs.
            The title, `device_tree`, `latencies` and `note` are always a file's own.
        systems: the releases of operating systems that it is known to run, the most usual first.
        thermal: where its temperature is read: names of `THERMAL`.
        power: what reports a weak supply: names of `POWER`.
        toolchain: the CMake toolchain file in boards/toolchains for its 64-bit userland.
        flash: how edgeinfer comes onto it: names of `FLASH`.
        latencies: published ones.
        sources: where the processor, the memory and the device tree's name were read.
        note: what else a user must know; a file's own, too.
    """

    name: str
    title: str
    architecture: str
    cores: int = 0
    memory_mib: int = 0
    threads: int = 0
    device_tree: tuple[str, ...] = ()
    accelerator: str = ""
    delegate: str = ""
    compiler: str = ""
    npu: str = ""
    connection: str = ""
    based_on: str = ""
    systems: tuple[System, ...] = ()
    thermal: tuple[str, ...] = ()
    power: tuple[str, ...] = ()
    toolchain: str = ""
    flash: tuple[str, ...] = ()
    latencies: tuple[Latency, ...] = ()
    sources: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        refuse_unless_match("name", self.name, _NAME, "small letters, digits and hyphens")
        for field, text in (("title", self.title), ("architecture", self.architecture)):
            refuse_unless_text(field, text)
        for field, value, most in (
            ("cores", self.cores, _MOST_CORES),
            ("memory_mib", self.memory_mib, _MOST_MEMORY_MIB),
            ("threads", self.threads, self.cores or _MOST_CORES),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"{field} is {value}, expected 0 to {most}")
        if any(not text.strip() for text in self.device_tree):
            raise ValueError("device_tree holds an empty text, which every board begins with")
        refuse_unless_among("thermal", self.thermal, THERMAL)
        refuse_unless_among("power", self.power, POWER)
        refuse_unless_among("flash", self.flash, FLASH)
        if self.toolchain:
            refuse_unless_match("toolchain", self.toolchain, _FILE, "a file name")
        for field, texts in (("sources", self.sources), ("note", (self.note,) * bool(self.note))):
            for text in texts:
                refuse_unless_text(field, text)
        self._refuse_accelerator()
        self._refuse_systems()

    def _refuse_accelerator(self) -> None:
        if self.accelerator and not is_accelerator(self.accelerator):
            raise ValueError(
                f"accelerator is {shown(self.accelerator)}, expected one of {ACCELERATORS}"
            )
        others = self.accelerator not in ACCELERATORS  # their packages know what they need
        for field, text, needed, what in (
            ("delegate", self.delegate, bool(self.accelerator), "a file name"),
            ("compiler", self.compiler, self.accelerator in COMPILED, "a file name"),
            ("npu", self.npu, self.accelerator in CONFIGURED, "a configuration's name"),
        ):
            if (needed or (text and others)) and not _FILE.fullmatch(text):
                raise ValueError(f"{field} is {shown(text)}, expected {what}")
            if text and not needed and not others:
                raise ValueError(f"{field} is {shown(text)}, expected none for this accelerator")
        if self.connection:
            refuse_unless_among("connection", (self.connection,), CONNECTIONS)
            if not self.accelerator:
                raise ValueError(
                    f"connection is {shown(self.connection)}, expected an accelerator too"
                )
        for latency in self.latencies:
            if latency.processor not in ("cpu", self.accelerator):
                raise ValueError(f"latencies name {latency.processor}, which is not on this board")

    def _refuse_systems(self) -> None:
        seen = [(system.os_id, system.version_id, system.architecture) for system in self.systems]
        for key in seen:
            if seen.count(key) > 1:
                raise ValueError(f"systems state {' '.join(key)} twice, expected each once")

    def thread_count(self) -> int:
        """Return the interpreter threads to use, 1 or more.

        Where the profile states no number, by `thread_rule` from its cores.
        """
        return self.threads or thread_rule(self.cores)


def parse_profile(name: str, content: Mapping[str, Any]) -> BoardProfile:
    """Build a profile from its name and a TOML document, with what it is based on filled in.

    Raises:
        ValueError: a key is not known or missing, or a value is of another type or impossible.
    """
    if "name" in content:
        raise SchemaError("", got="an unknown key 'name'", expected="the file's own name alone")
    return build(BoardProfile, {**content, "name": name}, most_characters=MOST_CHARACTERS)


def find_system(
    profile: BoardProfile, os_id: str, version_id: str, architecture: str
) -> System | None:
    """Return what is known of a board's operating system; None where it is none of the profile's.

    Args:
        profile: the board's.
        os_id: `ID` in its /etc/os-release.
        version_id: `VERSION_ID` there; empty where there is none.
        architecture: of the userland, by any of its names (`aarch64`, `arm64`).
    """
    for system in profile.systems:
        named = (system.os_id, system.version_id) == (os_id, version_id)
        if named and same_architecture(system.architecture, architecture):
            return system
    return None
