"""What becomes of someone else's model, by how much it loses: every outcome, with real models."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.models.bundle.reader import open_bundle
from tests.converters.float_models import FRAGILE, STURDY, classifier, write_colours
from tests.support.program import edgeinfer_here, error_line

pytest.importorskip("ai_edge_quantizer", reason="conversion needs the host extra")
pytest.importorskip("matplotlib", reason="conversion needs the host extra")

LABELS = "red\nblue\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both models, and pictures with and without labels."""
    made = tmp_path_factory.mktemp("gate")
    (made / "sturdy.tflite").write_bytes(classifier(*STURDY))
    (made / "fragile.tflite").write_bytes(classifier(*FRAGILE))
    (made / "labels.txt").write_text(LABELS)
    write_colours(made / "many", 160)
    write_colours(made / "few", 24)
    write_colours(made / "named", 160, named=True)
    return made


def convert(
    folder: Path, out: Path, model: str, pictures: str, *words: object
) -> subprocess.CompletedProcess[str]:
    return edgeinfer_here(
        *("convert", folder / f"{model}.tflite", "--pictures", folder / pictures),
        *("--labels", folder / "labels.txt", "--input-range", "-1..1", "--no-install", "--json"),
        *("--golden-frames", 2, "--out", out / "x.edgebundle", *words),
    )


def made(finished: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], list[str]]:
    """Return what a conversion told, and its warnings."""
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    lines = [line for line in finished.stderr.splitlines() if line.startswith("warning: ")]
    assert answer.pop("warnings", []) == [line.removeprefix("warning: ") for line in lines]
    return answer, lines


def test_a_model_that_agrees_passes_without_a_warning(folder: Path, tmp_path: Path) -> None:
    answer, warned = made(convert(folder, tmp_path, "sturdy", "many"))
    assert warned == []
    assert answer["agreement.int8"] >= 0.95
    assert answer["agreement.int8.low"] > 0.9
    assert answer["agreement.samples"] == 80
    assert "repair" not in answer


def test_too_few_pictures_are_warned_of(folder: Path, tmp_path: Path) -> None:
    answer, warned = made(convert(folder, tmp_path, "sturdy", "few"))
    assert answer["agreement.samples"] == 12
    assert len(warned) == 1
    assert "agreement on 12 pictures may be anything from " in warned[0]


def test_a_model_that_disagrees_is_repaired(folder: Path, tmp_path: Path) -> None:
    answer, warned = made(convert(folder, tmp_path, "fragile", "many", "--repair", "mixed"))
    assert warned == []
    first, *_, last = answer["repair"]
    assert first["agreement"] < 0.7
    assert last["taken"]
    assert answer["agreement.int8"] == last["agreement"] >= 0.95


def test_a_model_that_no_repair_helps_is_refused(folder: Path, tmp_path: Path) -> None:
    finished = convert(folder, tmp_path, "fragile", "many", "--repair", "clipping")
    line = error_line(finished, code=1)
    assert line.startswith("error: fragile.tflite: INT8 agrees with float32 by ")
    assert "tried, but not enough: ranges by percentile " in line
    assert "expected an interval that reaches 90%; try other --pictures, or" in line
    assert list(tmp_path.iterdir()) == []


def test_a_few_pictures_refuse_it_too(folder: Path, tmp_path: Path) -> None:
    error_line(convert(folder, tmp_path, "fragile", "few", "--repair", "none"), code=1)
    assert list(tmp_path.iterdir()) == []


def test_a_share_that_the_user_names_is_obeyed(folder: Path, tmp_path: Path) -> None:
    words = ("--repair", "none", "--min-agreement")
    answer, _ = made(convert(folder, tmp_path, "fragile", "many", *words, 0.3))
    assert 0.3 <= answer["agreement.int8"] < 0.7
    (tmp_path / "x.edgebundle").unlink()
    shutil.rmtree(tmp_path / "x-report")
    finished = convert(folder, tmp_path, "fragile", "many", *words, 0.8)
    assert "expected at least 80.00%" in error_line(finished, code=1)
    assert list(tmp_path.iterdir()) == []


def test_with_labelled_pictures_accuracy_decides(folder: Path, tmp_path: Path) -> None:
    answer, warned = made(convert(folder, tmp_path, "sturdy", "named"))
    assert warned == []
    assert answer["pictures.int8.top1"] >= answer["pictures.float32.top1"] - 0.01 > 0.9
    assert answer["pictures.samples"] == 80
    assert not any(name.startswith("agreement") for name in answer)
    with open_bundle(tmp_path / "x.edgebundle") as bundle:
        assert {frame.label for frame in bundle.manifest.golden} == {"red", "blue"}
        assert bundle.member("report/confusion.pictures.int8.png").startswith(b"\x89PNG")
    (tmp_path / "x.edgebundle").unlink()
    shutil.rmtree(tmp_path / "x-report")

    refused = error_line(convert(folder, tmp_path, "fragile", "named", "--repair", "none"))
    assert "of top-1 on 80 labelled pictures (" in refused
    assert "expected at most 1.00; raise --calibration-images, or allow more with" in refused
    assert list(tmp_path.iterdir()) == []
    made(convert(folder, tmp_path, "fragile", "named", "--repair", "none", "--max-drop", 60))


def test_labels_that_do_not_fit_the_pictures_are_warned_of(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "reversed.txt").write_text("blue\nred\n")
    out = tmp_path / "out"
    out.mkdir()
    words = ("--labels", tmp_path / "reversed.txt")
    _, warned = made(convert(folder, out, "sturdy", "named", *words))
    assert len(warned) == 1
    assert "float32 itself is right on " in warned[0]
    assert "not better than chance among 2 classes" in warned[0]


def test_options_that_labels_decide_about(folder: Path, tmp_path: Path) -> None:
    both = ("--max-drop", 2, "--min-agreement", 0.9)
    line = error_line(convert(folder, tmp_path, "sturdy", "named", *both), code=2)
    assert line.startswith("error: --max-drop: is given together with --min-agreement")

    line = error_line(convert(folder, tmp_path, "sturdy", "many", "--max-drop", 2), code=2)
    assert line.startswith("error: --max-drop: is given, and the pictures in ")
    assert list(tmp_path.iterdir()) == []

    answer, _ = made(convert(folder, tmp_path, "sturdy", "named", "--min-agreement", 0.9))
    assert answer["agreement.int8"] >= 0.9
    assert "pictures.int8.top1" not in answer


def test_folders_with_other_names_are_said(folder: Path, tmp_path: Path) -> None:
    finished = edgeinfer_here(
        *("convert", folder / "sturdy.tflite", "--pictures", folder / "named", "--no-install"),
        *("--input-range", "-1..1", "--out", tmp_path / "x.edgebundle", "--json"),
    )
    answer, _ = made(finished)
    assert "the folders' names (blue, red) are not labels of the model: its agreement" in (
        finished.stderr
    )
    assert "agreement.int8" in answer
