from __future__ import annotations

import pytest

from edgeinfer.host.board_wheels.download import pip_error
from tests.host.board_wheels.wheels import BOOKWORM, TRIXIE

WARNING = (
    "WARNING: Retrying (Retry(total=1, connect=None)) after connection broken by "
    "'NewConnectionError(...)': /click/\n"
)
NOT_FOUND = (
    "ERROR: Could not find a version that satisfies the requirement {} (from versions: {})\n"
    "ERROR: No matching distribution found for {}\n"
)


def test_no_connection_is_reported_before_what_was_not_found_because_of_it() -> None:
    said = WARNING + NOT_FOUND.format("click>=8.1", "none", "click>=8.1")
    sentence = str(pip_error(BOOKWORM, ["click>=8.1"], said))
    assert "no package index can be reached" in sentence
    assert "connect this workstation once" in sentence


def test_a_package_without_a_wheel_is_named() -> None:
    said = NOT_FOUND.format("tflite-runtime==2.14.0", "none", "tflite-runtime==2.14.0")
    sentence = str(pip_error(TRIXIE, ["tflite-runtime==2.14.0"], said))
    assert "no wheel of tflite-runtime==2.14.0, expected one for cp313 and manylinux_2_41" in (
        sentence
    )


def test_the_versions_that_there_are_are_named() -> None:
    said = NOT_FOUND.format("numpy<1", "1.24.0, 1.25.0, 1.26.0, 1.26.4", "numpy<1")
    assert "(only of 1.25.0, 1.26.0, 1.26.4)" in str(pip_error(BOOKWORM, ["numpy<1"], said))


def test_packages_in_conflict_are_named() -> None:
    said = "ERROR: Cannot install ... because these package versions have conflicting dependencies."
    assert "cannot be installed together: a<1, b>2" in str(
        pip_error(BOOKWORM, ["a<1", "b>2"], said)
    )


@pytest.mark.parametrize(
    ("where", "subject"),
    [
        (
            " from http://127.0.0.1/a%2Fb/numpy-1.26.4-py3-none-any.whl#sha256=12",
            "numpy-1.26.4-py3",
        ),
        ("", "numpy==1.26.4"),
    ],
)
def test_another_hash_is_named_with_the_file_and_no_address(where: str, subject: str) -> None:
    said = (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you\n"
        f"    numpy==1.26.4{where} (from -r requirements.txt (line 2)):\n"
        f"        Expected sha256 {'a' * 64}\n"
        f"             Got        {'b' * 64}\n"
    )
    sentence = str(pip_error(BOOKWORM, ["numpy==1.26.4"], said))
    assert sentence.startswith(subject)
    assert f"has SHA-256 {'b' * 64}, expected {'a' * 64}" in sentence
    assert "://" not in sentence


@pytest.mark.parametrize("said", ["", "Killed", "ERROR: disk full\nmore"])
def test_other_failures_are_passed_on_in_a_line(said: str) -> None:
    sentence = str(pip_error(BOOKWORM, ["x"], said))
    assert "pip cannot download them" in sentence
    assert (said.splitlines() or ["nothing said"])[0] in sentence
    assert "\n" not in sentence
