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

from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.host.cli.data.commands import data


def _check(*arguments: str) -> Result:
    return CliRunner().invoke(data, ["check", *arguments])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for index in range(20):
        path = root / ("cat", "big dog")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(index).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        assert cv2.imwrite(str(path), noise)
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
        "copies": [],
        "drift": [],
        "deep": None,
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


def test_fix_and_undo(photos: Path, tmp_path: Path) -> None:
    content = {path: path.read_bytes() for path in photos.rglob("*.*")}
    result = _check(str(photos), "--fix", "--json")
    assert result.exit_code == 0
    quarantine = tmp_path / ".photos-quarantine"
    assert json.loads(result.stdout)["moved"] == {
        "quarantine": str(quarantine),
        "moved": ["cat/truncated.jpg"],
        "left": [],
    }
    assert not (photos / "cat/truncated.jpg").exists()
    again = _check(str(photos), "--fix")
    assert again.stdout.splitlines()[-1] == "moved: nothing"
    result = _check(str(photos), "--undo")
    assert (result.exit_code, result.stdout) == (0, "put back: 1\n")
    assert {path: path.read_bytes() for path in photos.rglob("*.*")} == content
    assert not quarantine.exists()
    assert "has no files to put back" in str(_check(str(photos), "--undo").exception)


def test_undo_says_what_stays(photos: Path) -> None:
    _check(str(photos), "--fix")
    (photos / "cat/truncated.jpg").write_bytes(b"another")
    result = _check(str(photos), "--undo", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["left"] == [
        {"path": "cat/truncated.jpg", "reason": "another file is in its place now"}
    ]
    assert "1 file that could not go back" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--undo", "--fix"], "--fix: given with --undo"),
        (["--undo", "--page", "x.html"], "--page: given with --undo"),
        (["--fix-labels"], "--fix-labels: given alone"),
        (["--fix-labels", "--fix"], "--fix-labels: given alone"),
    ],
)
def test_options_that_contradict(photos: Path, options: list[str], reason: str) -> None:
    result = _check(str(photos), *options)
    assert isinstance(result.exception, UsageError)
    assert reason in str(result.exception)


def test_a_page(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    result = _check(str(photos), "--page", str(tmp_path / "check.html"))
    assert result.exit_code == 0
    assert "cat/truncated.jpg" in (tmp_path / "check.html").read_text()


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


@pytest.fixture
def readings(photos: Path) -> Path:
    """A table of two values, or of labels, for the same pictures."""
    paths = sorted(photos.rglob("*.png"))
    rows = [
        f"{path.relative_to(photos)};{number / 2:.1f};{number % 7}"
        for number, path in enumerate(paths)
    ]
    (photos / "t.csv").write_text("\n".join(["file;level;flow", *rows]) + "\n")
    labels = [
        f"{path.relative_to(photos)},{('sun', 'rain', 'sun;rain', '')[number % 4]}"
        for number, path in enumerate(paths)
    ]
    (photos / "l.csv").write_text("\n".join(["file,labels", *labels]) + "\n")
    return photos


def test_the_range_of_each_value_is_said(readings: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    words = [str(readings), "--task", "value", "--labels-csv", str(readings / "t.csv")]
    both = ("--target", "level", "--target", "flow")
    result = _check(*words, *both, "--page", str(page))
    assert result.exit_code == 0, result.output
    header, level, flow, pictures, *_ = result.stdout.splitlines()
    assert header == "value\ttrain\tvalidation\ttest"
    assert [line.split("\t")[0] for line in (level, flow)] == ["level", "flow"]
    assert all(" to " in cell for cell in flow.split("\t")[1:])
    assert pictures == "pictures\t16\t2\t2"
    assert "--deep" not in result.stderr
    text = page.read_text(encoding="utf-8")
    assert "<h2>Values</h2>" in text
    assert "Likely wrong labels" not in text
    answer = json.loads(_check(*words, "--target", "flow", "--json").stdout)
    assert list(answer["ranges"]) == ["value"]
    assert answer["pictures"] == {"train": 16, "validation": 2, "test": 2}
    assert answer["counts"] == {"train": {}, "validation": {}, "test": {}}


def test_the_pictures_of_each_of_several_labels_are_counted(readings: Path) -> None:
    words = [str(readings), "--task", "multilabel", "--labels-csv", str(readings / "l.csv")]
    result = _check(*words)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()[:4]]
    assert rows[0][0] == "label"
    assert [row[0] for row in rows[1:]] == ["rain", "sun", "all"]
    assert [sum(map(int, row[1:])) for row in rows[1:]] == [10, 10, 20]


def test_what_is_left_out_is_listed_if_too_little_is_left(photos: Path) -> None:
    (photos / "t.csv").write_text("file,value\ncat/0.png,1\ncat/truncated.jpg,2\n")
    result = _check(str(photos), "--task", "value", "--labels-csv", str(photos / "t.csv"))
    assert isinstance(result.exception, DataError)
    assert result.exception.code == "data"
    assert "has 1 usable pictures with values, expected at least 10" in str(result.exception)
    assert "corrupt: cat/truncated.jpg" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--target", "level"), "--target: given for the task 'classification'"),
        (("--name-pattern", "*_{value}"), "--name-pattern: given for the task 'classification'"),
        (("--undo", "--target", "level"), "--target: given with --undo"),
    ],
)
def test_options_of_other_tasks_are_refused(
    photos: Path, words: tuple[str, ...], message: str
) -> None:
    result = _check(str(photos), *words)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
