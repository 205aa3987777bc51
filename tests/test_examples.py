"""The scripts of docs/examples run and print what their first lines promise.

`train_and_convert.py` alone is not run here, since it takes a minute; mypy checks it as well.
"""

from __future__ import annotations

import csv
import itertools
import re
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png, read_image
from tests.device.detector_example import detector
from tests.device.metadata_examples import model_metadata, normalization, tensor_metadata
from tests.support.checkout import ROOT

EXAMPLES = ROOT / "docs" / "examples"
RUN = {"picture", "folder_to_csv", "camera", "latency", "draw_detections"}


@pytest.fixture
def pictures(sample_bundle: Path, tmp_path: Path) -> Path:
    """The sample's own pictures, two of each kind that its camera would show."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with Model.open(sample_bundle) as model:
        for number, (pixels, label) in enumerate(model.golden_frames()[:4]):
            for time in (0, 1):
                name = f"{number}-{time}-{str(label).replace('/', ' or ')}.png"
                (folder / name).write_bytes(encode_png(pixels))
    return folder


def run(
    name: str, *arguments: object, monkeypatch: pytest.MonkeyPatch, code: int | None = None
) -> None:
    """Run a script as `python NAME.py ARGUMENTS` would."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    path = str(EXAMPLES / f"{name}.py")
    if code is None:
        runpy.run_path(path, run_name="__main__")
        return
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(path, run_name="__main__")
    assert ended.value.code == code


def test_each_script_is_run_here_or_named() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == {*RUN, "train_and_convert"}


def test_a_picture(
    sample_bundle: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = min(pictures.iterdir())
    run("picture", sample_bundle, picture, monkeypatch=monkeypatch)
    first, *ranked = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{picture}: ")
    assert len(ranked) == 5
    assert ranked[0].split()[1] in first
    with pytest.raises(SystemExit, match=r"error: .*absent\.png: does not exist"):
        run("picture", sample_bundle, pictures / "absent.png", monkeypatch=monkeypatch)


def test_a_folder_becomes_a_table(
    sample_bundle: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "answers.csv"
    run("folder_to_csv", sample_bundle, pictures, table, monkeypatch=monkeypatch, code=0)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == sorted(path.name for path in pictures.iterdir())
    assert all(0 < float(row["score"]) <= 1 for row in rows)
    (pictures / "notes.txt").write_text("no picture")
    run("folder_to_csv", sample_bundle, pictures, table, monkeypatch=monkeypatch, code=1)
    assert "left out: " in capsys.readouterr().err


def test_a_camera(
    sample_bundle: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("camera", sample_bundle, pictures, monkeypatch=monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(re.fullmatch(r"frame \d+: .+, \d+ ms old", line) for line in lines)
    said = [line.partition(": ")[2].rpartition(", ")[0] for line in lines]
    assert all(one != before for before, one in itertools.pairwise(said))


def test_latency(
    sample_bundle: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("latency", sample_bundle, min(pictures.iterdir()), monkeypatch=monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "4"]


def test_detections_are_drawn(
    sample_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, picture, out = (tmp_path / name for name in ("d.tflite", "p.png", "boxes.png"))
    image = tensor_metadata("image", units=[normalization([127.5], [127.5])])
    model.write_bytes(detector(metadata=model_metadata([image], [])))
    # Green is the score of the detector's first class: one object, in the upper left quarter.
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[:100, :100, 1] = 255
    picture.write_bytes(encode_png(pixels))
    run("draw_detections", model, picture, out, monkeypatch=monkeypatch)
    assert "boxes.png: " in capsys.readouterr().out
    drawn = read_image(out)
    assert drawn.shape == pixels.shape
    green = (drawn == [0, 255, 0]).all(axis=2) & ~(pixels == [0, 255, 0]).all(axis=2)
    assert green.any()
    with pytest.raises(SystemExit, match="finds no objects, it predicts a Classification"):
        run("draw_detections", sample_bundle, picture, out, monkeypatch=monkeypatch)
    assert cv2.imread(str(out)) is not None
