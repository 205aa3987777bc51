"""Bias correction: the mean that clipping moved comes back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.quantize.bias_correction import correct_biases
from edgeinfer.converters.quantize.calibration import activation_histograms
from edgeinfer.converters.quantize.float_graph import FloatGraph
from edgeinfer.converters.quantize.litert import quantize_int8
from tests.converters.common.listening import Listening
from tests.converters.keras_models import SPEC, pictures, uneven_float

pytestmark = pytest.mark.slow


def mean_outputs(content: bytes) -> NDArray[np.float64]:
    watched = WatchedModel(content, SPEC)
    total = np.zeros(3)
    for pixels in pictures():
        watched.run(pixels)
        total += watched.value(watched.graph.outputs[0])[0]
    return total / len(pictures())


def test_the_shift_of_clipped_activations_is_corrected() -> None:
    content = uneven_float()
    # Ranges that clip three fifths of what occurs within: every mean behind them is too low.
    ends = FloatGraph(content).graph
    whole = {ends.tensors[i].name for i in (*ends.inputs, *ends.outputs)}
    ranges = {
        name: (histogram.low, histogram.high * (1.0 if name in whole else 0.4))
        for name, histogram in activation_histograms(content, SPEC, pictures).items()
    }

    def quantize(model: bytes) -> bytes:
        return quantize_int8(model, ranges, subject="uneven")

    told = Listening()
    corrected = correct_biases(content, quantize, SPEC, pictures(), told)
    wanted = mean_outputs(content)
    shift = np.abs(mean_outputs(quantize(content)) - wanted).max()
    left = np.abs(mean_outputs(quantize(corrected)) - wanted).max()
    assert left < shift / 3
    assert told.told == [f"correct biases of {len(told.advances)}"]
    assert len(told.advances) > 3
