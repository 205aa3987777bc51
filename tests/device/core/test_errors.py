from __future__ import annotations

import errno

import pytest

from edgeinfer.device.core.errors import (
    BundleError,
    EdgeinferError,
    StorageError,
    UsageError,
    printable,
    storage_error,
)


def test_an_error_is_one_sentence() -> None:
    error = BundleError("x", got="has 3", expected="4", next_step="copy it again")
    assert str(error) == "x: has 3, expected 4; copy it again"
    assert str(EdgeinferError("x", got="is empty")) == "x: is empty"


def test_exit_codes() -> None:
    assert (BundleError.exit_code, UsageError.exit_code) == (1, 2)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä \N{DOG FACE}", "plain ä \N{DOG FACE}"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\udcff", "\\udcff"),
    ],
)
def test_names_cannot_break_the_line(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(EdgeinferError(text, got="is odd")) == f"{shown}: is odd"


def test_a_full_disk_gets_its_cure() -> None:
    error = storage_error("out", OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(error, StorageError)
    assert "no space left on device" in str(error)
    assert "free some space" in str(error)
