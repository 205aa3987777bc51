from __future__ import annotations

import errno
import json

import pytest

from edgeinfer.device.core.errors import (
    BundleError,
    CameraError,
    EdgeinferError,
    ImageError,
    MissingExtraError,
    StorageError,
    UnreachableError,
    UsageError,
    printable,
    storage_error,
)


def test_an_error_is_one_sentence() -> None:
    error = BundleError("x", got="has 3", expected="4", next_step="copy it again")
    assert str(error) == "x: has 3, expected 4; copy it again"
    assert str(EdgeinferError("x", got="is empty")) == "x: is empty"


def test_the_kind_is_the_classs_name_and_a_detail_follows_it() -> None:
    assert EdgeinferError("x", got="y").code == "edgeinfer"
    assert MissingExtraError("x", got="y").code == "missing-extra"
    assert CameraError("x", got="y", detail="busy").code == "camera.busy"


@pytest.mark.parametrize("kind", [EdgeinferError, UsageError, ImageError, UnreachableError])
@pytest.mark.parametrize("detail", ["", "busy"])
def test_an_error_becomes_the_same_one_in_another_process(
    kind: type[EdgeinferError], detail: str
) -> None:
    error = kind("a\nb", got="has 3", expected="4", next_step="copy it", detail=detail)
    again = EdgeinferError.from_dict(json.loads(json.dumps(error.to_dict())))
    assert type(again) is kind
    assert (str(again), again.code) == (str(error), error.code)


@pytest.mark.parametrize(
    "parts", [{}, {"code": "flight"}, {"code": 3, "got": None, "subject": ["x"], "more": "y"}]
)
def test_what_another_version_told_is_an_error_all_the_same(parts: dict[str, object]) -> None:
    assert type(EdgeinferError.from_dict(parts)) is EdgeinferError


def test_no_two_kinds_have_one_code() -> None:
    kinds = [EdgeinferError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    codes = [kind.kind for kind in kinds]
    assert len(codes) == len(set(codes))


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


def test_a_full_disk_gets_a_fix() -> None:
    error = storage_error("out", OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(error, StorageError)
    assert "no space left on device" in str(error)
    assert "free some space" in str(error)
