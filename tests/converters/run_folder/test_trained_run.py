from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    SAMPLES_FILE,
    TRAINED_FILE,
    TrainedModel,
    read_samples,
    read_trained,
    write_trained,
)
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.preprocess import PreprocessSpec

MODEL = TrainedModel(
    name="x", labels=('a "quoted", one', "b"), preprocess=PreprocessSpec(size=(4, 4))
)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    samples = [
        Sample(source="/photos/ä,b\n.jpg", target=1),
        Sample(source="/photos/\udcff.jpg", target=0),  # a name that is not UTF-8
        Sample(source="/data/x-idx3-ubyte.gz#5", target=0),
    ]
    write_trained(tmp_path, MODEL, {"train": samples, "test": samples[:1]})
    assert read_trained(tmp_path) == MODEL
    assert read_samples(tmp_path) == {"train": samples, "validation": [], "test": samples[:1]}


def test_names_that_a_spreadsheet_would_run_are_kept_from_it(tmp_path: Path) -> None:
    model = replace(MODEL, labels=("=cmd()", "'=cmd()"))
    samples = [Sample(source=name, target=label) for label, name in enumerate(("@x.jpg", "-1.png"))]
    write_trained(tmp_path, model, {"train": samples})
    lines = (tmp_path / SAMPLES_FILE).read_text().splitlines()
    assert lines[1:] == ["train,'=cmd(),'@x.jpg", "train,''=cmd(),'-1.png"]
    assert read_samples(tmp_path)["train"] == samples


def test_another_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no trained\.json.*; run `edgeinfer train` first"):
        read_trained(tmp_path)


def test_a_file_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.edgebundle").write_bytes(b"PK\3\4")
    with pytest.raises(
        ModelError,
        match="is a bundle, expected a folder that `edgeinfer train` made; it is finished: `edgei",
    ):
        read_trained(tmp_path / "x.edgebundle")


@pytest.mark.parametrize("text", ["", "{}", '{"name": "x", "labels": 3}', "\x00"])
def test_a_damaged_description_is_named(tmp_path: Path, text: str) -> None:
    write_trained(tmp_path, MODEL, {})
    (tmp_path / TRAINED_FILE).write_text(text)
    with pytest.raises(ModelError, match=TRAINED_FILE):
        read_trained(tmp_path)


@pytest.mark.parametrize("row", ["train,unknown,/x", "training,b,/x", "train,b", "train,b,/x,y"])
def test_a_damaged_table_is_named(tmp_path: Path, row: str) -> None:
    write_trained(tmp_path, MODEL, {})
    with (tmp_path / SAMPLES_FILE).open("a") as stream:
        stream.write(row + "\n")
    with pytest.raises(ModelError, match=SAMPLES_FILE):
        read_samples(tmp_path)
