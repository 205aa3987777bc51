"""A detector's boxes as annotations: what is written is read again, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.tasks.detection.target import BoxesTarget
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.evaluation.propose.annotations import (
    ProposalLayout,
    classes_text,
    voc_annotation,
    yolo_annotation,
)
from edgeinfer.host.evaluation.propose.propose import propose
from edgeinfer.host.tasks.detection.task import TASK
from tests.converters.detector_bundle import write_detector, write_photo
from tests.device.loop.following.test_follower import objects
from tests.support.checkout import ROOT
from tests.support.program import edgeinfer_here, error_line

CLASSIFIER = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
SAID = Said(labels=("cat", "dog"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return write_detector(folder / "d.edgebundle", write_photo(folder / "photo.png"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Cats in all of three pictures, one in a folder; a dog in the first; and a broken picture."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    write_photo(folder / "0.png", 250, 200)
    write_photo(folder / "1.png", 250, 0)
    write_photo(folder / "more" / "2.png", 240, 0)
    (folder / "3.png").write_bytes(b"no picture")
    return folder


@pytest.mark.parametrize("layout", ["voc", "yolo"])
def test_what_is_written_is_read(bundle: Path, photos: Path, layout: ProposalLayout) -> None:
    done = propose(bundle, photos, layout)
    assert (done.pictures, done.boxes, done.kept) == (3, 4, 0)
    assert [one.path for one in done.unreadable] == ["3.png"]
    found = {Path(one.source).stem: one.target for one in TASK.find(photos, SAID)}
    cat, dog = (0, 0.0, 0.0, 0.5, 0.5), (1, 0.5, 0.5, 1.0, 1.0)
    assert found["0"] == BoxesTarget((cat, dog))  # type: ignore[arg-type]
    assert found["1"] == found["2"] == BoxesTarget((cat,))  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["voc", "yolo"])
def test_what_was_corrected_stays(bundle: Path, photos: Path, layout: ProposalLayout) -> None:
    corrected = photos / f"1.{'xml' if layout == 'voc' else 'txt'}"
    corrected.write_text("mine")
    done = propose(bundle, photos, layout)
    assert (done.pictures, done.kept) == (2, 1)
    assert corrected.read_text() == "mine"
    again = propose(bundle, photos, layout)
    assert (again.pictures, again.kept) == (0, 3)


def test_other_classes_are_refused_before_anything_is_written(bundle: Path, photos: Path) -> None:
    (photos / "classes.txt").write_text("bird\ncat\n")
    before = sorted(photos.rglob("*"))
    with pytest.raises(DataError, match="names other classes than the model, expected cat, dog"):
        propose(bundle, photos, "yolo")
    assert sorted(photos.rglob("*")) == before


def test_into_another_folder(bundle: Path, photos: Path, tmp_path: Path) -> None:
    before = sorted(photos.rglob("*"))
    propose(bundle, photos, "yolo", out=tmp_path / "out")
    written = sorted(
        str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.txt")
    )
    assert written == ["0.txt", "1.txt", "classes.txt", "more/2.txt"]
    assert sorted(photos.rglob("*")) == before


def test_what_cannot_be(bundle: Path, tmp_path: Path, photos: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="has no picture"):
        propose(bundle, tmp_path / "none", "voc")
    with pytest.raises(DataError, match="is not a folder"):
        propose(bundle, photos / "0.png", "voc")
    with pytest.raises(UsageError, match="'classification', which finds no objects"):
        propose(CLASSIFIER, photos, "voc")
    with pytest.raises(ModelError):
        propose(photos / "0.png", photos, "voc")


def test_the_command(bundle: Path, photos: Path) -> None:
    done = edgeinfer_here("data", "propose", photos, "--model", bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "4 boxes in 3 pictures\n"
    assert "left out: 3.png: " in done.stderr
    told = json.loads(edgeinfer_here("data", "propose", photos, "--model", bundle, "--json").stdout)
    assert (told["pictures"], told["boxes"], told["kept"]) == (0, 0, 3)
    surer = ("--min-score", 0.9, "--layout", "yolo")
    done = edgeinfer_here("data", "propose", photos, "--model", bundle, *surer)
    assert done.stdout == "3 boxes in 3 pictures\n"
    assert "finds no objects" in error_line(
        edgeinfer_here("data", "propose", photos, "--model", CLASSIFIER), code=2
    )


def test_small_things_are_found_in_tiles(bundle: Path, tmp_path: Path) -> None:
    # Of 180 pixels two tiles are 100 wide: the detector's quarter of a tile is the cat.
    pixels = np.zeros((180, 180, 3), np.uint8)
    pixels[:50, 130:, 1] = 255
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "0.png").write_bytes(encode_png(pixels))
    command = ("data", "propose", photos, "--model", bundle)
    assert edgeinfer_here(*command).stdout == "0 boxes in 1 pictures\n"
    tiled = (*command, "--tiles", "2x2", "--out", out)
    assert edgeinfer_here(*tiled).stdout == "1 boxes in 1 pictures\n"
    root = ElementTree.parse(out / "0.xml").getroot()
    edges = [int(edge.text or "") for edge in root.iterfind("object/bndbox/*")]
    asked = ("predict", "--model", bundle, "--tiles", "2x2", photos / "0.png", "--json")
    (found,) = json.loads(edgeinfer_here(*asked).stdout)["detections"]
    assert edges == [round(edge) for edge in found["box"]] == [130, 0, 180, 50]


def test_tiles_that_cannot_be(photos: Path, bundle: Path) -> None:
    before = sorted(photos.rglob("*"))
    command = ("data", "propose", photos, "--model")
    done = edgeinfer_here(*command, CLASSIFIER, "--tiles", "2x2")
    assert "--tiles: the model's task is 'classification'" in error_line(done, code=2)
    done = edgeinfer_here(*command, bundle, "--tiles", "1x1")
    assert done.returncode == 2
    assert "--tiles" in done.stderr
    assert sorted(photos.rglob("*")) == before


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20))
def test_any_name_of_a_picture_is_in_the_xml(name: str) -> None:
    root = ElementTree.fromstring(voc_annotation(name, objects(10, 30)))
    assert root.findtext("filename") == name
    assert len(root.findall("object")) == 2


def test_yolo_has_a_line_for_each_object() -> None:
    assert yolo_annotation("a.jpg", objects(10)) == "0 0.100000 0.500000 0.100000 0.200000\n"
    assert yolo_annotation("a.jpg", objects()) == ""
    assert classes_text(["a", "b c"]) == "a\nb c\n"
