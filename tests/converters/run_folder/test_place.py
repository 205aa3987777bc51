"""A run finds its data: where it was, where both were moved to, and where `--data` says."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.moved_run import run_where_data_is
from edgeinfer.converters.run_folder.place import DATA_FILE, common_folder
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    SAMPLES_FILE,
    TrainedModel,
    find_samples,
    read_samples,
    read_trained,
    write_trained,
)
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.preprocess import PreprocessSpec

MODEL = TrainedModel(
    name="cats",
    labels=("cat", "dog"),
    preprocess=PreprocessSpec(size=(8, 8), channels="grey", mean=(0.0,), std=(1.0,)),
)
NAMES = ("cat/1.jpg", "cat/=2, 3.jpg", "dog/ä.png", "dog/n.gz#4")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with photos and a run that learned from them."""
    project = tmp_path / "here"
    samples = []
    for name in NAMES:
        file = project / "photos" / name.split("#")[0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        samples.append(
            Sample(source=str(project / "photos" / name), target=int(name.startswith("dog")))
        )
    run = project / "runs" / "cats"
    run.mkdir(parents=True)
    (run / "model.keras").write_text("a model")
    write_trained(run, MODEL, {"train": samples[:2], "test": samples[2:]})
    return project


def sources(run: Path, data: Path | None = None) -> list[str]:
    """Return the sources of a run's samples, which are there."""
    return [sample.source for part in find_samples(run, data).values() for sample in part]


def as_before(run: Path) -> None:
    """Make a run one of earlier versions, which named samples by their absolute paths."""
    rows = [["split", "label", "source"]]
    rows += [
        [split, MODEL.labels[sample.target], sample.source]
        for split, part in read_samples(run).items()
        for sample in part
    ]
    with (run / SAMPLES_FILE).open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    (run / DATA_FILE).unlink()


def test_samples_are_named_relative_to_the_data(project: Path) -> None:
    run = project / "runs" / "cats"
    table = (run / SAMPLES_FILE).read_text()
    assert str(project) not in table + (run / "trained.json").read_text()
    assert json.loads((run / DATA_FILE).read_text()) == {
        "folder": str(project / "photos"),
        "from_run": "../../photos",
    }
    assert sources(run) == [str(project / "photos" / name) for name in NAMES]


def test_run_and_data_move_together(project: Path, tmp_path: Path) -> None:
    project.rename(tmp_path / "there")
    run = tmp_path / "there" / "runs" / "cats"
    assert sources(run) == [str(tmp_path / "there" / "photos" / name) for name in NAMES]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("place", ["new", "wrapping/photos"])
def test_data_that_moved_alone(project: Path, tmp_path: Path, place: str, before: bool) -> None:
    run, new = project / "runs" / "cats", tmp_path / place
    if before:
        as_before(run)
    new.parent.mkdir(exist_ok=True)
    shutil.move(project / "photos", new)
    with pytest.raises(DataError) as caught:
        sources(run)
    assert caught.value.got == f"its data is not in {project / 'photos'}"
    assert caught.value.next_step == "tell where it is now: --data FOLDER"
    told = tmp_path / place.split("/")[0]
    assert sources(run, told) == [str(new / name) for name in NAMES]
    with pytest.raises(DataError, match=r"has none of the data of .*, expected such as cat/1\.jpg"):
        sources(run, run)


def test_a_new_run_of_moved_data_says_where_it_is(project: Path, tmp_path: Path) -> None:
    run, new = project / "runs" / "cats", tmp_path / "new"
    shutil.move(project / "photos", new)
    made, home = tmp_path / ".work" / "run", tmp_path / "pruned"
    made.mkdir(parents=True)
    write_trained(made, replace(MODEL, name="pruned"), find_samples(run, new), home=home)
    assert json.loads((made / DATA_FILE).read_text())["from_run"] == "../new"
    made.rename(home)
    assert sources(home) == [str(new / name) for name in NAMES]


def test_other_processes_read_a_run_whose_data_is_there(project: Path, tmp_path: Path) -> None:
    run, new = project / "runs" / "cats", tmp_path / "new"
    with run_where_data_is(run, None) as same:
        assert same == run
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    shutil.move(project / "photos", new)
    with run_where_data_is(run, new) as moved:
        assert moved.name == "cats"
        assert sources(moved) == [str(new / name) for name in NAMES]
        assert read_trained(moved) == MODEL
        assert (moved / "model.keras").read_text() == "a model"
    assert not moved.exists()
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    with pytest.raises(DataError, match="--data FOLDER"), run_where_data_is(run, None):
        pass


def test_a_damaged_place_is_none(project: Path) -> None:
    run = project / "runs" / "cats"
    (run / DATA_FILE).write_text("{")
    with pytest.raises(DataError, match="its data is not in the working folder"):
        sources(run)
    assert sources(run, project / "photos") == [str(project / "photos" / name) for name in NAMES]


def test_the_folder_of_all_samples() -> None:
    assert common_folder(["/a/b/train/x/1.jpg", "/a/b/test/x/1.jpg"]) == "/a/b"
    assert common_folder(["/a/images.gz#1", "/a/images.gz#2"]) == "/a"
    assert common_folder(["1.jpg", "/a/2.jpg"]) is None
    assert common_folder([]) is None
