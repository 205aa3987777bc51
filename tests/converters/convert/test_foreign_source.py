"""Other people's models: real files of every kind, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.foreign_model import ForeignModel
from edgeinfer.converters.convert.foreign_pictures import find_pictures
from edgeinfer.converters.convert.foreign_source import ForeignSource
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import ConvertResult
from edgeinfer.converters.convert.pipeline import convert as convert_source
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.quantize.quantize import Backend, QuantizeOptions
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tensorflow.import_model import float_tflite, is_foreign, source_kind
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import (
    ConversionError,
    DataError,
    EdgeinferError,
    ModelError,
)
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tflite.reader import read_tflite
from tests.support.program import edgeinfer, edgeinfer_here, error_line

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_tensorflow")]

OPTIONS = ConvertOptions(calibration_images=20, golden_frames=3)


@pytest.fixture(scope="module")
def pictures(trained_folder: Path) -> Path:
    """Reddish and bluish pictures, without their labels."""
    return trained_folder / "pictures"


@pytest.fixture(scope="module")
def files(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same model as `.keras`, `.h5`, SavedModel and float `.tflite`."""
    import keras

    folder = tmp_path_factory.mktemp("files")
    model = keras.saving.load_model(trained_folder / KERAS_FILE, compile=False)
    found = {kind: folder / f"colours.{kind}" for kind in ("keras", "h5", "tflite")}
    model.save(found["keras"])
    # Keras calls the format legacy, which is why people have such files.
    model.save(found["h5"])
    found["saved_model"] = folder / "saved"
    model.export(found["saved_model"], format="tf_saved_model", verbose=False)
    found["tflite"].write_bytes(float_tflite(found["keras"], tensorflow=Here()))
    return found


def convert(path: Path, out: Path, pictures: Path, **changes: Any) -> ConvertResult:
    model = ForeignModel(pictures=pictures, input_range="-1..1", **changes)
    return convert_source(ForeignSource(path=path, model=model), out, OPTIONS, Silent())


def agreement(result: ConvertResult) -> Evaluation:
    return result.evaluations["agreement"]["int8"]


@pytest.mark.parametrize("kind", ["keras", "h5", "saved_model", "tflite"])
def test_every_kind_of_file_gives_a_bundle_that_verifies(
    kind: str, files: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    assert is_foreign(source_kind(files[kind]))
    result = convert(
        files[kind], tmp_path / "x.edgebundle", pictures, labels=("blue", "red"), min_agreement=0.9
    )
    assert agreement(result).score >= 0.9
    assert agreement(result).samples == 100
    assert result.manifest.labels == ("blue", "red")
    assert result.manifest.decoder.activation == "softmax"
    with open_bundle(result.bundle) as bundle:
        model = read_tflite(bundle.member("variants/cpu.tflite"), subject="x")
        assert bundle.member("report/layers.int8.png").startswith(b"\x89PNG")
        assert all(frame.label is None for frame in bundle.manifest.golden)
    assert model.fully_integer
    assert not {"SHAPE", "STRIDED_SLICE", "PACK"} & {op for op, _ in model.op_counts}


@pytest.mark.parametrize("backend", ["ai-edge-quantizer", "tensorflow"])
def test_a_keras_model_of_several_outputs(backend: Backend, pictures: Path, tmp_path: Path) -> None:
    """A PoseNet's, whose first layer states the range of its input."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 20, 3))
    features = layers.Rescaling(1 / 127.5, -1)(image)
    features = layers.Conv2D(8, 3, strides=4, padding="same", activation="relu")(features)
    outputs = [layers.Conv2D(channels, 1)(features) for channels in (4, 8)]
    path = tmp_path / "pose.keras"
    keras.Model(image, outputs).save(path)
    model = ForeignModel(pictures=pictures, min_agreement=0.8)
    options = replace(OPTIONS, quantize=QuantizeOptions(backend=backend))
    source = ForeignSource(path=path, model=model)
    result = convert_source(source, tmp_path / "x.edgebundle", options, Silent())
    assert result.manifest.task == "pose"
    assert len(result.manifest.variants["cpu"].outputs) == 2
    assert result.manifest.preprocess.std == (1.0, 1.0, 1.0)
    assert agreement(result).score > 0.8
    told = result.manifest.provenance["convert.input-range"]
    assert "its first operators" in told


def test_a_folder_of_train_is_not_foreign(trained_folder: Path) -> None:
    assert not is_foreign(source_kind(trained_folder))


def test_an_impossible_share_is_refused(tmp_path: Path) -> None:
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"min_agreement is .*, expected 0 to 1"):
            ForeignModel(pictures=tmp_path, min_agreement=share)


def make(kind: str, folder: Path) -> Path:
    """Save a model that no task reads, or that cannot be converted."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 10, 3))
    flat = layers.Flatten()(image)
    if kind == "two inputs":
        other = keras.Input((4,))
        model = keras.Model([image, other], layers.Dense(2)(layers.Concatenate()([flat, other])))
    elif kind == "two outputs":
        model = keras.Model(image, [layers.Dense(2)(flat), layers.Dense(3)(flat)])
    elif kind == "sizes that vary":
        any_size = keras.Input((None, None, 3))
        pooled = layers.GlobalAveragePooling2D()(any_size)
        model = keras.Model(any_size, layers.Dense(2)(pooled))
    elif kind == "no image":
        vector = keras.Input((12,))
        model = keras.Model(vector, layers.Dense(2)(vector))
    elif kind == "recurrent":
        rows = layers.Reshape((8, 30))(image)
        model = keras.Model(image, layers.Dense(2)(layers.LSTM(4)(rows)))
    else:

        @keras.saving.register_keras_serializable("somebody")
        class Custom(keras.layers.Layer):  # type: ignore[misc]
            def call(self, values: Any) -> Any:
                return values * 2

        model = keras.Model(image, layers.Dense(2)(Custom()(flat)))
    path = folder / "model.keras"
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("two inputs", r"has 2 inputs, expected one"),
        ("two outputs", r"and outputs \(1, \d\), \(1, \d\), expected a model of single images"),
        ("sizes that vary", r"sizes that vary; expected fixed height and width"),
        ("no image", r"its input is \(None, 12\)"),
        ("recurrent", r"operator \d+ is WHILE.*LSTM with unroll=True|killed by SIG"),
        ("custom layer", r"has the custom layer 'Custom', which only its own program knows"),
    ],
)
def test_a_model_that_no_task_reads_is_refused(
    kind: str, said: str, pictures: Path, tmp_path: Path
) -> None:
    path = make(kind, tmp_path)
    with pytest.raises((ConversionError, ModelError), match=said) as caught:
        convert(path, tmp_path / "x.edgebundle", pictures)
    assert "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["model.keras"]


def test_files_that_cannot_be_used(
    files: dict[str, Path], pictures: Path, sample_bundle: Path, tmp_path: Path
) -> None:
    truncated = tmp_path / "truncated.keras"
    truncated.write_bytes(files["keras"].read_bytes()[:2000])
    garbage = tmp_path / "garbage.tflite"
    garbage.write_bytes(b"no model at all")
    with open_bundle(sample_bundle) as bundle:
        integers = tmp_path / "int8.tflite"
        integers.write_bytes(bundle.member("variants/cpu.tflite"))
    cases: list[tuple[Path, type[EdgeinferError], str]] = [
        (tmp_path / "none.keras", ModelError, "does not exist"),
        (truncated, ConversionError, "truncated.keras: cannot be converted"),
        (garbage, ModelError, "garbage.tflite: is not a TensorFlow Lite model"),
        (integers, ModelError, "is quantized already, expected a float32 model"),
    ]
    for path, kind, said in cases:
        with pytest.raises(kind, match=said):
            convert(path, tmp_path / "x.edgebundle", pictures)
    assert not (tmp_path / "x.edgebundle").exists()


def test_pictures_and_labels_that_cannot_be_used(
    files: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    black, empty = tmp_path / "black", tmp_path / "empty"
    empty.mkdir()
    for number in range(4):
        write_atomically(black / f"{number}.png", encode_png(np.zeros((20, 20, 3), np.uint8)))
    cases: list[tuple[Path, dict[str, Any], type[EdgeinferError], str]] = [
        (black, {}, DataError, "every picture is a single colour"),
        (empty, {}, DataError, "contains no images"),
        (tmp_path / "none", {}, DataError, "is not a folder"),
        (pictures, {"labels": ("a", "b", "c")}, ModelError, "3 labels for 2 outputs"),
        (pictures, {"channels": "grey"}, ModelError, "has 3 channels, expected as many as grey"),
    ]
    for folder, changes, kind, said in cases:
        with pytest.raises(kind, match=said):
            convert(files["tflite"], tmp_path / "x.edgebundle", folder, **changes)
    assert not (tmp_path / "x.edgebundle").exists()


def test_the_program(files: dict[str, Path], pictures: Path, tmp_path: Path) -> None:
    line = error_line(edgeinfer("convert", files["tflite"]), code=2)
    assert line.startswith("error: --pictures: is missing")
    labels = tmp_path / "labels.txt"
    labels.write_text("blue\nred\n")
    done = edgeinfer(
        *("convert", files["tflite"], "--pictures", pictures, "--labels", labels, "--no-install"),
        *("--input-range", "-1..1"),
        *("--out", tmp_path / "x.edgebundle", "--report", tmp_path / "report", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["agreement.int8"] > 0.9
    assert (tmp_path / "report" / "layers.int8.csv").exists()


def test_boards_npus_and_gpus_as_for_trained_ones(
    files: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.edgebundle"
    arguments = ("convert", files["tflite"], "--pictures", pictures, "--no-install", "-o", out)
    few = ("--input-range", "-1..1", "--calibration-images", "20", "--golden-frames", "2", "--json")
    no_compiler = {"PATH": str(tmp_path), "EDGEINFER_VELA": str(tmp_path / "none")}

    usb = ("--board", "coral-usb", "--require-mapped", "100%")
    done = edgeinfer_here(*arguments, *few, *usb, env=no_compiler)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["edgetpu"]
    assert report["mapped"] == report["total"] > 0

    done = edgeinfer_here(*arguments, *few, "--board", "imx8mp", "--gpu", env=no_compiler)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {op["target"] for op in answer["vx"]["ops"]} == {"vx"}
    assert {op["target"] for op in answer["gpu"]["ops"]} == {"gpu"}
    with open_bundle(out) as bundle:
        assert set(bundle.manifest.variants) == {"cpu", "vx", "gpu"}

    for wanted in (("--board", "imx93"), ("--npu", "ethos-u65-256")):
        refused = edgeinfer_here(*arguments, *few, *wanted, env=no_compiler)
        assert "EDGEINFER_VELA does not name a program" in error_line(refused)


def test_resnet8_decides_as_float_does_as_often_as_the_reference(
    shared_data: Path, tmp_path: Path
) -> None:
    """MLPerf Tiny's ResNet8 from its .h5, on cats and dogs shrunk to 32x32 by preprocessing."""
    folder = shared_data / "mlperf_tiny"
    # What a conversion begins with: here its result is compared with, too.
    content = float_tflite(folder / "pretrainedResnet.h5", tensorflow=Here())
    path = tmp_path / "resnet8.tflite"
    path.write_bytes(content)
    options = ConvertOptions(calibration_images=300, golden_frames=3, repair="none")
    foreign = ForeignModel(pictures=shared_data / "catsdogs" / "train", input_range="0..255")
    source = ForeignSource(path=path, model=foreign)
    result = convert_source(source, tmp_path / "x.edgebundle", options, Silent())
    compared = find_pictures(
        *(foreign.pictures, options.calibration_images),
        seed=options.seed,
        task=TASK,
        said=result.manifest.said,
    ).compared
    models = {
        "float32": content,
        "reference": (folder / "pretrainedResnet_quant.tflite").read_bytes(),
    }
    reference = evaluate(
        {
            name: lambda name=name: evaluation_model(  # type: ignore[misc]
                models[name],
                subject=name,
                task="classification",
                said=result.manifest.said,
                preprocess=result.manifest.preprocess,
            )
            for name in models
        },
        compared,
        TASK,
        result.manifest.said,
        truth="float32",
    )["reference"]
    assert agreement(result).samples == reference.samples >= 1000
    print(f"ours {agreement(result).score:.2%}, the reference {reference.score:.2%}")
    assert agreement(result).score >= reference.score
