"""Models whose weights are outside of their FlatBuffer: converted as those with weights inside."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.foreign_model import ForeignModel
from edgeinfer.converters.convert.foreign_source import ForeignSource
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.quantize.bias_correction import correct_biases
from edgeinfer.converters.quantize.calibration import activation_histograms, choose_ranges
from edgeinfer.converters.quantize.equalize import equalize
from edgeinfer.converters.quantize.float_graph import FloatGraph
from edgeinfer.converters.quantize.layer_errors import layer_errors
from edgeinfer.converters.quantize.litert import cast_float16, quantize_int8
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    TrainedModel,
    read_samples,
    read_trained,
    write_trained,
)
from edgeinfer.converters.runtime_support.op_versions import load_check
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.runner import installed_runtimes
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside
from tests.converters.keras_models import SPEC, float_model, pictures, uneven_float
from tests.device.tflite.outside_examples import offset_places, outside
from tests.support.program import edgeinfer

pytestmark = pytest.mark.slow

OPTIONS = ConvertOptions(
    calibration_images=20,
    golden_frames=3,
    quantize=QuantizeOptions(backend="ai-edge-quantizer"),
)


@lru_cache
def moved_float() -> bytes:
    return outside(uneven_float())


@lru_cache
def ranges() -> dict[str, tuple[float, float]]:
    return choose_ranges(activation_histograms(uneven_float(), SPEC, pictures), "min-max")


def test_weights_are_read_and_changed() -> None:
    inside, moved = FloatGraph(uneven_float()), FloatGraph(moved_float())
    assert moved.graph == inside.graph
    assert moved.to_bytes() == inside.to_bytes()
    for layer in inside.weighted:
        np.testing.assert_array_equal(moved.weights(layer), inside.weights(layer))
        np.testing.assert_array_equal(moved.bias(layer), inside.bias(layer))
    moved.set_weights(moved.weighted[0], 2 * inside.weights(inside.weighted[0]))
    again = FloatGraph(outside(moved.to_bytes()))
    np.testing.assert_array_equal(
        again.weights(again.weighted[0]), 2 * inside.weights(inside.weighted[0])
    )


def test_the_content_inside_is_used_first_here_too() -> None:
    """The library that reads and writes the format would take what an offset leads to."""
    schema: Any = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    model = schema.read_model_from_bytearray(bytearray(uneven_float()))
    for buffer in model.buffers:
        if buffer.data is not None:
            buffer.data, buffer.offset, buffer.size = bytes(buffer.data), 16, len(buffer.data)
    both = bytes(schema.convert_object_to_bytearray(model))
    inside = FloatGraph(uneven_float())
    given = FloatGraph(both)
    for layer in inside.weighted:
        np.testing.assert_array_equal(given.weights(layer), inside.weights(layer))


def test_quantizers_give_the_same_bytes() -> None:
    makers: list[Callable[[bytes], bytes]] = [
        lambda content: quantize_int8(content, ranges(), subject="x"),
        lambda content: cast_float16(content, subject="x"),
    ]
    for make in makers:
        assert make(moved_float()) == make(uneven_float())


def test_repairs_and_tables_are_the_same() -> None:
    small = quantize_int8(uneven_float(), ranges(), subject="x")
    inside = layer_errors(uneven_float(), small, SPEC, pictures())
    assert layer_errors(moved_float(), outside(small), SPEC, pictures()) == inside
    evened = [equalize(content, SPEC, pictures()) for content in (uneven_float(), moved_float())]
    assert evened[0] == evened[1]
    assert evened[0].groups > 1
    forms: list[Callable[[bytes], bytes]] = [lambda content: small, lambda content: outside(small)]
    corrected = [
        correct_biases(content, form, SPEC, pictures(), Silent())
        for content, form in zip((uneven_float(), moved_float()), forms, strict=True)
    ]
    assert corrected[0] == corrected[1]


def test_both_runtimes_load_it() -> None:
    small = outside(quantize_int8(uneven_float(), ranges(), subject="x"))
    for check in load_check(small, subject="x"):
        assert check.ok, check.reason
        assert check.installed


def large_model(outputs: int = 2) -> Any:
    """A network whose weights take 300 KiB as INT8."""
    import keras

    keras.utils.set_random_seed(0)
    image = keras.Input((8, 10, 3))
    features = image
    for channels in (32, 96, 320):
        features = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")(features)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(image, keras.layers.Dense(outputs)(pooled))


@pytest.fixture(scope="module")
def large_run(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `edgeinfer train` would have left of a large network."""
    folder = tmp_path_factory.mktemp("large")
    model = large_model()
    model.save(folder / KERAS_FILE)
    trained = read_trained(trained_folder)
    write_trained(
        folder,
        TrainedModel(
            name="large",
            labels=trained.labels,
            preprocess=trained.preprocess,
            provenance={"seed": "0"},
        ),
        read_samples(trained_folder),
    )
    return folder


def test_the_quantizer_keeps_weights_of_this_size_outside() -> None:
    """Else the tests below would not show what they are for."""
    model: Any = importlib.import_module("ai_edge_quantizer.quantizer")
    recipe: Any = importlib.import_module("ai_edge_quantizer.recipe")
    work = model.Quantizer(bytearray(float_model(large_model())), recipe.dynamic_wi8_afp32())
    written = bytes(work.quantize().quantized_model)
    assert len(offset_places(written)) > 1
    read = read_tflite(written, subject="x")
    assert read.constant_bytes > 256 * 1024
    assert read_tflite(with_buffers_inside(written, subject="x"), subject="x") == read


def test_a_whole_conversion(large_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "large.edgebundle"
    options = ConvertOptions(calibration_images=20, golden_frames=3, quantize=OPTIONS.quantize)
    run = TrainedRun(folder=large_run, max_drop_points=100.0)
    result = convert(run, out, options, Silent())
    assert result.manifest.provenance["convert.backend"] == "ai-edge-quantizer"
    with open_bundle(out) as bundle:
        content = bundle.member("variants/cpu.tflite")
    model = read_tflite(content, subject="x")
    assert model.fully_integer
    assert model.constant_bytes > 256 * 1024
    assert offset_places(content) == [], "older runtimes and compilers look inside alone"
    for runtime in installed_runtimes():
        answer = edgeinfer("verify", out, "--json", "--runtime", runtime)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["largest_difference"] == 0


def test_someones_float_model_with_weights_outside(trained_folder: Path, tmp_path: Path) -> None:
    inside = float_model(large_model())
    said = ForeignModel(
        pictures=trained_folder / "pictures",
        labels=("blue", "red"),
        input_range="-1..1",
        min_agreement=0.0,
    )
    bundles = []
    for folder, content in (("inside", inside), ("outside", outside(inside, least_bytes=1024))):
        path = tmp_path / folder / "large.tflite"
        path.parent.mkdir()
        path.write_bytes(content)
        with Model.open(path, said.opening()) as model:
            assert model.task == "classification"
        out = tmp_path / folder / "large.edgebundle"
        convert(ForeignSource(path=path, model=said), out, OPTIONS, Silent())
        with open_bundle(out) as bundle:
            members = {name: bundle.member(name) for name in bundle.manifest.members}
            manifest = bundle.manifest
        metrics = {k: v for k, v in manifest.metrics.items() if k != "size.float32.bytes"}
        del members["report/metrics.json"]
        bundles.append((members, metrics, replace(manifest, metrics={}, members={})))
    assert bundles[0] == bundles[1]
