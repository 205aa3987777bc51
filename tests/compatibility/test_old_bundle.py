"""A bundle that an earlier commit made is opened and answers as it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device import open as open_stream
from tests.compatibility.before import PackageBefore
from tests.compatibility.said import assert_still_said, read_lines
from tests.compatibility.stored import BUNDLE
from tests.support.program import edgeinfer

FRAMES = 6
"""Golden ones in the bundle."""

Command = Callable[..., list[dict[str, Any]]]


def new(*arguments: object) -> list[dict[str, Any]]:
    """Run a command of the package that is tested; return the objects that it printed."""
    done = edgeinfer(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return read_lines(done.stdout)


@pytest.fixture
def pictures(left: Path) -> list[Path]:
    """Some of each class, in their order."""
    return sorted((left / "pictures").glob("*/0[0-3].png"))


@pytest.fixture
def before(package_before: PackageBefore, tmp_path: Path) -> Command:
    """Runs a command of the package of before; returns the objects that it printed."""

    def run(*arguments: object) -> list[dict[str, Any]]:
        return read_lines(package_before.edgeinfer(*arguments, "--json", cwd=tmp_path))

    return run


def test_it_verifies() -> None:
    (report,) = new("verify", BUNDLE)
    assert (report["name"], report["frames"]) == ("clothes", FRAMES)
    assert report["largest_difference"] <= report["tolerance"]


def test_inspect_says_all_that_it_said(before: Command) -> None:
    (was,), (now,) = before("inspect", BUNDLE), new("inspect", BUNDLE)
    assert was["manifest"]["schema_version"] == 1
    for predicted in ("boards", "accelerators"):  # by rules, which may learn more
        assert was.pop(predicted).keys() <= now[predicted].keys()
    assert_still_said(was, now)


def test_it_answers_as_it_did(before: Command, pictures: list[Path]) -> None:
    command = ("predict", "--model", BUNDLE, "--top", "3", *pictures)
    was, now = before(*command), new(*command)
    assert len(now) == len(pictures) == 12
    assert len({answer["label"] for answer in now}) == 3
    assert_still_said(was, now)


def test_the_loop_answers_as_it_did(before: Command, pictures: list[Path]) -> None:
    command = ("run", "--model", BUNDLE, "--camera", str(pictures[0].parent))
    was, now = (
        [line for line in lines if "label" in line] for lines in (before(*command), new(*command))
    )
    assert len(was) == len(now) == 16
    for one, other in zip(was, now, strict=True):
        assert one.keys() <= other.keys()
        for name in ("schema", "sequence", "name", "label", "probability", "top"):
            assert one[name] == other[name]


def test_python_opens_it(pictures: list[Path]) -> None:
    folder = pictures[0].parent
    answers = new("predict", "--model", BUNDLE, *sorted(folder.iterdir()))
    with open_stream(str(BUNDLE), camera=str(folder)) as stream:
        found = [prediction.to_json()["label"] for prediction in stream]
    assert found == [answer["label"] for answer in answers]


def test_it_is_benchmarked() -> None:
    quick = ("--seconds", "0.05", "--cold-starts", "1", "--threads", "1")
    (report,) = new("benchmark", BUNDLE, *quick)
    assert report["model"]["name"] == "clothes"
    stages = {stage["stage"] for stage in report["stages"]}
    assert stages >= {"preprocess", "invoke", "postprocess", "whole"}
    assert all(stage["p50_ms"] > 0 for stage in report["stages"])
    assert report["comparison"]["candidates"]
