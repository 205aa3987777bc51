"""Where a quantized model loses, against numbers worked out by hand and a real conversion."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun, calibration_samples
from edgeinfer.converters.quantize.all_tensors import dequantize
from edgeinfer.converters.quantize.layer_errors import (
    MAX_SQNR_DB,
    LayerError,
    layer_errors,
    sqnr_db,
    worst_layer,
)
from edgeinfer.converters.quantize.layer_report import (
    describe_layer,
    layer_picture,
    layer_table,
    worst_layer_text,
)
from edgeinfer.converters.run_folder.samples import read_sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels, convert_keras
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import AccuracyError, ConversionError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.tflite.model import Quantization


def error(index: int, *, loss_db: float, op: str = "CONV_2D", clipped: float = 0.0) -> LayerError:
    return LayerError(
        index=index,
        op=op,
        tensor=f"net/layer{index}/Relu;net/layer{index}/BiasAdd",
        shape=(1, 4, 4, 8),
        sqnr_db=30.0 - loss_db,
        loss_db=loss_db,
        weight_sqnr_db=40.0 if op == "CONV_2D" else None,
        float_range=(-1.0, 2.0),
        quantized_range=(-1.5, 1.5) if op == "CONV_2D" else None,
        clipped=clipped,
    )


@pytest.mark.parametrize(
    ("signal", "noise", "expected"),
    [
        (100.0, 1.0, 20.0),
        (1.0, 1.0, 0.0),
        (1.0, 0.0, MAX_SQNR_DB),
        (0.0, 1.0, -MAX_SQNR_DB),
        (1.0, math.inf, -MAX_SQNR_DB),
        (math.nan, math.nan, -MAX_SQNR_DB),
    ],
)
def test_decibels(signal: float, noise: float, expected: float) -> None:
    assert sqnr_db(signal, noise) == pytest.approx(expected)


@given(bits=st.integers(2, 12))
def test_each_bit_is_six_decibels(bits: int) -> None:
    values = np.linspace(-1, 1, 20_001)
    step = 2.0 / 2**bits
    noise = np.square(values - np.round(values / step) * step).sum()
    found = sqnr_db(float(np.square(values).sum()), float(noise))
    # A uniform signal's own power is 1/3, a rounding error's step**2 / 12.
    assert found == pytest.approx(10 * math.log10(4 / step**2), abs=1.0)


def test_one_scale_or_one_for_each_channel() -> None:
    values = np.array([[1, 2], [3, 4]], np.int8)
    whole = Quantization(scales=(0.5,), zero_points=(1,))
    assert dequantize(values, whole).tolist() == [[0.0, 0.5], [1.0, 1.5]]
    rows = Quantization(scales=(1.0, 10.0), zero_points=(0, 1), axis=0)
    assert dequantize(values, rows).tolist() == [[1.0, 2.0], [20.0, 30.0]]
    assert dequantize(np.array([1.5], np.float32), None).tolist() == [1.5]


def test_the_worst_layer_loses_most_by_itself() -> None:
    errors = [error(0, loss_db=0.0), error(1, loss_db=9.0, clipped=0.02), error(2, loss_db=1.0)]
    assert worst_layer(errors) is errors[1]
    assert worst_layer(errors[:1]) is None
    assert worst_layer_text([]) == ""
    text = describe_layer(errors[1])
    assert text == (
        "op 1 CONV_2D 'net/layer1/Relu': 9.0 dB lost, 21.0 dB left, 2.0% of its values clipped"
    )


def test_the_table_leaves_empty_what_does_not_apply() -> None:
    rows = list(
        csv.DictReader(io.StringIO(layer_table([error(3, loss_db=1.0, op="ADD")]).decode()))
    )
    assert rows[0]["op"] == "ADD"
    assert rows[0]["weight_sqnr_db"] == rows[0]["quantized_low"] == ""
    assert float(rows[0]["sqnr_db"]) == 29.0
    assert rows[0]["shape"] == "1x4x4x8"


def test_the_picture_is_the_same_for_the_same_errors() -> None:
    errors = [error(i, loss_db=float(i), op=op) for i, op in enumerate(("CONV_2D", "ADD"))]
    picture = layer_picture(errors, "x")
    assert picture.startswith(b"\x89PNG")
    assert picture == layer_picture(errors, "x")


@pytest.fixture(scope="module")
def models(warm_tensorflow: None, trained_folder: Path) -> TfliteModels:
    trained, splits = read_trained(trained_folder), read_samples(trained_folder)
    calibration = calibration_samples(splits["train"], 40, task=trained.measured)
    return convert_keras(
        trained_folder / KERAS_FILE, trained.preprocess, calibration, tensorflow=Here()
    )


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_a_good_conversion_keeps_most_of_every_result(
    models: TfliteModels, trained_folder: Path
) -> None:
    trained, splits = read_trained(trained_folder), read_samples(trained_folder)
    pictures = [read_sample(sample.source) for sample in splits["validation"][:20]]
    errors = layer_errors(models.float32, models.small, trained.preprocess, pictures)
    assert min(item.sqnr_db for item in errors) > 15
    assert max(item.clipped for item in errors) < 0.05
    assert all(item.weight_sqnr_db is None or item.weight_sqnr_db > 30 for item in errors)
    itself = layer_errors(models.float32, models.float32, trained.preprocess, pictures[:3])
    assert {item.sqnr_db for item in itself} == {MAX_SQNR_DB}
    assert worst_layer(itself) is None


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_ranges_from_the_wrong_pictures_show_as_clipping(
    models: TfliteModels, trained_folder: Path, tmp_path: Path
) -> None:
    trained, splits = read_trained(trained_folder), read_samples(trained_folder)
    first = splits["train"][:1]
    narrow = convert_keras(
        trained_folder / KERAS_FILE, trained.preprocess, first, tensorflow=Here()
    )
    pictures = [read_sample(sample.source) for sample in splits["validation"]]
    good, bad = (
        layer_errors(models.float32, small, trained.preprocess, pictures)
        for small in (models.small, narrow.small)
    )
    assert max(item.clipped for item in bad) > max(item.clipped for item in good)
    assert min(item.sqnr_db for item in bad) < min(item.sqnr_db for item in good)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_no_pictures_are_an_error(
    models: TfliteModels, trained_folder: Path, sample_bundle: Path
) -> None:
    preprocess = read_trained(trained_folder).preprocess
    with pytest.raises(ConversionError, match="no pictures"):
        layer_errors(models.float32, models.small, preprocess, [])


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_a_refused_model_names_the_layer_and_leaves_its_report(
    trained_folder: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "x.edgebundle", tmp_path / "report"
    options = ConvertOptions(calibration_images=10, golden_frames=2, repair="none")
    run = TrainedRun(folder=trained_folder, max_drop_points=-100.0)
    with pytest.raises(AccuracyError, match=r"the largest loss is in op \d+ [A-Z_0-9]+ '"):
        convert(run, out, options, Silent(), report_folder=report)
    assert sorted(path.name for path in report.iterdir()) == ["layers.int8.csv", "layers.int8.png"]
    assert not out.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_the_bundle_carries_the_report(trained_folder: Path, tmp_path: Path) -> None:
    options = ConvertOptions(calibration_images=40, golden_frames=2)
    out = tmp_path / "x.edgebundle"
    result = convert(TrainedRun(folder=trained_folder), out, options, Silent())
    with open_bundle(out) as bundle:
        table = bundle.member("report/layers.int8.csv").decode().splitlines()
        assert bundle.member("report/layers.int8.png").startswith(b"\x89PNG")
    assert len(table) == 1 + len(result.layers)
