"""INT8 and float16 from a float `.tflite` by ai-edge-quantizer: no TensorFlow, our own ranges."""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import sys
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TextIO

import numpy as np

from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.runtime.quiet_runtime import quiet_runtime
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside

_PACKAGE = "ai_edge_quantizer"


def quantize_int8(
    model: bytes,
    ranges: Mapping[str, tuple[float, float]],
    *,
    subject: str,
    keep_float: Collection[str] = (),
    per_tensor_dense: bool = False,
) -> bytes:
    """Quantize weights per channel and activations per tensor; input and output become int8.

    Outputs without a range, as those of a detector's post-processing, stay in float32.

    Args:
        model: the float `.tflite` bytes.
        ranges: (low, high) of each tensor that is computed, by name; see `calibration`.
        subject: the model's name, for errors.
        keep_float: results, by name, whose operators go on computing in float32.
        per_tensor_dense: give all weights of a dense layer one scale.

    Raises:
        MissingExtraError: ai-edge-quantizer is not installed.
        ConversionError: it cannot quantize this model.
        ModelError: the model is damaged.
    """
    require_packages("the ai-edge-quantizer backend", "ai_edge_quantizer")
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
    measured = all(graph.tensors[index].name in ranges for index in graph.outputs)
    return _quantized(
        model,
        _recipe(keep_float, per_tensor_dense, float_outputs=not measured),
        statistics,
        subject=subject,
        next_step="use --backend tensorflow",
    )


def cast_float16(model: bytes, *, subject: str, next_step: str = "convert without --gpu") -> bytes:
    """Store weights as float16, behind operators that turn them into float32 again.

    Args:
        model: the float `.tflite` bytes.
        subject: the model's name, for errors.
        next_step: what else to do, for errors.

    Raises:
        MissingExtraError: ai-edge-quantizer is not installed.
        ConversionError: it cannot convert this model.
    """
    require_packages("float16", "ai_edge_quantizer")
    manager = importlib.import_module("ai_edge_quantizer.recipe_manager").RecipeManager()
    qtyping = importlib.import_module("ai_edge_quantizer.qtyping")
    algorithms = importlib.import_module("ai_edge_quantizer.algorithm_manager").AlgorithmName
    manager.add_weight_only_config(
        ".*",
        qtyping.TFLOperationName.ALL_SUPPORTED,
        num_bits=16,
        granularity=qtyping.QuantGranularity.TENSORWISE,
        algorithm_key=algorithms.FLOAT_CASTING,
    )
    recipe = manager.get_quantization_recipe()
    return _quantized(model, recipe, None, subject=subject, next_step=next_step)


def _quantized(
    model: bytes,
    recipe: Any,
    statistics: dict[str, dict[str, Any]] | None,
    *,
    subject: str,
    next_step: str,
) -> bytes:
    quantizer = importlib.import_module("ai_edge_quantizer.quantizer")
    inside = with_buffers_inside(model, subject=subject)
    try:
        with _quiet():
            work = quantizer.Quantizer(bytearray(_modern(inside)))
            work.load_quantization_recipe(recipe)
            result = work.quantize(
                statistics, enable_progress_bar=False, enable_progress_report=False
            )
    except Exception as error:  # it passes on any exception of its parts
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConversionError(
            subject,
            got=f"ai-edge-quantizer cannot quantize it ({reason[:300]})",
            next_step=next_step,
        ) from error
    return _within_flatbuffer(result.quantized_model)


def _modern(model: bytes) -> bytes:
    """Return a model in the form in which files are written today.

    Older files, TensorFlow 2.3 and before, have no list of signatures, on which ai-edge-quantizer
    fails where an output stays in float; and the code of each operator only in the field that was
    replaced, so that it takes every operator for an ADD.
    """
    tools = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    read = tools.read_model_from_bytearray(bytearray(model))
    old = [code for code in read.operatorCodes if code.builtinCode < code.deprecatedBuiltinCode]
    if read.signatureDefs is not None and not old:
        return model
    read.signatureDefs = read.signatureDefs or []
    for code in old:
        code.builtinCode = code.deprecatedBuiltinCode
    return _packed(read)


def _within_flatbuffer(model: Any) -> bytes:
    """Return ai-edge-quantizer's result with all data inside the FlatBuffer.

    It puts buffers of 1 KiB or more after it if they take 256 KiB together. Both runtimes read
    that, tflite-runtime 2.14 and ai-edge-litert, and so does `read_tflite`; runtimes and compilers
    from before 2023, such as Coral's, find no weights then.
    """
    tools = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    return _packed(tools.read_model_from_bytearray(model))


def _packed(read: Any) -> bytes:
    """Return a model, which ai-edge-litert read, as bytes."""
    tools = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    for buffer in read.buffers:
        # Numpy arrays are packed as a whole, all else byte by byte.
        if buffer.data is not None:
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    return bytes(tools.convert_object_to_bytearray(read))


def _recipe(keep_float: Collection[str], per_tensor_dense: bool, *, float_outputs: bool) -> Any:
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
    if float_outputs:
        manager.add_quantization_config(
            regex=".*", operation_name=kinds.OUTPUT, algorithm_key=algorithms.NO_QUANTIZE
        )
    return manager.get_quantization_recipe()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide the package's messages, and no messages of others in the meantime."""
    # One for each use: the first to end must not remove what another still needs.
    ours = _OthersLogLines()
    loggers = [logging.getLogger(name) for name in ("", "absl")]
    stream: Any = _OthersWords(sys.stderr)
    # By the module that warns, permanently: removing the filter would affect other threads too.
    for package in (_PACKAGE, "ai_edge_litert"):
        warnings.filterwarnings("ignore", module=package)
    # It also opens the model.
    quiet_runtime(importlib.import_module("ai_edge_litert.interpreter"))
    for logger in loggers:
        logger.addFilter(ours)
    sys.stderr = stream
    try:
        yield
    finally:
        stream.end()
        if sys.stderr is stream:
            sys.stderr = stream.stream
        for logger in loggers:
            logger.removeFilter(ours)


class _OthersLogLines(logging.Filter):
    """Lets all lines through but the package's, which go to the root logger and to absl's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line was logged elsewhere."""
        return _PACKAGE not in record.pathname


class _OthersWords:
    """A stream that drops the text of the thread that made it and passes on that of all others."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self._unheard: int | None = threading.get_ident()

    def write(self, text: str) -> int:
        """Write, unless this thread is silenced."""
        if self.stream is None or threading.get_ident() == self._unheard:
            return len(text)
        return self.stream.write(text)

    def flush(self) -> None:
        """Flush."""
        if self.stream is not None:
            self.stream.flush()

    def end(self) -> None:
        """Stop silencing the thread, for code that has kept this stream."""
        self._unheard = None

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on to the stream."""
        return getattr(self.stream, name)
