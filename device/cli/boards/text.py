"""What `edgeinfer boards` prints: the list of boards, and one board."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edgeinfer.boards import BoardProfile, System
from edgeinfer.boards.matrix import system_json
from edgeinfer.device.accelerators.report import wrapped
from edgeinfer.device.core.errors import printable

_HEAD = ("machine", "cores", "memory, MiB", "accelerator", "systems")
_LABEL = 15


def list_lines(profiles: list[BoardProfile], added: Mapping[str, Path]) -> list[str]:
    """Return one row per board, as text.

    Args:
        profiles: the boards.
        added: the files of the boards that a user added, by name.
    """
    width = max(len(profile.name) for profile in profiles)
    lines = [
        f"{'boards':{width + 2}}  {_HEAD[0]:8}  {_HEAD[1]}  {_HEAD[2]}  {_HEAD[3]:17}  {_HEAD[4]}"
    ]
    for profile in profiles:
        cores = str(profile.cores) if profile.cores else "-"
        memory = f"{profile.memory_mib:,}" if profile.memory_mib else "-"
        usable = sum(bool(system.runtime) for system in profile.systems)
        lines.append(
            f"  {profile.name:{width}}  {profile.architecture:8}  {cores:>5}  {memory:>11}  "
            f"{_accelerator(profile):17}  {usable or '-':>7}"
        )
    files = [line for path in added.values() for line in wrapped(printable(f"  added: {path}"))]
    return [
        *lines,
        *files,
        "  show one: edgeinfer boards show NAME",
        "  which versions work together: edgeinfer boards matrix",
    ]


def list_json(profiles: list[BoardProfile]) -> dict[str, object]:
    """Return the boards by name, for programs; `board_json` has their systems."""
    return {
        profile.name: {
            "title": profile.title,
            "architecture": profile.architecture,
            "cores": profile.cores or None,
            "memory_mib": profile.memory_mib or None,
            "accelerator": profile.accelerator or None,
            "connection": profile.connection or None,
            "systems": [system.name for system in profile.systems if system.runtime],
        }
        for profile in profiles
    }


def _accelerator(profile: BoardProfile) -> str:
    if not profile.connection:
        return profile.accelerator or "-"
    return f"{profile.accelerator}, {profile.connection}"


def board_json(profile: BoardProfile) -> dict[str, object]:
    """Return everything about a board, for programs; what it does not have is null or empty."""
    return {
        "name": profile.name,
        "title": profile.title,
        "based_on": profile.based_on or None,
        "architecture": profile.architecture,
        "cores": profile.cores or None,
        "memory_mib": profile.memory_mib or None,
        "threads": profile.threads or None,
        "device_tree": list(profile.device_tree),
        "accelerator": profile.accelerator or None,
        "connection": profile.connection or None,
        "delegate": profile.delegate or None,
        "compiler": profile.compiler or None,
        "npu": profile.npu or None,
        "thermal": list(profile.thermal),
        "power": list(profile.power),
        "toolchain": profile.toolchain or None,
        "flash": list(profile.flash),
        "latencies": [dataclasses.asdict(latency) for latency in profile.latencies],
        "sources": list(profile.sources),
        "note": profile.note,
        "systems": [system_json(system) for system in profile.systems],
    }


def board_lines(profile: BoardProfile) -> list[str]:
    """Return everything about a board, as text."""
    lines = [f"{profile.name}: {profile.title}"]
    for label, text in _facts(profile):
        lines += _labelled(label, text)
    for system in profile.systems:
        lines += ["", *wrapped(printable(f"{system.name}: {_run_here(system)}"))]
        for label, text in _system_facts(system, profile):
            lines += _labelled(label, text)
    if profile.latencies:
        lines += ["", "published latencies, not measured by edgeinfer:"]
        for latency in profile.latencies:
            lines += _labelled(
                f"{latency.latency_ms:g} ms",
                f"{latency.model}, on the {_processor(latency.processor)}; {latency.source}",
            )
    return lines


def _facts(profile: BoardProfile) -> Iterator[tuple[str, str]]:
    parts = [profile.architecture]
    parts += [f"{profile.cores} cores"] * bool(profile.cores)
    parts += [f"{profile.memory_mib:,} MiB or more"] * bool(profile.memory_mib)
    threads = profile.threads
    parts += [f"{threads} interpreter thread{'s' * (threads > 1)}"] * bool(threads)
    yield "processor", ", ".join(parts)
    if profile.based_on:
        yield "based on", profile.based_on
    if profile.device_tree:
        yield "recognized by", " or ".join(f'"{text}"' for text in profile.device_tree)
    yield "accelerator", _accelerator(profile) if profile.accelerator else "none"
    if profile.delegate:
        yield "delegate", profile.delegate
    if profile.compiler:
        yield "compiler", profile.compiler + (f" for {profile.npu}" if profile.npu else "")
    if profile.thermal:
        yield "temperature", ", ".join(profile.thermal)
    if profile.power:
        yield "supply", ", ".join(profile.power)
    if profile.toolchain:
        yield "toolchain", f"boards/toolchains/{profile.toolchain}"
    if profile.flash:
        yield "flash", ", ".join(_flash(profile.name, profile.flash))
    if profile.note:
        yield "note", profile.note
    for source in profile.sources:
        yield "source", source


def _flash(name: str, ways: Iterable[str]) -> Iterator[str]:
    for way in ways:
        hosts = f": edgeinfer flash --board {name} --host USER@HOST X.edgebundle"
        yield way + (hosts if way == "ssh" else "")


def _run_here(system: System) -> str:
    return (
        f"tested, {system.ran}" if system.ran else "not tested, only known from its documentation"
    )


def _system_facts(system: System, profile: BoardProfile) -> Iterator[tuple[str, str]]:
    release = " ".join(text for text in (system.os_id, system.version_id) if text)
    glibc = f", glibc {system.glibc}" if system.glibc else ""
    yield "os-release", f"{release}, {system.architecture}{glibc}"
    carried = (
        f", too old: edgeinfer flash brings {system.python_carried}"
        if system.python_carried
        else ""
    )
    yield "Python", system.python + carried
    where = ", the system's own" if system.runtime_in_system else ""
    runtime = f"{system.runtime} {system.runtime_version}{where}" if system.runtime else "none"
    yield "runtime", runtime
    if profile.accelerator == "edgetpu":
        yield "libedgetpu", ", ".join(system.libedgetpu) or "none known"
    if system.packages:
        yield "needs", f"sudo apt install {' '.join(system.packages)}"
    if system.cameras:
        yield "cameras", ", ".join(system.cameras)
    if system.note:
        yield "note", system.note
    if system.test:
        yield "test", system.test
    told = system.sources
    corals = profile.accelerator == "edgetpu"
    for source in (told.system, told.runtime, told.libedgetpu * corals, told.cameras):
        if source:
            yield "source", source


def _labelled(label: str, text: str) -> list[str]:
    margin = " " * (_LABEL + 2)
    return wrapped(f"  {label:{_LABEL}}{printable(text)}", margin)


def _processor(name: str) -> str:
    return "CPU" if name == "cpu" else name
