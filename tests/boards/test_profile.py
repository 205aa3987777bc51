from __future__ import annotations

import json
import math
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.boards import (
    BoardProfile,
    Latency,
    ProfileError,
    System,
    find_system,
    load_profile,
    profile_names,
)
from edgeinfer.boards.files import PROFILES
from edgeinfer.boards.matrix import matrix_lines
from edgeinfer.boards.profile import parse_profile
from edgeinfer.boards.systems import Sources
from edgeinfer.device.cli.boards.text import board_json, board_lines
from tests.support.checkout import ROOT

TOOLCHAINS = ROOT / "boards" / "toolchains"
OWN = profile_names(PROFILES)

GOOD: dict[str, Any] = {
    "title": "A board",
    "architecture": "aarch64",
    "cores": 4,
    "memory_mib": 512,
    "threads": 3,
    "device_tree": ["A board"],
}


EDGE_TPU = {"accelerator": "edgetpu", "delegate": "x.so", "compiler": "x"}
LATENCY: dict[str, Any] = {
    "model": "A model",
    "processor": "cpu",
    "latency_ms": 4.5,
    "source": "A document",
}
WHEELS = {
    ("tflite-runtime", "aarch64"): ("3.10", "3.11"),
    ("tflite-runtime", "armv7l"): ("3.10", "3.11"),
    ("ai-edge-litert", "aarch64"): ("3.10", "3.11", "3.12", "3.13"),
    ("ai-edge-litert", "x86_64"): ("3.10", "3.11", "3.12", "3.13"),
}
"""The Pythons that each runtime has wheels for, as the package index told (`pip download`)."""


def test_the_profiles_that_come_with_edgeinfer() -> None:
    assert OWN == (
        "coral-dev",
        "coral-dev-mini",
        "coral-usb",
        "generic-aarch64",
        "generic-armv7l",
        "generic-x86-64",
        "imx8mp",
        "imx93",
        "rpi-zero2w",
        "rpi-zero2w-coral-usb",
        "rpi3",
        "rpi3-coral-usb",
        "rpi4",
        "rpi4-coral-usb",
        "rpi5",
        "rpi5-coral-pcie",
        "rpi5-coral-usb",
    )


@pytest.mark.parametrize("path", sorted(PROFILES.iterdir()), ids=lambda path: path.name)
def test_every_profile_reads_and_keeps_the_rules(path: Path) -> None:
    assert path.suffix == ".toml"
    profile = load_profile(path.stem)
    assert profile.name == path.stem
    # What is plugged in has no processor, and the device tree does not name it.
    generic = path.stem.startswith("generic-") or path.stem == "coral-usb"
    plugged = profile.connection in ("usb", "pcie")
    assert (generic or plugged) == (profile.device_tree == ())
    assert generic == (profile.cores == 0) == (profile.memory_mib == 0) == (profile.threads == 0)
    if not generic:
        assert profile.threads == max(1, profile.cores - 1)
    if profile.name == "coral-usb":
        assert profile.systems == ()
        return
    assert profile.flash == ("ssh",)
    assert (TOOLCHAINS / profile.toolchain).is_file()
    assert profile.thermal
    assert any(system.runtime for system in profile.systems)
    for system in profile.systems:
        assert not system.test or (ROOT / system.test).is_file()
        found = find_system(profile, system.os_id, system.version_id, system.architecture)
        assert found == system
        assert system.architecture in (profile.architecture, "armv7l")
        if system.runtime and not system.runtime_in_system:
            assert system.environment_python in WHEELS[system.runtime, system.architecture]


def test_nothing_is_said_to_have_run_on_a_board() -> None:
    """Only in emulated userlands and machines, and on the machine that the tests run on."""
    systems = {system for name in OWN for system in load_profile(name).systems}
    ran = {system for system in systems if system.ran}
    assert {(system.ran, system.test) for system in ran} <= {
        ("qemu-user", "tests/system/emulated/test_emulate.py"),
        ("qemu-user", "tests/system/emulated/test_emulated.py"),
        ("virtual machine", "tests/system/virtual_pi/test_whole_path.py"),
        ("natively", "tests/system/test_base_install.py"),
    }
    assert not [system.name for system in ran if system.os_id not in ("debian", "raspbian")]


def test_what_is_to_be_done_on_mendel_is_said() -> None:
    (system,) = load_profile("coral-dev").systems
    assert find_system(load_profile("coral-dev"), "mendel", "", "arm64") == system
    assert (system.python, system.environment_python) == ("3.7", "3.10")
    assert (system.glibc, system.runtime_version) == ("2.28", "2.13.0")
    assert not system.meets_requirements
    assert system.note.startswith("Not run on the hardware.")


@pytest.mark.parametrize(
    ("os_id", "version_id", "architecture", "runtime"),
    [
        ("debian", "12", "aarch64", "tflite-runtime"),
        ("debian", "13", "arm64", "ai-edge-litert"),
        ("raspbian", "12", "armv7l", "tflite-runtime"),
        ("raspbian", "12", "armhf", "tflite-runtime"),
        ("raspbian", "13", "armv8l", ""),
        ("debian", "12", "armv7l", None),
        ("debian", "11", "aarch64", None),
        ("", "", "", None),
    ],
)
def test_systems_are_found(
    os_id: str, version_id: str, architecture: str, runtime: str | None
) -> None:
    system = find_system(load_profile("rpi3-coral-usb"), os_id, version_id, architecture)
    assert (None if system is None else system.runtime) == runtime


def test_which_boards_have_an_accelerator() -> None:
    found = {name for name in OWN if load_profile(name).accelerator}
    plugged = {name for name in found if load_profile(name).connection in ("usb", "pcie")}
    assert found - plugged == {"coral-dev", "coral-dev-mini", "imx8mp", "imx93"}
    assert plugged == {"coral-usb"} | {name for name in OWN if "-coral-" in name} - {
        "coral-dev-mini"
    }
    usb = load_profile("coral-usb")
    assert (usb.accelerator, usb.delegate, usb.compiler) == (
        "edgetpu",
        "libedgetpu.so.1",
        "edgetpu_compiler",
    )


def test_boards_with_an_npu() -> None:
    plus, nine = load_profile("imx8mp"), load_profile("imx93")
    assert (plus.accelerator, plus.delegate, plus.compiler, plus.npu) == (
        "vx",
        "libvx_delegate.so",
        "",
        "",
    )
    assert (nine.accelerator, nine.delegate, nine.compiler, nine.npu) == (
        "ethos-u",
        "libethosu_delegate.so",
        "vela",
        "ethos-u65-256",
    )


def test_no_text_belongs_to_two_boards() -> None:
    texts = [text for name in OWN for text in load_profile(name).device_tree]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(
    ("cores", "threads", "found", "expected"),
    [(4, 3, 8, 3), (4, 0, 8, 3), (1, 0, 8, 1), (0, 0, 8, 7), (0, 0, 1, 1), (0, 0, None, 1)],
)
def test_threads_by_the_rule(
    cores: int, threads: int, found: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: found)
    profile = BoardProfile(name="b", title="B", architecture="x", cores=cores, threads=threads)
    assert profile.thread_count() == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "an unknown key 'colour', expected only"),
        ({"name": "other"}, "unknown key 'name'"),
        ({"cores": "4"}, 'cores: "4", expected a whole number'),
        ({"cores": True}, "cores: true, expected a whole number"),
        ({"cores": 4.0}, "cores: 4.0, expected a whole number"),
        ({"cores": -1}, "cores is -1, expected 0 to"),
        ({"threads": 5}, "threads is 5, expected 0 to 4"),
        ({"memory_mib": 2**40}, "memory_mib is"),
        ({"title": " "}, "title is ' ', expected text"),
        ({"title": "a\nb"}, "title is"),
        ({"architecture": ""}, "architecture is"),
        ({"device_tree": "A board"}, 'device_tree: "A board", expected a list'),
        ({"device_tree": [1]}, "device_tree[0]: 1, expected text"),
        ({"device_tree": [""]}, "device_tree holds an empty text"),
        ({"accelerator": "abacus"}, "accelerator is 'abacus', expected one of"),
        ({"accelerator": "edgetpu"}, "delegate is '', expected a file name"),
        ({"delegate": "libedgetpu.so.1"}, "delegate is 'libedgetpu.so.1', expected none"),
        ({"accelerator": "vx", "delegate": "x.so", "compiler": "x"}, "compiler is 'x', expected n"),
        ({"accelerator": "vx", "delegate": "x.so", "npu": "u"}, "npu is 'u', expected none"),
        (
            {"accelerator": "ethos-u", "delegate": "x.so", "compiler": "vela"},
            "npu is '', expected a configuration's name",
        ),
        ({"accelerator": "edgetpu", "delegate": "x.so"}, "compiler is '', expected a file name"),
        (
            {"accelerator": "edgetpu", "delegate": "/x.so", "compiler": "x"},
            "delegate is '/x.so', expected a file name",
        ),
        ({"accelerator": 1}, "accelerator: 1, expected text"),
        ({"connection": "usb"}, "connection is 'usb', expected an accelerator too"),
        (EDGE_TPU | {"connection": "isa"}, "connection has 'isa', expected only"),
        ({"thermal": ["finger"]}, "thermal has 'finger', expected only"),
        ({"power": ["x"]}, "power has 'x', expected only"),
        ({"flash": ["ssh", "ssh"]}, "expected each once"),
        ({"toolchain": "../x.cmake"}, "toolchain is '../x.cmake', expected a file name"),
        ({"sources": [" "]}, "sources is ' ', expected text"),
        ({"note": "a\tb"}, "note is 'a\\tb', expected text"),
        ({"latencies": [LATENCY | {"latency_ms": 0}]}, "latencies[0]: latency_ms is 0.0, expected"),
        (
            {"latencies": [LATENCY | {"latency_ms": math.nan}]},
            "latencies[0].latency_ms: NaN",
        ),
        ({"latencies": [LATENCY | {"latency_ms": True}]}, "latency_ms: true, expected a finite"),
        ({"latencies": [LATENCY | {"source": ""}]}, "latencies[0]: source is '', expected text"),
        ({"latencies": [LATENCY | {"processor": "edgetpu"}]}, "which is not on this board"),
        ({"latencies": {}}, "latencies: {}, expected a list"),
        ({"latencies": [1]}, "latencies[0]: 1, expected an object"),
    ],
)
def test_what_is_unknown_or_impossible_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_profile("a-board", GOOD | change)


@pytest.mark.parametrize("key", ["title", "architecture"])
def test_what_is_needed_must_be_there(key: str) -> None:
    with pytest.raises(ValueError, match=f"no key '{key}'"):
        parse_profile("a-board", {name: item for name, item in GOOD.items() if name != key})


@pytest.mark.parametrize("name", ["", "A", "a_b", "../etc", "a--b", "-a"])
def test_names_are_file_names(name: str) -> None:
    with pytest.raises(ValueError, match="name is"):
        parse_profile(name, GOOD)


TEXTS = st.text(max_size=9)
SCALARS = st.one_of(st.none(), st.integers(), st.booleans(), st.floats(), TEXTS)
KEYS = sorted(
    field.name for kind in (BoardProfile, System, Latency, Sources) for field in fields(kind)
)
TABLES = st.dictionaries(st.one_of(st.sampled_from(KEYS), TEXTS), SCALARS, max_size=6)
VALUES = st.one_of(SCALARS, TABLES, st.lists(st.one_of(SCALARS, TABLES), max_size=3))


@given(content=st.dictionaries(st.one_of(st.sampled_from(KEYS), TEXTS), VALUES))
def test_whatever_a_document_says_only_value_errors_come(content: dict[str, Any]) -> None:
    try:
        profile = parse_profile("a-board", GOOD | content)
    except ValueError:
        return
    assert profile.thread_count() >= 1
    assert find_system(profile, "debian", "12", "aarch64") in (None, *profile.systems)
    assert matrix_lines([profile])
    assert json.dumps(board_json(profile))
    assert all(line.isprintable() for line in board_lines(profile))


@pytest.mark.parametrize("content", [b"title = ", b"\xff\xfe", b"[title]\n", b"a = 1\na = 2\n"])
def test_a_bad_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(ProfileError, match=r"bad\.toml: "):
        load_profile("bad", tmp_path)


def test_an_absent_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"absent\.toml: cannot be read"):
        load_profile("absent", tmp_path)
