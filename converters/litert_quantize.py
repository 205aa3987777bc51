"""Full INT8 from a float `.tflite` by ai-edge-quantizer: no TensorFlow, ranges of our choice."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeinfer.converters.extras import require_packages
from edgeinfer.device.errors import ConversionError
from edgeinfer.device.tflite_file import read_tflite


def quantize_int8(
    model: bytes, ranges: Mapping[str, tuple[float, float]], *, subject: str
) -> bytes:
    """Quantize weights per channel and activations per tensor; input and output become int8.

    Args:
        model: the float `.tflite` bytes.
        ranges: (low, high) of each tensor that is computed, by name; see `calibration`.
        subject: the model's name, for errors.

    Raises:
        MissingExtraError: ai-edge-quantizer is not installed.
        ConversionError: it cannot quantize this model.
    """
    require_packages("the ai-edge-quantizer backend", "ai_edge_quantizer")
    quantizer = importlib.import_module("ai_edge_quantizer.quantizer")
    recipe = importlib.import_module("ai_edge_quantizer.recipe")
    graph = read_tflite(model, subject=subject).subgraphs[0]
    statistics: dict[str, dict[str, Any]] = {}
    for tensor in graph.tensors:
        if tensor.name in ranges:
            one_each = (1,) * len(tensor.shape)
            low, high = ranges[tensor.name]
            statistics[tensor.name] = {
                "min": np.full(one_each, low, np.float32),
                "max": np.full(one_each, high, np.float32),
            }
    try:
        with _quiet():
            work = quantizer.Quantizer(bytearray(model))
            work.load_quantization_recipe(recipe.static_wi8_ai8())
            result = work.quantize(statistics)
    except Exception as error:  # it raises whatever its parts do
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConversionError(
            subject,
            got=f"ai-edge-quantizer cannot quantize it ({reason[:300]})",
            next_step="use --backend tensorflow",
        ) from error
    return bytes(result.quantized_model)


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep the package's prints, progress bars and warnings to itself."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
