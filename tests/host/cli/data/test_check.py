"""`edgeinfer data check` as a person and as a script sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.cli.data.commands import data


def _check(*arguments: str) -> Result:
    return CliRunner().invoke(data, ["check", *arguments])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for index in range(20):
        path = root / ("cat", "big dog")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.full((4, 4, 3), index, np.uint8))
    (root / "cat" / "truncated.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return root


def test_counts_and_findings(photos: Path) -> None:
    result = _check(str(photos))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "class\ttrain\tvalidation\ttest",
        "big dog\t8\t1\t1",
        "cat\t8\t1\t1",
        "all\t16\t2\t2",
        "corrupt: cat/truncated.jpg: is incomplete: the JPEG ends within its header",
        "left out: 1",
    ]


def test_json(photos: Path) -> None:
    result = _check(str(photos), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "folder": str(photos),
        "usable": True,
        "error": None,
        "labels": ["big dog", "cat"],
        "counts": {
            "train": {"big dog": 8, "cat": 8},
            "validation": {"big dog": 1, "cat": 1},
            "test": {"big dog": 1, "cat": 1},
        },
        "findings": [
            {
                "kind": "corrupt",
                "path": "cat/truncated.jpg",
                "detail": "is incomplete: the JPEG ends within its header",
            }
        ],
    }


def test_data_that_cannot_be_used(photos: Path) -> None:
    for index in range(2, 20, 2):
        (photos / "cat" / f"{index}.png").write_bytes(b"")
    result = _check(str(photos))
    assert result.exit_code == 1
    assert isinstance(result.exception, DataError)
    assert "class 'cat' has 1 usable image" in str(result.exception)
    assert result.stdout.count("empty: cat/") == 9
    as_json = _check(str(photos), "--json")
    assert as_json.exit_code == 1
    answer = json.loads(as_json.stdout)
    assert answer["usable"] is False
    assert "class 'cat'" in answer["error"]
    assert len(answer["findings"]) == 10


def test_labels_of_a_table(photos: Path) -> None:
    table = photos.parent / "labels.csv"
    table.write_text("file,label\n" + "".join(f"{n}.png,{'ab'[n // 10]}\n" for n in range(20)))
    result = _check(str(photos), "--labels-csv", str(table))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        *("class\ttrain\tvalidation\ttest", "a\t8\t1\t1", "b\t8\t1\t1", "all\t16\t2\t2"),
        "ignored: labels.csv: has no line for 1 picture of the folder, such as cat/truncated.jpg",
        "left out: 1",
    ]


def test_no_such_folder(tmp_path: Path) -> None:
    result = _check(str(tmp_path / "gone"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"].endswith("gone: does not exist; check the path")


def test_the_module_is_cheap_to_import() -> None:
    program = (
        "import sys, edgeinfer.host.cli.data.commands; "
        "print([m for m in ('cv2', 'numpy', 'rich', 'tensorflow') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
