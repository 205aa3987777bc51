"""Mistaken commands: each says what was given, and names the command that was meant."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel, write_trained
from edgeinfer.device.cli.main import cli
from edgeinfer.device.preprocess import PreprocessSpec
from tests.device.core.model_file import foreign_examples as foreign
from tests.support.program import edgeinfer_here, error_line

MISTAKES = {
    "convert photos": ("a folder of photos in sub-folders", 1, "train photos"),
    "convert flat": ("a folder of photos", 1, "train flat"),
    "convert runs": ("a folder of runs (2, the newest: y, x)", 1, "convert runs/y"),
    "convert x.edgebundle": ("a bundle", 1, "convert runs/x"),
    "prune photos": ("a folder of photos in sub-folders", 1, "train photos"),
    "prune runs": ("a folder of runs (2, the newest: y, x)", 1, "prune runs/y"),
    "prune runs/x/model.keras": ("a Keras model", 1, "prune runs/x"),
    "optimize x.edgebundle": ("a bundle", 1, "optimize runs/x"),
    "optimize photo.jpg": ("a picture", 1, "predict photo.jpg"),
    "train runs/x": ("a folder that `edgeinfer train` made", 1, "convert runs/x"),
    "train net.keras": ("a Keras model", 1, "convert net.keras --pictures FOLDER"),
    "train photos.zip": ("a ZIP without a model", 1, "train photos"),
    "train photos --teacher runs": ("a folder of runs (2, ", 1, "convert runs/y"),
    "train photos --weights runs/x/model.keras": (
        "the model of a run",
        1,
        "train photos --teacher runs/x",
    ),
    "data check runs/x": ("a folder that `edgeinfer train` made", 1, "convert runs/x"),
    "data check x.edgebundle": ("a bundle", 1, "evaluate x.edgebundle FOLDER"),
    "data check photos.zip": ("a ZIP without a model", 1, "data check photos"),
    "adopt runs/x": ("a folder that `edgeinfer train` made", 1, "convert runs/x"),
    "adopt x.edgebundle": ("a bundle", 1, "verify x.edgebundle"),
    "verify x.tflite": ("a .tflite without golden frames", 1, "adopt x.tflite"),
    "flash x.tflite": ("a .tflite model", 1, "adopt x.tflite"),
    "flash --board rpi4 --host pi@b --model runs/x": (
        "a folder that `edgeinfer train` made",
        1,
        "convert runs/x",
    ),
    "inspect photos": ("a folder of photos in sub-folders", 1, "train photos"),
    "benchmark photos": ("a folder of photos in sub-folders", 1, "train photos"),
    "benchmark net.keras": ("a Keras model", 1, "convert net.keras --pictures FOLDER"),
    "predict x.edgebundle": ("no photo is given", 2, "predict --model x.edgebundle PHOTO"),
    "predict runs/x photo.jpg": ("a folder that `edgeinfer train` made", 1, "convert runs/x"),
    "predict -m x.edgebundle clip.mp4": (
        "a video clip",
        1,
        "run --model x.edgebundle --camera clip.mp4",
    ),
    "run photo.jpg": ("a picture", 1, "predict photo.jpg"),
    "run photos": ("a folder of photos in sub-folders", 1, "run --camera photos"),
    "run x.edgebundle": ("No camera is given", 2, "run --model x.edgebundle --camera"),
    "run --camera x.edgebundle": ("a model, not a source", 2, "run --model x.edgebundle --camera"),
    "run x.edgebundle --camera photo.jpg": (
        "a single photo",
        2,
        "predict --model x.edgebundle photo.jpg",
    ),
    "evaluate x.edgebundle": ("Missing argument 'DATA'", 2, "evaluate x.edgebundle FOLDER"),
    "evaluate runs/x photos": ("a folder that `edgeinfer train` made", 1, "convert runs/x"),
    "evaluate x.edgebundle photo.jpg": ("a picture", 1, "predict --model x.edgebundle photo.jpg"),
    "evaluate x.edgebundle y.edgebundle photos": (
        "Got two models",
        2,
        "evaluate x.edgebundle photos --compare y.edgebundle",
    ),
}
"""By the command: what it says was given, its exit code, and the command that it names."""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, sample_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that people mistake for each other; it is the working folder."""
    for name in ("photos/cat/1.jpg", "photos/dog/2.jpg", "flat/3.jpg", "photo.jpg"):
        photo = tmp_path / name
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(foreign.JPEG)
    for order, name in enumerate(("x", "y"), 1):
        run = tmp_path / "runs" / name
        run.mkdir(parents=True)
        (run / "trained.json").touch()
        (run / "model.keras").touch()
        os.utime(run / "trained.json", (order, order))
    shutil.copy(sample_bundle, tmp_path / "x.edgebundle")
    (tmp_path / "y.edgebundle").touch()
    (tmp_path / "net.keras").touch()
    (tmp_path / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (tmp_path / "photos.zip").write_bytes(foreign.packed("photos/cat/1.jpg"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def named_command(said: str) -> list[str]:
    """Return the last command that a message has in quotation marks, as a shell would split it."""
    return shlex.split(re.findall("`([^`]+)`", said)[-1])


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_command_that_was_meant_is_named(mistake: str) -> None:
    given, code, meant = MISTAKES[mistake]
    done = edgeinfer_here(*mistake.split())
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert given in last
    assert named_command(last) == ["edgeinfer", *meant.split()]
    # The command line that it names is one: its options and arguments are known.
    command: click.Command | None = cli
    words = meant.split()
    context = click.Context(cli)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
    assert command is not None
    command.make_context("named", words)


def test_what_is_named_can_be_pasted(desk: Path) -> None:
    (desk / "my run's").mkdir()
    (desk / "my run's" / "trained.json").touch()
    (desk / "photo.jpg").rename(desk / "-photo.jpg")
    said = edgeinfer_here("prune", "x.tflite").stderr
    assert named_command(said) == ["edgeinfer", "inspect", "x.tflite"]
    said = edgeinfer_here("verify", "my run's").stderr
    assert named_command(said) == ["edgeinfer", "convert", "my run's"]
    said = edgeinfer_here("verify", "--", "-photo.jpg").stderr
    assert named_command(said) == ["edgeinfer", "predict", "./-photo.jpg"]


def test_a_bundle_without_its_suffix_is_the_model_that_answers(desk: Path) -> None:
    (desk / "x.edgebundle").rename(desk / "model")
    done = edgeinfer_here("predict", "model", "photo.jpg")
    assert done.stderr.startswith("model: model\n")
    assert "no bundle is installed" not in done.stderr


def test_the_model_that_answers_is_named(desk: Path, sample_bundle: Path) -> None:
    (desk / "data" / "edgeinfer").mkdir(parents=True)
    installed = desk / "data" / "edgeinfer" / "clothes.edgebundle"
    shutil.copy(sample_bundle, installed)
    done = edgeinfer_here("predict", "photo.jpg")
    assert done.stderr.startswith(f"model: {installed} (the installed bundle)\n")
    done = edgeinfer_here("predict", "x.edgebundle", "photo.jpg", "--json")
    assert done.stderr.startswith("model: x.edgebundle\n")
    assert "model:" not in done.stdout


@pytest.mark.parametrize("command", ["convert", "prune", "optimize"])
def test_data_that_has_moved_is_asked_for(desk: Path, command: str) -> None:
    trained = TrainedModel(
        name="x",
        labels=("cat", "dog"),
        preprocess=PreprocessSpec(size=(8, 8), channels="grey", mean=(0.0,), std=(1.0,)),
    )
    samples = [
        Sample(source=str(desk / "photos" / name), target=target)
        for target, name in enumerate(("cat/1.jpg", "dog/2.jpg"))
    ]
    write_trained(desk / "runs" / "x", trained, {"train": samples, "validation": samples})
    (desk / "photos").rename(desk / "moved")
    out = ["--out", "out"] + ["--no-install"] * (command == "convert")
    said = error_line(edgeinfer_here(command, "runs/x", *out))
    assert f"its data is not in {desk / 'photos'}, " in said
    assert said.endswith("; tell where it is now: --data FOLDER")
    said = error_line(edgeinfer_here(command, "runs/x", "--data", "flat", *out))
    assert said.startswith("error: flat: has none of the data of runs/x, ")
    assert not (desk / "out").exists()
