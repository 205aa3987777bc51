from __future__ import annotations

import re
from typing import Any

import pytest

from edgeinfer.boards.profile import parse_profile
from edgeinfer.boards.schema import build
from edgeinfer.boards.systems import System, same_architecture

GOOD: dict[str, Any] = {
    "name": "A system, 64-bit",
    "os_id": "debian",
    "version_id": "12",
    "architecture": "aarch64",
    "glibc": "2.36",
    "python": "3.11",
    "runtime": "tflite-runtime",
    "runtime_version": "2.14.0",
    "libedgetpu": ["16.0"],
    "cameras": ["v4l2"],
    "sources": {"system": "s", "runtime": "r", "libedgetpu": "l", "cameras": "c"},
}
NO_RUNTIME = {"runtime": "", "runtime_version": ""}


def without(source: str) -> dict[str, Any]:
    return {"sources": {key: text for key, text in GOOD["sources"].items() if key != source}}


def test_a_good_one() -> None:
    system = build(System, GOOD)
    assert system.environment_python == "3.11"
    assert system.ran == ""
    assert hash(system) == hash(build(System, GOOD))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"codename": "x"}, "unknown key 'codename'"),
        ({"name": ""}, "name is ''"),
        ({"os_id": "Debian GNU"}, "os_id is 'Debian GNU', expected an ID"),
        ({"version_id": "12 (x)"}, "version_id is"),
        ({"glibc": "236"}, "glibc is '236', expected a version such as 2.36"),
        ({"python": "3"}, "python is '3', expected a version such as 3.11"),
        ({"python": 3.11}, "python: 3.11, expected text"),
        ({"python": "3.9"}, "python is 3.9, expected 3.10 or newer, or python_carried"),
        ({"python": "3.7", "python_carried": "3.9"}, "expected 3.10 or newer"),
        ({"python_carried": "3.9"}, "python_carried is 3.9, expected newer than 3.11"),
        ({"python_carried": "newest"}, "python_carried is 'newest', expected such as 3.10"),
        ({"runtime": "torch"}, "runtime has 'torch', expected only"),
        ({"runtime_version": ""}, "runtime_version is '', expected such as 2.14.0"),
        ({"runtime": ""}, "runtime is '', expected one for its version"),
        (NO_RUNTIME, "note is '', expected why there is no runtime"),
        ({"meets_requirements": False}, "expected why the requirements are not met"),
        ({"runtime_in_system": True}, "expected system_packages too"),
        ({"cameras": ["webcam"]}, "cameras has 'webcam', expected only"),
        ({"packages": ["a; rm -r /"]}, "packages is 'a; rm -r /', expected names of packages"),
        ({"libedgetpu": ["a\x1b"]}, "libedgetpu is"),
        ({"note": "a\nb"}, "note is"),
        ({"ran": "a Pi", "test": "t"}, "ran has 'a Pi', expected only"),
        ({"ran": "qemu-user"}, "test is '', expected text"),
        ({"test": "tests/x.py"}, "test is 'tests/x.py', expected what it was run on, too"),
        (without("system"), "sources: no key 'system'"),
        (without("runtime"), "sources: runtime is '', expected text"),
        (without("libedgetpu"), "sources: libedgetpu is '', expected text"),
        (without("cameras"), "sources: cameras is '', expected text"),
        ({"sources": "a book"}, 'sources: "a book", expected an object'),
        ({"system_packages": 1}, "system_packages: 1, expected true or false"),
    ],
)
def test_what_is_impossible_or_without_source_is_refused(
    change: dict[str, Any], words: str
) -> None:
    board = {"title": "B", "architecture": "aarch64", "systems": [GOOD | change]}
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        parse_profile("a-board", board)
    assert str(caught.value).startswith("systems[0]")


def test_one_system_is_stated_once() -> None:
    board = {"title": "B", "architecture": "aarch64", "systems": [GOOD, GOOD | {"name": "Other"}]}
    with pytest.raises(ValueError, match="systems state debian 12 aarch64 twice"):
        parse_profile("a-board", board)


def test_names_of_architectures() -> None:
    assert same_architecture("arm64", "aarch64")
    assert same_architecture("armhf", "armv8l")
    assert not same_architecture("aarch64", "armv7l")
    assert same_architecture("riscv64", "riscv64")
