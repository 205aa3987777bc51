"""Ranges of activations: against brute force and on a real model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun, calibration_samples
from edgeinfer.converters.quantize.calibration import (
    BINS,
    LEVELS,
    CalibrationMethod,
    Histogram,
    activation_histograms,
    choose_range,
    quantization_error,
)
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.run_folder.samples import read_sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ConversionError, UsageError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.common.listening import Listening


def histogram_of(values: NDArray[np.float64]) -> Histogram:
    low, high = float(values.min()), float(values.max())
    counts = np.histogram(values, BINS, (low, max(high, low + 1e-9)))[0]
    return Histogram(low=low, high=high, counts=counts.astype(np.int64))


def real_error(values: NDArray[np.float64], low: float, high: float) -> float:
    step = (high - low) / (LEVELS - 1)
    held = low + np.clip(np.round((values - low) / step), 0, LEVELS - 1) * step
    return float(np.square(values - held).mean())


@given(
    seed=st.integers(0, 2**31),
    shift=st.floats(-5, 5),
    outlier=st.floats(0, 200),
    method=st.sampled_from(["min-max", "percentile", "mse"]),
)
@settings(max_examples=60)
def test_zero_is_in_every_range_and_none_is_wider_than_all(
    seed: int, shift: float, outlier: float, method: CalibrationMethod
) -> None:
    values = np.random.default_rng(seed).normal(shift, 1, 3000)
    values[0] += outlier
    low, high = choose_range(histogram_of(values), method)
    assert min(0.0, values.min()) <= low <= 0.0 <= high <= max(0.0, values.max())
    assert high > low


def test_the_estimated_error_is_that_of_real_rounding() -> None:
    values = np.random.default_rng(0).normal(0, 1, 200_000)
    for high in (1.5, 3.0, 5.0):
        estimated = quantization_error(histogram_of(values), -high, high)
        assert estimated == pytest.approx(real_error(values, -high, high), rel=0.1)


def test_one_outlier_does_not_coarsen_the_rest() -> None:
    values = np.abs(np.random.default_rng(0).normal(0, 1, 50_000))
    values[0] = 60.0
    histogram = histogram_of(values)
    widest = choose_range(histogram, "min-max")
    assert widest == (0.0, 60.0)
    low, high = choose_range(histogram, "percentile")
    assert high < 30
    assert real_error(values[1:], low, high) < real_error(values[1:], *widest) / 3


@given(seed=st.integers(0, 2**31), outlier=st.floats(0, 40))
@settings(max_examples=40)
def test_mse_has_no_larger_error_than_the_whole_range(seed: int, outlier: float) -> None:
    values = np.random.default_rng(seed).laplace(0, 1, 20_000)
    values[0] += outlier
    histogram = histogram_of(values)
    best, widest = choose_range(histogram, "mse"), choose_range(histogram, "min-max")
    # The histogram only estimates; a few hundredths are its own coarseness.
    assert real_error(values, *best) <= real_error(values, *widest) * 1.05


def test_the_percentile_clips_what_it_says() -> None:
    values = np.linspace(-1, 3, 100_001)
    low, high = choose_range(histogram_of(values), "percentile")
    outside = ((values < low) | (values > high)).mean()
    assert outside <= 1e-4 + 2 / BINS
    assert -1 <= low < -0.99
    assert 2.99 < high <= 3


def test_a_tensor_that_never_changes_has_a_range() -> None:
    for value in (0.0, 2.0, -3.0):
        values = np.full(100, value)
        for method in ("min-max", "percentile", "mse"):
            low, high = choose_range(histogram_of(values), method)
            assert low <= value <= high + 1e-9


def test_min_max_goes_with_either_backend_and_the_others_with_one() -> None:
    assert QuantizeOptions().chosen_backend == "tensorflow"
    assert QuantizeOptions(calibration="mse").chosen_backend == "ai-edge-quantizer"
    assert QuantizeOptions(backend="ai-edge-quantizer").chosen_backend == "ai-edge-quantizer"
    for wrong, expected in (
        ({"calibration": "mse", "backend": "tensorflow"}, "ai-edge-quantizer"),
        ({"calibration": "mse", "precision": "uint8"}, "int8 there"),
        ({"calibration": "entropy"}, "one of"),
    ):
        with pytest.raises(UsageError, match=expected):
            QuantizeOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_histograms_hold_what_occurred(trained_folder: Path) -> None:
    trained, splits = read_trained(trained_folder), read_samples(trained_folder)
    calibration = calibration_samples(splits["train"], 12, task=trained.measured)
    models = convert_keras(
        trained_folder / KERAS_FILE,
        trained.preprocess,
        calibration,
        precision="float32",
        tensorflow=Here(),
    )

    def pictures() -> Iterator[Pixels]:
        return (read_sample(sample.source) for sample in calibration)

    told = Listening()
    found = activation_histograms(models.float32, trained.preprocess, pictures, progress=told)
    assert told.advances == [1] * 24
    graph = read_tflite(models.float32, subject="x").subgraphs[0]
    image = graph.tensors[graph.inputs[0]]
    histogram = found[image.name]
    assert histogram.counts.sum() == 12 * np.prod(image.shape)
    assert -1 <= histogram.low < histogram.high <= 1
    with pytest.raises(ConversionError, match="no pictures"):
        activation_histograms(models.float32, trained.preprocess, list)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
@pytest.mark.parametrize("method", ["min-max", "percentile", "mse"])
def test_the_second_backend_is_as_good(
    method: CalibrationMethod, trained_folder: Path, tmp_path: Path
) -> None:
    options = ConvertOptions(
        calibration_images=40,
        golden_frames=4,
        quantize=QuantizeOptions(backend="ai-edge-quantizer", calibration=method),
    )
    out = tmp_path / "x.edgebundle"
    result = convert(TrainedRun(folder=trained_folder), out, options, Silent())
    assert result.manifest.metrics["test.int8.top1"] > 0.9
    assert result.manifest.provenance["convert.backend"] == "ai-edge-quantizer"
    assert result.manifest.provenance["convert.calibration"] == method
    with open_bundle(out) as bundle:
        model = read_tflite(bundle.member("variants/cpu.tflite"), subject="x")
    assert model.fully_integer
