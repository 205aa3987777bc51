"""From a trained folder to a bundle, with the real converter."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from edgeinfer.converters.api import convert as convert_from_python
from edgeinfer.converters.bundle.golden import MAX_SIDE, choose_samples, make_golden
from edgeinfer.converters.bundle.install import install_bundle
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.page import write_report
from edgeinfer.converters.convert.pipeline import ConvertResult, convert
from edgeinfer.converters.convert.run_source import (
    DECIDING_PICTURES,
    CalibrationDraw,
    TrainedRun,
    calibration_samples,
)
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import AccuracyError, ConversionError, ModelError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.runtime.runner import installed_runtimes
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.common.listening import Listening
from tests.support.html import read_page
from tests.support.program import edgeinfer, edgeinfer_here, error_line
from tests.system.vela import cached_vela

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_tensorflow")]

OPTIONS = ConvertOptions(calibration_images=40, golden_frames=4)


@pytest.fixture(scope="module")
def converted(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ConvertResult:
    out = tmp_path_factory.mktemp("out") / "colours.edgebundle"
    result = convert(TrainedRun(folder=trained_folder), out, OPTIONS, Silent())
    assert result.bundle == out
    return result


@pytest.fixture(scope="module")
def bundle(converted: ConvertResult) -> Path:
    return converted.bundle


def test_unknown_is_chosen_on_validation_and_carried(trained_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "careful.edgebundle"
    result = convert(TrainedRun(folder=trained_folder, unknown_share=0.1), out, OPTIONS, Silent())
    decoder = result.manifest.decoder
    assert decoder.unknown_below is not None
    assert result.manifest.schema_version == 3
    validation, test = (result.evaluations[name]["int8"] for name in ("validation", "test"))
    assert isinstance(validation, ClassEvaluation)
    assert isinstance(test, ClassEvaluation)
    lost = validation.certainties(decoder.temperature or 1.0)[validation.right]
    assert (lost < decoder.unknown_below).mean() <= 0.1
    assert test.unknown is not None
    assert result.manifest.metrics["test.int8.unknown"] == pytest.approx(test.unknown.mean())
    assert "test.int8.ece" in result.manifest.metrics
    with Model.open(out) as model:
        answer = model.predict(np.full((32, 32, 3), 128, np.uint8))
    assert isinstance(answer, Classification)
    assert answer.unknown == (answer.probability < decoder.unknown_below)
    assert answer.to_json()["unknown"] is answer.unknown


def test_the_bundle_answers_as_the_keras_model_does(bundle: Path, trained_folder: Path) -> None:
    right = 0
    samples = read_samples(trained_folder)["test"]
    with Model.open(bundle) as model:
        for sample in samples:
            prediction = model.predict(read_sample(sample.source))
            assert isinstance(prediction, Classification)
            assert prediction.probabilities.sum() == pytest.approx(1.0)
            right += prediction.label == model.labels[sample.target]
        assert model.labels == ("blue", "red")
    with open_bundle(bundle) as opened:
        metrics = opened.manifest.metrics
    assert right / len(samples) == metrics["test.int8.top1"] > 0.9
    assert metrics["test.samples"] == 30


def test_the_model_is_integers_from_end_to_end(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        variant = opened.manifest.variants["cpu"]
    assert (variant.input.dtype, variant.output.dtype) == ("int8", "int8")
    assert variant.input.shape == (1, 8, 10, 3)
    assert variant.delegate is None


def test_the_page_next_to_the_bundle_has_what_is_known_of_it(converted: ConvertResult) -> None:
    said: list[str] = []
    report = write_report(converted, said.append)
    assert said == []
    assert report is not None
    assert report.page is not None
    assert {"report.html", "MODEL_CARD.md", "metrics.json"} <= {*report.names}
    assert report.text().endswith(f"the page: {report.page}")
    page = report.page.read_bytes()
    read = read_page(page.decode())
    for chapter in ("float32 and INT8", "Answers of INT8 on test", "Layer errors", "Versions"):
        assert chapter in read.text
    score = converted.evaluations["test"]["int8"].score
    assert f"top-1, INT8, test {100 * score:.2f} %" in read.text
    assert "30" in read.text
    assert read.elements["svg"] >= 3
    write_report(converted, said.append)
    assert report.page.read_bytes() == page
    card = (report.folder / "MODEL_CARD.md").read_text()
    assert f"| test, int8 | {100 * score:.2f} % (" in card


def test_the_report_holds_the_numbers_behind_the_metrics(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        report = json.loads(opened.member("report/metrics.json"))
        table = opened.member("report/confusion.test.int8.csv").decode().splitlines()
        picture = opened.member("report/confusion.test.int8.png")
        assert report == opened.manifest.metrics
    assert table[0] == "truth \\ answer,blue,red"
    assert sum(int(x) for row in table[1:] for x in row.split(",")[1:]) == 30
    assert picture.startswith(b"\x89PNG")


def test_converting_again_gives_the_same_bytes(
    bundle: Path, trained_folder: Path, tmp_path: Path
) -> None:
    again = tmp_path / bundle.name
    convert_from_python(str(trained_folder), str(again), OPTIONS, progress=Silent())
    assert again.read_bytes() == bundle.read_bytes()


def test_the_bundle_verifies_with_every_runtime(bundle: Path) -> None:
    # In separate processes: tflite-runtime cannot load next to TensorFlow.
    for runtime in installed_runtimes():
        answer = edgeinfer("verify", bundle, "--json", "--runtime", runtime)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["largest_difference"] == 0


def test_int8_that_loses_too_much_writes_nothing(trained_folder: Path, tmp_path: Path) -> None:
    # No INT8 model gains 101 points, so this limit refuses every one.
    impossible = TrainedRun(folder=trained_folder, max_drop_points=-101.0)
    options = replace(OPTIONS, repair="none")
    with pytest.raises(AccuracyError, match=r"INT8 loses .* expected at most -101"):
        convert(impossible, tmp_path / "x.edgebundle", options, Silent())
    assert list(tmp_path.iterdir()) == []


def test_training_pictures_decide_where_validation_has_few(
    trained_folder: Path, tmp_path: Path, converted: ConvertResult
) -> None:
    splits = read_samples(trained_folder)
    few, train = len(splits["validation"]), len(splits["train"])
    assert few < DECIDING_PICTURES
    further = converted.opened.further
    assert len(further) == min(train, DECIDING_PICTURES - few)
    assert {sample.source for sample in further} <= {one.source for one in splits["train"]}
    said = f"{few} validation pictures and {len(further)} training pictures"
    assert converted.manifest.provenance["convert.decided-on"] == said
    # What is reported is of validation alone.
    assert converted.evaluations["validation"]["int8"].samples == few
    with pytest.raises(AccuracyError, match=f"on {few + len(further)} validation and training"):
        convert(
            TrainedRun(folder=trained_folder, max_drop_points=-101.0),
            tmp_path / "none.edgebundle",
            ConvertOptions(calibration_images=40, golden_frames=4, repair="none"),
            Silent(),
        )


def test_a_damaged_keras_file_is_named(trained_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained_folder, folder, ignore=shutil.ignore_patterns("pictures"))
    (folder / KERAS_FILE).write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(ConversionError, match=r"model\.keras: cannot be converted") as caught:
        convert(TrainedRun(folder=folder), tmp_path / "x.edgebundle", OPTIONS, Silent())
    assert "\n" not in str(caught.value)
    (folder / KERAS_FILE).unlink()
    with pytest.raises(ModelError, match=r"model\.keras: does not exist"):
        convert(TrainedRun(folder=folder), tmp_path / "x.edgebundle", OPTIONS, Silent())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_converter_that_is_killed_is_reported_as_such(
    trained_folder: Path, tmp_path: Path, train_samples: list[Sample]
) -> None:
    """An LSTM with INT8 kills TensorFlow's converter; the caller gets a sentence."""
    import keras

    image = keras.Input((8, 10, 3))
    rows = keras.layers.Reshape((8, 30))(image)
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.LSTM(4)(rows)))
    path = tmp_path / "lstm.keras"
    model.save(path)
    spec = read_trained(trained_folder).preprocess
    with (
        TensorflowProcess() as tensorflow,
        pytest.raises(ConversionError, match=r"killed by SIG|cannot be converted"),
    ):
        convert_keras(path, spec, train_samples[:2], tensorflow=tensorflow)


def test_golden_frames_take_the_classes_in_turn() -> None:
    samples = [Sample(source=str(i), target=label) for i, label in enumerate([0, 0, 0, 1, 2, 2])]
    assert [s.source for s in choose_samples(samples, 5, TASK)] == ["0", "3", "4", "1", "5"]
    assert len(choose_samples(samples, 100, TASK)) == 6
    assert choose_samples([], 3, TASK) == []


def test_large_golden_frames_are_scaled_down(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    pixels = np.random.default_rng(0).integers(0, 256, (900, 1500, 3)).astype(np.uint8)
    write_atomically(path, encode_png(pixels))
    with open_bundle(bundle) as opened:
        model, manifest = opened.member("variants/cpu.tflite"), opened.manifest
    golden = make_golden(
        model,
        manifest.preprocess,
        [Sample(source=str(path), target=1)],
        task="classification",
        said=manifest.said,
    )
    kept = tmp_path / "kept.png"
    kept.write_bytes(golden.members[golden.frames[0].file])
    assert read_sample(str(kept)).shape == (900 * MAX_SIDE // 1500, MAX_SIDE, 3)


def test_calibration_is_balanced_and_seeded() -> None:
    train = [Sample(source=str(i), target=int(i >= 90)) for i in range(100)]
    chosen = calibration_samples(train, 10, seed=3, task=TASK)
    assert sum(sample.target for sample in chosen) == 5
    assert chosen == calibration_samples(train, 10, seed=3, task=TASK)
    assert chosen != calibration_samples(train, 10, seed=4, task=TASK)


def test_calibration_samples_as_they_come() -> None:
    """Nine of ten are of one class: balanced draws as many of each, as-is about nine of ten."""
    train = [Sample(source=f"{i}.png", target=int(i % 10 == 0)) for i in range(1000)]
    shares = {}
    for draw in get_args(CalibrationDraw):
        chosen = calibration_samples(train, 100, draw=draw, task=TASK)
        assert len({sample.source for sample in chosen}) == 100
        assert chosen == calibration_samples(train, 100, draw=draw, task=TASK)
        shares[draw] = sum(sample.target for sample in chosen)
    assert shares["balanced"] == 50
    assert 2 <= shares["as-is"] <= 25
    with pytest.raises(ValueError, match="calibration_draw is 'some'"):
        TrainedRun(folder=Path("run"), calibration_draw="some")  # type: ignore[arg-type]


def test_evaluation_counts_every_answer(bundle: Path, trained_folder: Path) -> None:
    with open_bundle(bundle) as opened:
        model, manifest = opened.member("variants/cpu.tflite"), opened.manifest
    samples = read_samples(trained_folder)["validation"]
    told = Listening()
    results = evaluate(
        {
            "int8": lambda: evaluation_model(
                model,
                subject="x",
                task="classification",
                said=manifest.said,
                preprocess=manifest.preprocess,
            )
        },
        samples,
        TASK,
        manifest.said,
        progress=told,
    )
    assert results["int8"].samples == len(samples) == sum(told.advances)
    answered = results["int8"]
    assert isinstance(answered, ClassEvaluation)
    assert answered.confusion.sum(axis=1).tolist() == [15, 15]


def test_installing_copies_to_the_data_folder(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    installed = install_bundle(bundle)
    assert installed == tmp_path / "edgeinfer" / "colours.edgebundle"
    assert installed.read_bytes() == bundle.read_bytes()


def test_jpegs_are_decoded_as_the_bundle_says(trained_folder: Path, tmp_path: Path) -> None:
    options = ConvertOptions(calibration_images=10, golden_frames=2, jpeg_reduction=4)
    run = TrainedRun(folder=trained_folder, max_drop_points=100.0)
    result = convert(run, tmp_path / "x.edgebundle", options, Silent())
    assert result.manifest.preprocess.jpeg_reduction == 4
    with Model.open(result.bundle) as model:
        assert model.preprocessor.spec.jpeg_reduction == 4


FLOAT_ENDS: tuple[Precision, ...] = ("float32", "float16", "dynamic")


@pytest.mark.parametrize("precision", ["uint8", "int16x8", "dynamic", "float16", "float32"])
def test_every_precision_answers_and_verifies(
    precision: Precision, trained_folder: Path, tmp_path: Path
) -> None:
    options = ConvertOptions(
        calibration_images=40, golden_frames=4, quantize=QuantizeOptions(precision=precision)
    )
    result = convert(
        TrainedRun(folder=trained_folder), tmp_path / "x.edgebundle", options, Silent()
    )
    variant = result.manifest.variants["cpu"]
    dtype = {"int16x8": "int16", "uint8": "uint8"}.get(precision, "float32")
    assert (variant.precision, variant.input.dtype, variant.output.dtype) == (
        precision,
        dtype,
        dtype,
    )
    assert (variant.output.scale > 0) == (precision not in FLOAT_ENDS)
    assert result.manifest.metrics[f"test.{precision}.top1"] > 0.9
    # TensorFlow and tflite-runtime cannot share a process.
    for runtime in installed_runtimes():
        run = edgeinfer_here if runtime == "ai-edge-litert" else edgeinfer
        verified = run("verify", result.bundle, "--json", env={"EDGEINFER_RUNTIME": runtime})
        assert verified.returncode == 0, verified.stderr
        assert json.loads(verified.stdout)["runtime"].startswith(runtime)
    frame = tmp_path / "frame.png"
    with open_bundle(result.bundle) as opened:
        frame.write_bytes(opened.member(result.manifest.golden[0].file))
    answers = set()
    for runtime in installed_runtimes():
        run = edgeinfer_here if runtime == "ai-edge-litert" else edgeinfer
        done = run(
            *("predict", "--model", result.bundle, frame, "--json"),
            env={"EDGEINFER_RUNTIME": runtime},
        )
        answers.add(json.loads(done.stdout)["label"])
    assert answers == {result.manifest.golden[0].label}


def test_dense_layers_with_one_scale(trained_folder: Path, tmp_path: Path) -> None:
    scales = {}
    for per_tensor in (False, True):
        options = ConvertOptions(
            calibration_images=10,
            golden_frames=2,
            quantize=QuantizeOptions(per_tensor_dense=per_tensor),
        )
        result = convert(
            TrainedRun(folder=trained_folder), tmp_path / "x.edgebundle", options, Silent()
        )
        with open_bundle(result.bundle) as opened:
            model = read_tflite(opened.member("variants/cpu.tflite"), subject="x")
        graph = model.subgraphs[0]
        dense = next(op for op in graph.operators if op.op == "FULLY_CONNECTED")
        quantization = graph.tensors[dense.inputs[1]].quantization
        assert quantization is not None
        scales[per_tensor] = len(quantization.scales)
    assert scales == {False: 2, True: 1}


@pytest.mark.system
@pytest.mark.parametrize("wanted", [("--npu", "ethos-u65-256"), ("--board", "imx93")])
def test_a_variant_for_an_npu(
    wanted: tuple[str, str], trained_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "colours.edgebundle"
    vela = {"EDGEINFER_VELA": str(cached_vela())}
    arguments = ("convert", trained_folder, "--out", out, "--no-install", *wanted)
    done = edgeinfer(*arguments, env=vela)
    assert done.returncode == 0, done.stderr
    assert "ethos-u65-256: " in done.stdout
    assert "by vela's own estimate, not measured" in " ".join(done.stdout.split())
    with open_bundle(out) as opened:
        cpu, npu = (opened.manifest.variants[name] for name in ("cpu", "ethos-u65-256"))
        report = json.loads(opened.member("report/vela.ethos-u65-256.json"))
        cycles = opened.manifest.metrics["vela.ethos-u65-256.cycles"]
    assert (npu.delegate, npu.golden_outputs) == ("ethos-u", cpu.golden_outputs)
    assert npu.output_tolerance == cpu.output_tolerance
    assert cycles == report["cycles"] > 0
    assert edgeinfer("verify", out).returncode == 0


def test_variants_for_an_npu_and_a_gpu(trained_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "colours.edgebundle"
    arguments = ("convert", trained_folder, "--out", out, "--no-install", "--calibration-draw")
    few = ("as-is", "--calibration-images", "20", "--golden-frames", "3")
    done = edgeinfer(*arguments, *few, "--board", "imx8mp", "--gpu")
    assert done.returncode == 0, done.stderr
    assert "operators will run on the NPU (VX delegate), in 1 part" in done.stdout
    assert "operators will run on the GPU, in 1 part" in done.stdout
    with open_bundle(out) as opened:
        written = opened.manifest
        labels = {frame.label for frame in written.golden}
    cpu, vx, gpu = (written.variants[name] for name in ("cpu", "vx", "gpu"))
    assert (vx.file, vx.delegate, vx.golden_outputs) == (cpu.file, "vx", cpu.golden_outputs)
    assert (gpu.delegate, gpu.precision, gpu.input.dtype) == ("gpu", "float16", "float32")
    assert written.provenance["convert.calibration-draw"] == "as-is"
    assert labels <= set(written.labels)
    assert edgeinfer("verify", out).returncode == 0


def test_without_vela_nothing_is_converted(trained_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "colours.edgebundle"
    none = {"EDGEINFER_VELA": str(tmp_path / "absent")}
    arguments = ("convert", trained_folder, "--out", out, "--npu", "ethos-u55-128")
    assert "EDGEINFER_VELA does not name a program" in error_line(
        edgeinfer_here(*arguments, env=none)
    )
    board = ("convert", trained_folder, "--out", out, "--board", "imx93")
    assert "EDGEINFER_VELA does not name a program" in error_line(edgeinfer_here(*board, env=none))
    wrong = edgeinfer_here(*arguments, "--precision", "float16", env=none)
    assert "does not work with --precision float16" in error_line(wrong, code=2)
    assert not out.exists()
