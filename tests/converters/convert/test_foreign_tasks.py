"""Someone else's models of every task: converted, compared with float32, read from the bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.quantize.litert import cast_float16
from edgeinfer.converters.tasks.registry import OWN
from edgeinfer.converters.tensorflow.import_model import import_model
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from tests.converters import tally
from tests.converters.float_models import BLUE, RED, SIDE, Output, network, write_colours
from tests.device.detector_example import detector
from tests.support.program import edgeinfer_here, error_line

pytest.importorskip("ai_edge_quantizer", reason="conversion needs the host extra")
pytest.importorskip("matplotlib", reason="conversion needs the host extra")


def toned(*rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights that tell colours apart."""
    return np.array([4 * row for row in rows], np.float32)


def weights(units: int, scale: float = 1.0) -> Any:
    """Return weights by which each unit depends on all pixels, most on one."""
    drawn = np.random.default_rng(units).normal(size=(units, 3 * SIDE * SIDE))
    return (scale * drawn / SIDE).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Brought:
    """A model that somebody brings.

    Attributes:
        content: the `.tflite`.
        words: what the user says of it.
        right: tells whether the manifest says the same.
    """

    content: bytes
    words: tuple[object, ...] = ("--input-range", "-1..1")
    right: Callable[[ModelManifest], bool]


MODELS = {
    "classification": Brought(
        content=network(Output(weights=toned(RED, BLUE), op="SOFTMAX")),
        right=lambda made: made.decoder.activation == "none" and len(made.labels) == 2,
    ),
    "multilabel": Brought(
        content=network(Output(weights=toned(RED, BLUE), op="LOGISTIC")),
        words=("--input-range", "-1..1", "--task", "multilabel"),
        right=lambda made: made.decoder.multi_label is not None and len(made.labels) == 2,
    ),
    "value": Brought(
        content=network(Output(weights=toned(RED - BLUE))),
        words=("--input-range", "0..1", "--unit", "bar"),
        right=lambda made: (
            made.value is not None
            and made.value.unit == "bar"
            and made.preprocess.std == (255.0,) * 3
        ),
    ),
    "detection": Brought(
        content=detector(),
        words=("--input-range", "0..1", "--min-score", 0.4),
        right=lambda made: (
            made.decoder.detection is not None and made.decoder.detection.min_score == 0.4
        ),
    ),
    "segmentation": Brought(
        content=network(Output(weights=weights(4 * 4 * 5, 3), shape=(1, 4, 4, 5))),
        words=("--mean", "127.5,127.5,127.5", "--std", "127.5"),
        right=lambda made: len(made.labels) == 5,
    ),
    "picture": Brought(
        content=network(Output(weights=weights(8 * 8), shape=(1, 8, 8, 1))),
        words=("--input-range", "-1..1", "--task", "picture"),
        right=lambda made: made.labels == (),
    ),
    "pose": Brought(
        content=network(
            Output(weights=weights(3 * 3 * 4, 5), shape=(1, 3, 3, 4)),
            Output(weights=weights(3 * 3 * 8), shape=(1, 3, 3, 8)),
        ),
        right=lambda made: made.decoder.pose is not None,
    ),
    "embedding": Brought(
        content=network(Output(weights=weights(16), op="L2_NORMALIZATION")),
        right=lambda made: made.labels == (),
    ),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_colours(tmp_path_factory.mktemp("pictures"), 160)


def test_every_task_of_edgeinfer_is_here() -> None:
    # A plain model of points is not recognized.
    assert {*MODELS} == {*OWN} - {"points"}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_each_task_is_converted_and_compared(
    name: str, pictures: Path, tmp_path: Path
) -> None:
    brought = MODELS[name]
    path, out = tmp_path / "model.tflite", tmp_path / "x.edgebundle"
    path.write_bytes(brought.content)
    words = ("--pictures", pictures, "--out", out, "--no-install", "--json", *brought.words)
    finished = edgeinfer_here("convert", path, *words)
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    print(name, answer)
    assert 0.9 < answer["agreement.int8"] <= 1
    assert answer["agreement.samples"] >= 60
    with open_bundle(out) as bundle:
        assert bundle.manifest.task == name
        assert brought.right(bundle.manifest)
        assert bundle.manifest.provenance["convert.input-range"] == "the options state it"
    with Model.open(out) as model:
        assert model.predict(pictures / "000.png").to_json()


def test_float16_weights_are_quantized_as_those_of_float32(pictures: Path, tmp_path: Path) -> None:
    sizes = []
    content = network(Output(weights=weights(8)[:, :32]), hidden=[weights(32)])
    for number, model in enumerate((content, cast_float16(content, subject="it"))):
        path, out = tmp_path / f"{number}.tflite", tmp_path / f"{number}.edgebundle"
        path.write_bytes(model)
        words = (path, "--pictures", pictures, "--out", out, "--no-install", "--json")
        finished = edgeinfer_here("convert", *words, "--input-range", "-1..1")
        assert finished.returncode == 0, finished.stderr
        sizes.append(json.loads(finished.stdout)["size.int8.bytes"])
    assert sizes[1] < 1.3 * sizes[0]


def test_a_task_that_nothing_compares_is_converted_only_on_request(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "installed" / "tally-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tally\nVersion: 1\n")
    (info / "entry_points.txt").write_text(tally.ENTRY_POINTS)
    monkeypatch.syspath_prepend(info.parent)
    path, out = tmp_path / "model.tflite", tmp_path / "x.edgebundle"
    path.write_bytes(MODELS["value"].content)
    words = (path, "--pictures", pictures, "--out", out, "--no-install", "--json")
    said = ("--input-range", "0..1", "--task", "tally", "--unit", "pieces")

    line = error_line(edgeinfer_here("convert", *words, *said))
    assert "its task is 'tally', and nothing that is installed compares such answers" in line
    assert line.endswith("; --min-agreement 0 converts it unmeasured")
    assert not out.exists()

    finished = edgeinfer_here("convert", *words, *said, "--min-agreement", 0)
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    assert answer["agreement.samples"] == 0
    assert "agreement.int8" not in answer
    assert answer["warnings"] == [
        "agreement with float32 is not known: there was nothing to compare"
    ]
    with open_bundle(out) as bundle:
        assert bundle.manifest.task == "tally"


def test_what_the_user_says_must_fit_the_model(pictures: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "model.tflite", tmp_path / "x.edgebundle"
    path.write_bytes(MODELS["classification"].content)
    words = ("convert", path, "--pictures", pictures, "--out", out, "--no-install")
    ranged = ("--input-range", "-1..1")
    cases: list[tuple[tuple[object, ...], str, int]] = [
        ((), "nothing in the file states the range of its pixels, expected --input-range", 1),
        (("--mean", "1"), "--input-range: std is missing, expected mean and std together", 2),
        ((*ranged, "--mean", "1", "--std", "2"), "an input range is given together with", 2),
        ((*ranged, "--unit", "bar"), "--unit: is given for a model of task 'classification'", 2),
        ((*ranged, "--task", "pose"), "cannot be read as task 'pose'", 1),
        ((*ranged, "--task", "flight"), "task is 'flight', expected one of", 2),
        ((*ranged, "--channels", "grey"), "has 3 channels, expected as many as grey has", 1),
    ]
    for said, part, code in cases:
        assert part in error_line(edgeinfer_here(*words, *said), code=code), said
    assert not out.exists()


def test_a_quantized_model_is_adopted_instead(pictures: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "model.tflite", tmp_path / "x.edgebundle"
    path.write_bytes(MODELS["classification"].content)
    ranged = ("--input-range", "-1..1")
    words = (path, "--pictures", pictures, "--out", out, "--no-install", "--json", *ranged)
    assert edgeinfer_here("convert", *words).returncode == 0
    with open_bundle(out) as bundle:
        path.write_bytes(bundle.member("variants/cpu.tflite"))
    out.unlink()
    for option, value in (("--precision", "float16"), ("--repair", "none"), ("--max-drop", 2)):
        line = error_line(edgeinfer_here("convert", *words, option, value), code=2)
        assert line.startswith(f"error: {option}: given for a model that is quantized already")
    line = error_line(edgeinfer_here("convert", *words, "--task", "pose"))
    assert "cannot be read as task 'pose'" in line
    assert not out.exists()

    finished = edgeinfer_here("convert", *words, "--golden-frames", 3)
    assert finished.returncode == 0, finished.stderr
    assert f"{path}: is quantized already, and is adopted as it is" in finished.stderr
    with open_bundle(out) as bundle:
        assert bundle.member(bundle.manifest.main_variant.file) == path.read_bytes()
        assert bundle.manifest.provenance["adopt.source"] == "model.tflite"
        assert len(bundle.manifest.golden) == 3
    with pytest.raises(ModelError, match=r"is quantized already.*`edgeinfer adopt "):
        import_model(path, tmp_path, tensorflow=Here())


def test_a_label_that_occurs_twice_gets_its_number(pictures: Path, tmp_path: Path) -> None:
    """ImageNet has two cranes."""
    path, out, labels = (tmp_path / name for name in ("m.tflite", "x.edgebundle", "labels.txt"))
    path.write_bytes(MODELS["classification"].content)
    labels.write_text("crane\ncrane\n")
    words = (path, "--pictures", pictures, "--out", out, "--no-install", "--labels", labels)
    finished = edgeinfer_here("convert", *words, "--input-range", "-1..1")
    assert finished.returncode == 0, finished.stderr
    with open_bundle(out) as bundle:
        assert bundle.manifest.labels == ("crane", "crane (class 1)")
