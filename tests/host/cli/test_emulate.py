"""`edgeinfer boards emulate`: what is refused before anything is downloaded."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edgeinfer.host.cli.emulate import _for_people
from edgeinfer.host.emulation.run_bundle import EmulationResult
from tests.support.program import edgeinfer, error_line

not_here = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="a Raspberry Pi is not emulated on ARM"
)


def result(**fields: object) -> EmulationResult:
    given: dict[str, object] = {
        "board": "rpi4",
        "system": "Raspberry Pi OS 13 (Trixie), 64-bit",
        "cpu": "cortex-a72",
        "emulator": "qemu 10.0.13",
        "runtime": "ai-edge-litert 2.3.0",
        "verified": True,
        **fields,
    }
    return EmulationResult(**given)  # type: ignore[arg-type]


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing in the caches, and no connection to fill them."""
    return {
        "XDG_CACHE_HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
    }


def test_it_is_among_the_boards_commands() -> None:
    assert "emulate" in edgeinfer("boards", "--help").stdout
    assert "under qemu-user" in edgeinfer("boards", "emulate", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["nosuch", "BUNDLE"], 2, "board nosuch: is not a known board, expected one of coral-dev"),
        pytest.param(
            ["generic-x86-64", "BUNDLE"], 2, "programs already run here, expected", marks=not_here
        ),
        (["imx8mp", "BUNDLE"], 1, "cannot be emulated"),
        pytest.param(
            ["rpi4", "/none.edgebundle"], 1, "/none.edgebundle: does not exist", marks=not_here
        ),
        (["rpi4", "BUNDLE", "--max-frames", "3"], 2, "is given without a source for the loop"),
        (["rpi4", "BUNDLE", "--", "--parallel", "2"], 2, "--parallel: is given without a source"),
        (
            ["rpi4", "BUNDLE", "--video", "BUNDLE", "--camera", "0"],
            2,
            "is given together with --video",
        ),
        pytest.param(
            ["rpi4", "BUNDLE", "--runtime", "nonsense"],
            2,
            "--runtime nonsense: runtime is 'nonsense', expected one of",
            marks=not_here,
        ),
    ],
)
def test_what_makes_no_sense_is_refused_immediately(
    arguments: list[str], code: int, expected: str, sample_bundle: Path, empty: dict[str, str]
) -> None:
    words = [str(sample_bundle) if word == "BUNDLE" else word for word in arguments]
    assert expected in error_line(edgeinfer("boards", "emulate", *words, env=empty), code)


def test_a_clip_that_is_absent_is_wrong_usage(sample_bundle: Path) -> None:
    done = edgeinfer("boards", "emulate", "rpi4", sample_bundle, "--video", "/none.mp4")
    assert done.returncode == 2
    assert "'/none.mp4' does not exist" in done.stderr


def test_the_result_says_what_it_does_not_say() -> None:
    said = _for_people(result(frames=12, labels={"Bag": 9, "Coat": 3}))
    first, labels, times = said.splitlines()
    assert first == "rpi4, emulated: verified, 12 frames answered:"
    assert labels == "  9 Bag, 3 Coat"
    assert "emulated times are not the board's" in times


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "rpi4, emulated: verified"),
        ({"verified": False, "exit_code": 1}, "rpi4, emulated: not verified"),
        ({"verified": False, "exit_code": 130}, "rpi4, emulated: stopped"),
    ],
)
def test_without_a_loop_nothing_is_printed_about_it(
    fields: dict[str, object], expected: str
) -> None:
    assert _for_people(result(**fields)) == expected


def test_a_loop_that_failed_and_many_labels_are_shown_in_short() -> None:
    labels = {f"class {index}": 1 for index in range(20)}
    said = _for_people(result(frames=20, labels=labels, exit_code=1))
    assert "verified, the loop failed (exit code 1), 20 frames answered:\n  1 class 0" in said
    assert "1 class 6," in said
    assert "and 13 more labels\n" in said
    assert max(map(len, said.splitlines())) <= 80
    assert "0 frames answered\nemulated times" in _for_people(result(frames=0, exit_code=1))
