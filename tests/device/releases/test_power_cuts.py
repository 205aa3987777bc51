"""After a power cut at any step the board has a whole release, and doing it again completes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what a disk loses is modelled."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="edgeinfer-cuts-", dir=memory) as name:
        yield Path(name)


def cut(scenario: str, folder: Path, *options: str) -> dict[str, Any]:
    # A separate process, with one thread: it forks.
    done = subprocess.run(
        [sys.executable, "-m", "tests.device.releases.cuts", scenario, str(folder), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize(
    ("scenario", "points"),
    [("update", 50), ("bad-update", 50), ("settle", 20), ("third", 70)],
)
def test_no_cut_leaves_a_board_without_a_whole_release(
    scenario: str, points: int, folder: Path
) -> None:
    told = cut(scenario, folder)
    assert told["failures"] == []
    assert told["points"] >= points


def test_no_cut_leaves_half_an_environment(folder: Path) -> None:
    told = cut("first", folder)
    assert told["failures"] == []
    assert told["points"] >= 70


def test_the_cuts_find_what_is_not_brought_to_the_disk(folder: Path) -> None:
    lost = "the bundle of release 2 is broken"
    told = cut("update", folder, lost)
    assert lost in {found["wrong"] for found in told["failures"]}
