"""Full INT8 from a float `.tflite` by ai-edge-quantizer: no TensorFlow, ranges of our choice."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import re
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from edgeinfer.converters.extras import require_packages
from edgeinfer.device.errors import ConversionError
from edgeinfer.device.tflite_file import read_tflite


def quantize_int8(
    model: bytes,
    ranges: Mapping[str, tuple[float, float]],
    *,
    subject: str,
    keep_float: Collection[str] = (),
    per_tensor_dense: bool = False,
) -> bytes:
    """Quantize weights per channel and activations per tensor; input and output become int8.

    Args:
        model: the float `.tflite` bytes.
        ranges: (low, high) of each tensor that is computed, by name; see `calibration`.
        subject: the model's name, for errors.
        keep_float: results, by name, whose operators go on computing in float32.
        per_tensor_dense: give all weights of a dense layer one scale.

    Raises:
        MissingExtraError: ai-edge-quantizer is not installed.
        ConversionError: it cannot quantize this model.
    """
    require_packages("the ai-edge-quantizer backend", "ai_edge_quantizer")
    quantizer = importlib.import_module("ai_edge_quantizer.quantizer")
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
            work.load_quantization_recipe(_recipe(keep_float, per_tensor_dense))
            result = work.quantize(statistics)
    except Exception as error:  # it raises whatever its parts do
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConversionError(
            subject,
            got=f"ai-edge-quantizer cannot quantize it ({reason[:300]})",
            next_step="use --backend tensorflow",
        ) from error
    return bytes(result.quantized_model)


def _recipe(keep_float: Collection[str], per_tensor_dense: bool) -> Any:
    """Return what is quantized and how; a later rule goes before an earlier one."""
    manager = importlib.import_module("ai_edge_quantizer.recipe_manager").RecipeManager()
    qtyping = importlib.import_module("ai_edge_quantizer.qtyping")
    algorithms = importlib.import_module("ai_edge_quantizer.algorithm_manager").AlgorithmName
    kinds = qtyping.TFLOperationName
    everything: dict[str, Any] = {"activation_num_bits": 8, "weight_num_bits": 8}
    manager.add_static_config(regex=".*", operation_name=kinds.ALL_SUPPORTED, **everything)
    if per_tensor_dense:
        manager.add_static_config(
            regex=".*;",  # another rule than the first: a scope is its results' names, each with ;
            operation_name=kinds.FULLY_CONNECTED,
            weight_granularity=qtyping.QuantGranularity.TENSORWISE,
            **everything,
        )
    for name in keep_float:
        manager.add_quantization_config(
            regex=f"(^|;){re.escape(name)};",
            operation_name=kinds.ALL_SUPPORTED,
            algorithm_key=algorithms.NO_QUANTIZE,
        )
    return manager.get_quantization_recipe()


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
