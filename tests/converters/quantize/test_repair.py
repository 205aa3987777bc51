"""The automatic repair, on a real model that plain INT8 breaks, and its choices one by one."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.foreign_model import ForeignModel
from edgeinfer.converters.convert.foreign_source import ForeignSource
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import ConvertResult, convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.measure.accuracy_gate import drop_points, within_drop
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.quantize.repair import Attempt, best_attempt, layers_to_keep
from edgeinfer.converters.quantize.repair_report import repair_json, repair_lines, tried_text
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.targets.target import TargetOptions
from edgeinfer.converters.targets.targets import Targets
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.noise_detector import LABELS, Size, drawn_pictures, train_detector
from tests.device.graph_examples import constant, image, model
from tests.support.program import edgeinfer_here


def _of_100(right: int) -> Evaluation:
    return Evaluation(
        scores=(np.arange(100) < right).astype(np.float64),
        groups=np.zeros(100, np.int64),
        group_names=LABELS[:1],
        score_name="top-1",
    )


def attempt(stage: str, right: int, kept: tuple[str, ...] = ()) -> Attempt:
    models = TfliteModels(float32=b"1234", small=b"12", precision="int8")
    return Attempt(
        stage=stage,
        models=models,
        evaluation=_of_100(right),
        kept=kept,
    )


def test_the_best_is_taken_and_of_equals_the_earliest() -> None:
    attempts = [attempt("plain", 50), attempt("a", 80), attempt("b", 80), attempt("c", 60)]
    assert best_attempt(attempts).stage == "a"


def test_the_lines_say_what_each_attempt_gave() -> None:
    kept = tuple(f"layer {i}" for i in range(7))
    lines = repair_lines([attempt("plain", 50), attempt("7 layers in float32", 89, kept)], 0.9)
    assert lines[1].split() == ["plain", "50.00%", "-40.00", "2"]
    assert lines[2].endswith("<- taken")
    assert lines[3] == ("in float32: layer 0, layer 1, layer 2, layer 3, layer 4 and 2 more")
    assert repair_lines([attempt("plain", 50)], 0.9) == []
    rows = repair_json([attempt("plain", 50), attempt("7 layers in float32", 89, kept)])
    assert [row["taken"] for row in rows] == [False, True]
    assert rows[1]["float32_layers"] == list(kept)
    assert tried_text([attempt("plain", 50), attempt("x", 60)]) == "x 60.00%"


def test_after_a_layer_that_loses_in_float_come_its_inputs() -> None:
    graph = model(
        [image(1, name=name) for name in ("in", "a", "b", "c")] + [constant(1)],
        [("CONV_2D", [0, 4], [1]), ("RSQRT", [1], [2]), ("ADD", [2, 2], [3])],
        inputs=[0],
        outputs=[3],
    ).subgraphs[0]
    assert layers_to_keep(graph, ["b", "c"], []) == ["b", "c"]
    assert layers_to_keep(graph, ["b", "c"], ["b"]) == ["a", "c"]
    assert layers_to_keep(graph, ["c"], ["c", "b"]) == ["a"]
    assert layers_to_keep(graph, ["c"], ["c", "b", "a"]) == []


@pytest.fixture(scope="module")
def detector(warm_tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise")
    return train_detector(folder, drawn_pictures(48), Size(side=48))


@pytest.fixture(scope="module")
def repaired(detector: Path) -> ConvertResult:
    options = ConvertOptions(repair="mixed", calibration_images=64)
    return convert(
        TrainedRun(folder=detector),
        detector / "noise.edgebundle",
        options,
        Silent(),
    )


@pytest.mark.slow
def test_a_model_that_plain_int8_breaks_comes_within_a_point(repaired: ConvertResult) -> None:
    reference = repaired.evaluations["validation"]["float32"]
    plain, last = repaired.attempts[0], repaired.attempts[-1]
    assert drop_points(reference, plain.evaluation) > 10
    assert within_drop(reference, repaired.evaluations["validation"]["int8"], 1.0)
    # Training pictures decided as well. What comes after the first that is good enough is never
    # tried.
    assert last.evaluation.samples > reference.samples
    assert all(100 * (last.score - a.score) > 1 for a in repaired.attempts[:-1])


@pytest.mark.slow
def test_the_layers_kept_are_named_and_are_those_that_lose_accuracy(
    repaired: ConvertResult,
) -> None:
    kept = repaired.attempts[-1].kept
    assert any("Rsqrt" in name for name in kept)
    assert any("energy" in name for name in kept)
    provenance = repaired.manifest.provenance
    assert provenance["convert.float32_layers"] == "; ".join(kept)
    with open_bundle(repaired.bundle) as bundle:
        graph = read_tflite(bundle.member("variants/cpu.tflite"), subject="it").subgraphs[0]
        table = list(csv.DictReader(io.StringIO(bundle.member("report/repair.csv").decode())))
    dtypes = {tensor.name: tensor.dtype for tensor in graph.tensors}
    assert all(dtypes[name] == "float32" for name in kept)
    assert dtypes[graph.tensors[graph.inputs[0]].name] == "int8"
    assert [row["stage"] for row in table] == [a.stage for a in repaired.attempts]
    assert [row["taken"] for row in table][-1] == "yes"


@pytest.mark.slow
def test_a_repair_that_may_not_go_far_enough_is_refused_with_what_was_tried(
    detector: Path, tmp_path: Path
) -> None:
    options = ConvertOptions(repair="clipping", calibration_images=32)
    out = tmp_path / "noise.edgebundle"
    with pytest.raises(AccuracyError) as caught:
        convert(TrainedRun(folder=detector), out, options, Silent())
    assert "tried, but not enough: ranges by min-max" in str(caught.value)
    assert not out.exists()


@pytest.mark.slow
def test_for_an_accelerator_no_layer_stays_in_float_and_training_comes_last(
    detector: Path, tmp_path: Path
) -> None:
    options = ConvertOptions(
        targets=Targets(wanted={"edgetpu": TargetOptions(board="coral-usb")}),
        quantize=QuantizeOptions(per_tensor_dense=True),
        calibration_images=32,
    )
    out = tmp_path / "noise.edgebundle"
    with pytest.raises(AccuracyError) as caught:
        convert(TrainedRun(folder=detector), out, options, Silent())
    tried = str(caught.value).split("tried, but not enough: ")[1]
    assert "float32" not in tried
    assert tried.split(", expected")[0].split(", ")[-1].startswith("quantization-aware training")


@pytest.mark.slow
def test_the_command_shows_each_stage(detector: Path, tmp_path: Path) -> None:
    out = tmp_path / "noise.edgebundle"
    result = edgeinfer_here(
        *("convert", detector, "--out", out, "--no-install", "--repair", "mixed"),
        *("--calibration-images", 64),
    )
    assert result.returncode == 0, result.stderr
    assert "plain, min-max" in result.stdout
    assert "<- taken" in result.stdout
    assert "in float32:" in result.stdout


@pytest.mark.slow
def test_a_foreign_model_is_repaired_until_it_decides_as_float_does(
    detector: Path, tmp_path: Path
) -> None:
    model = ForeignModel(
        pictures=detector / "validation", labels=LABELS, input_range="-1..1", min_agreement=0.97
    )
    options = ConvertOptions(repair="mixed", calibration_images=50)
    result = convert(
        ForeignSource(path=detector / KERAS_FILE, model=model),
        tmp_path / "noise.edgebundle",
        options,
        Silent(),
    )
    assert result.attempts[0].score < 0.9
    assert result.evaluations["agreement"]["int8"].score >= 0.97
    assert any("Rsqrt" in name for name in result.attempts[-1].kept)
    assert "convert.repair" in result.manifest.provenance
