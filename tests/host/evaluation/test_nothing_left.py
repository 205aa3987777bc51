"""`evaluate` where every picture was left out: one line says so, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.tasks.data_task import DataTask
from edgeinfer.host.tasks.multilabel.task import TASK as MULTILABEL
from edgeinfer.host.tasks.points.task import TASK as POINTS
from edgeinfer.host.tasks.value.task import TASK as VALUE
from tests.converters.detector_bundle import write_detector, write_photo
from tests.host.tasks.detection.boxed_pictures import CAT, DOG, Box, coco, voc, yolo
from tests.support.checkout import ROOT
from tests.support.program import edgeinfer_here, error_line

CLASSIFIER = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"

BOXES: dict[str, list[Box]] = {"a": [CAT], "b": [DOG]}
"""Of one picture: one of the two is wrong."""


def _voc(folder: Path) -> None:
    for name, boxes in BOXES.items():
        voc(folder, name, boxes, 0)


def _yolo(folder: Path) -> None:
    for name, boxes in BOXES.items():
        yolo(folder, name, boxes, 0)


def _coco(folder: Path) -> None:
    coco(folder, BOXES)
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())


def _nothing_in_the_third(folder: Path) -> None:
    _yolo(folder)
    yolo(folder, "c", [], 1)


def _classes(folder: Path) -> None:
    for name in ("Bag", "Coat"):
        (folder / name).mkdir()
        write_photo(folder / name / "a.png")


def _damaged(folder: Path) -> None:
    (folder / "Bag").mkdir()
    (folder / "Bag" / "a.png").write_bytes(b"no picture")


def _empty(folder: Path) -> None:
    (folder / "Bag").mkdir()


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return write_detector(folder / "d.edgebundle", write_photo(folder / "photo.png"))


@pytest.mark.parametrize(
    ("write", "detects", "words"),
    [
        (_voc, True, "has no box in a picture that can be used (left out: "),
        (_yolo, True, "is the same picture, labelled '1 dog', and 1 more), expected one or more; "),
        (_coco, True, "a.png: labelled '1 cat', but b.png is the same picture"),
        (_nothing_in_the_third, True, "has no box in a picture that can be used (left out: "),
        (_classes, False, "Bag/a.png: labelled 'Bag', but Coat/a.png is the same picture"),
        (_damaged, False, "has no picture that can be used (left out: Bag/a.png: "),
        (_empty, False, "has no picture that can be used, expected one or more; give a folder"),
    ],
    ids=["voc", "yolo", "coco", "no-box-left", "classes", "damaged", "empty"],
)
def test_one_line_says_why(
    write: Callable[[Path], None], *, detects: bool, words: str, detector: Path, tmp_path: Path
) -> None:
    data, report = tmp_path / "data", tmp_path / "report"
    data.mkdir()
    write(data)
    model = detector if detects else CLASSIFIER
    command = ("evaluate", model, data, "--report", report)
    for more in ((), ("--json",), ("--compare", model)):
        done = edgeinfer_here(*command, *more)
        assert words in error_line(done)
        assert error_line(done).startswith(f"error: {data}: ")
        assert done.stdout == ""
        assert not report.exists()


def test_a_table_of_labels(tmp_path: Path) -> None:
    for name in BOXES:
        write_photo(tmp_path / f"{name}.png")
    (tmp_path / "t.csv").write_text("file,label\na.png,Bag\nb.png,Coat\n")
    done = edgeinfer_here("evaluate", CLASSIFIER, tmp_path, "--labels-csv", tmp_path / "t.csv")
    assert "a.png: labelled 'Bag', but b.png is the same picture" in error_line(done)


@pytest.mark.parametrize(
    ("task", "said", "rows"),
    [
        (MULTILABEL, Said(labels=("bar", "dot")), ["file,labels", "a.png,bar", "b.png,dot"]),
        (VALUE, Said(value=ValueSpec(unit="")), ["file,level", "a.png,1", "b.png,2"]),
        (
            POINTS,
            Said(labels=("bar", "dot")),
            ["filename,class,xmin,ymin,xmax,ymax", "a.png,bar,1,2,9,9", "b.png,dot,1,2,9,9"],
        ),
    ],
    ids=["multilabel", "value", "points"],
)
def test_other_tasks(task: DataTask, said: Said, rows: list[str], tmp_path: Path) -> None:
    for name in BOXES:
        write_photo(tmp_path / f"{name}.png")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match=r"that can be used \(left out: a\.png: labelled"):
        task.find(tmp_path, said, table=tmp_path / "t.csv")
