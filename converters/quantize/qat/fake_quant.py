"""A Keras model that computes as its INT8 TFLite graph would, in float32, and can be trained.

Method: fake quantization in the forward pass, straight-through gradients in the backward pass
(Jacob et al. 2018, arXiv:1712.05877, section 3). Batch normalization is folded before weights are
rounded, with its statistics held fixed, as the INT8 graph has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.quantize.calibration import (
    BINS,
    CalibrationMethod,
    Histogram,
    choose_range,
)
from edgeinfer.converters.quantize.qat.graph import Graph, Step, norm_factors
from edgeinfer.device.core.tensors import TensorSpec

Batches = Callable[[], Iterable[NDArray[np.float32]]]
"""Gives calibration images, (N, H, W, C) float32 for each batch, from the start at each call."""

WEIGHT_LEVELS = 127
"""Steps from zero to the largest weight: int8 without -128."""


class FakeQuantModel:
    """Runs a graph with TensorFlow.

    Args:
        graph: the model's.
        per_tensor_dense: one scale for all weights of a dense layer.
    """

    def __init__(self, graph: Graph, *, per_tensor_dense: bool = False) -> None:
        import tensorflow as tf

        self._graph = graph
        self._per_tensor_dense = per_tensor_dense
        self._group = _groups(graph)
        count = 1 + max(self._group.values())
        self._low = tf.Variable(tf.zeros(count), trainable=False)
        self._high = tf.Variable(tf.ones(count), trainable=False)
        self._watched = [
            graph.input,
            *(s.output for s in graph.steps if s.rounding in ("own", "shared") or s.joins),
        ]

        def extremes(images: Any) -> Any:
            results = self._watched_values(images)
            return tf.stack([(tf.reduce_min(r), tf.reduce_max(r)) for r in results])

        def counts(images: Any, limits: Any) -> Any:
            results = self._watched_values(images)
            return tf.stack(
                [tf.histogram_fixed_width(r, limits[i], BINS) for i, r in enumerate(results)]
            )

        self._extremes, self._counts = (
            tf.function(function, autograph=False, reduce_retracing=True)
            for function in (extremes, counts)
        )

    def run(self, images: Any, *, rounded: bool = True) -> list[Any]:
        """Return the outputs as float32, without a softmax at the end.

        Args:
            images: (N, H, W, C) float32: the Keras model's input, or for `rounded` the real
                values of `input_tensor`.
            rounded: compute as INT8 would; False computes as the Keras model does.
        """
        values = self._values(images, rounded)
        return [values[output] for output in self._graph.outputs]

    def calibrate(self, batches: Batches, method: CalibrationMethod) -> None:
        """Choose the activations' ranges from the float model's activations on pictures.

        Raises:
            FloatingPointError: these are infinite or not numbers.
        """
        # Where values are joined, the joined ones decide: a pool before may have dropped the rest.
        joined: dict[int, set[int]] = {}
        for step in self._graph.steps:
            if step.joins:
                joined.setdefault(self._group[step.output], set()).add(step.output)
        ranges: dict[int, tuple[float, float]] = {}
        for value, histogram in self._histograms(batches, method).items():
            group = self._group[value]
            if group in joined and value not in joined[group]:
                continue
            low, high = choose_range(histogram, method)
            before = ranges.get(group, (0.0, 0.0))
            ranges[group] = (min(before[0], low), max(before[1], high))
        low, high = np.array([ranges.get(g, (0.0, 1.0)) for g in range(self._low.shape[0])]).T
        self._low.assign(low)
        # A tensor that is always zero still needs a step.
        self._high.assign(np.maximum(high, low + 1e-6))

    def input_tensor(self) -> TensorSpec:
        """Return how the INT8 model's input is quantized, once ranges are chosen.

        The device's own table converts pixels to it: if black is -1 and white is 1, each value is
        half a step from the next integer, and that table decides in which direction it is rounded.
        """
        group = self._group[self._graph.input]
        low, high = float(self._low[group]), float(self._high[group])
        scale = float(np.float32((high - low) / 255))
        # Halves are rounded away from zero, as TensorFlow's converter does.
        zero_point = -128 - low / scale
        zero_point = int(math.copysign(math.floor(abs(zero_point) + 0.5), zero_point))
        return TensorSpec(
            name="image", shape=(1,), dtype="int8", scale=scale, zero_point=zero_point
        )

    def scales(self) -> set[float]:
        """Return the step sizes of all tensors, once ranges are chosen."""
        fixed = [step.rounding for step in self._graph.steps if isinstance(step.rounding, tuple)]
        spans = [high - low for low, high in fixed]
        return {float(s) / 255 for s in (*spans, *(self._high - self._low).numpy())}

    def _watched_values(self, images: Any) -> list[Any]:
        values = self._values(images, False)
        return [values[value] for value in self._watched]

    def _values(self, images: Any, rounded: bool) -> dict[int, Any]:
        """Return all steps' results by number."""
        graph = self._graph
        values = {graph.input: images}
        for step in graph.steps:
            result = self._compute(step, [values[i] for i in step.inputs], rounded)
            if rounded and step.rounding != "kept":
                result = (
                    _fake_quantize(result, *step.rounding)
                    if isinstance(step.rounding, tuple)
                    else self._round(step.output, result)
                )
            values[step.output] = result
        return values

    def _compute(self, step: Step, inputs: list[Any], rounded: bool) -> Any:
        weights = bias = None
        if step.weights is not None:
            weights, bias = self._folded(step)
            if rounded:
                weights = self._rounded_weights(step, weights)
        result = step.run(inputs, weights)
        if bias is not None:
            # An INT8 bias has 32 bits: rounding it would change nothing.
            result = result + bias
        return result if step.relu is None else step.relu(result)

    def _folded(self, step: Step) -> tuple[Any, Any]:
        """Return a step's weights and bias with the batch normalization that belongs to them."""
        import tensorflow as tf

        weights = step.weights
        assert weights is not None
        values, bias = weights.read(), weights.bias
        bias = None if bias is None else bias.value
        if step.norm is None:
            return values, bias
        gain, shift = norm_factors(step.norm)
        shape = [n if axis in weights.channel_axes else 1 for axis, n in enumerate(values.shape)]
        return values * tf.reshape(gain, shape), shift if bias is None else bias * gain + shift

    def _rounded_weights(self, step: Step, values: Any) -> Any:
        import tensorflow as tf

        weights = step.weights
        assert weights is not None
        if not weights.channel_axes:
            low, high = tf.reduce_min(values), tf.reduce_max(values)
            return _fake_quantize(values, tf.minimum(low, 0.0), tf.maximum(high, 1e-6))
        whole = weights.dense and self._per_tensor_dense
        axes = [a for a in range(len(values.shape)) if whole or a not in weights.channel_axes]
        largest = tf.reduce_max(tf.abs(values), axis=axes, keepdims=True)
        scale = tf.stop_gradient(tf.maximum(largest, 1e-12) / WEIGHT_LEVELS)
        # Nothing lies outside of the range, so the straight-through gradient is 1 everywhere.
        return values + tf.stop_gradient(tf.round(values / scale) * scale - values)

    def _round(self, value: int, result: Any) -> Any:
        group = self._group[value]
        return _fake_quantize(result, self._low[group], self._high[group])

    def _histograms(self, batches: Batches, method: CalibrationMethod) -> dict[int, Histogram]:
        """Return the distributions of the measured results."""
        seen = np.stack([self._extremes(images).numpy() for images in batches()])
        limits = np.stack([seen[:, :, 0].min(axis=0), seen[:, :, 1].max(axis=0)], axis=1)
        if not np.isfinite(limits).all():
            raise FloatingPointError("activations are infinite or not numbers")
        limits[:, 1] = np.maximum(limits[:, 1], np.nextafter(limits[:, 0], np.float32(np.inf)))
        totals = np.zeros((len(self._watched), BINS), np.int64)
        if method != "min-max":
            for images in batches():
                totals += self._counts(images, limits).numpy()
        return {
            value: Histogram(low=float(low), high=float(high), counts=total)
            for value, (low, high), total in zip(self._watched, limits, totals, strict=True)
        }


def _fake_quantize(values: Any, low: Any, high: Any) -> Any:
    """Round to 256 steps between low and high, moved so that zero is one of them."""
    import tensorflow as tf

    return tf.quantization.fake_quant_with_min_max_vars(values, low, high)


def _groups(graph: Graph) -> dict[int, int]:
    """Return for each value which range it has: those that must share one have the same number."""
    parent: dict[int, int] = {}

    def root(value: int) -> int:
        while parent.setdefault(value, value) != value:
            value = parent[value]
        return value

    fixed = {step.output for step in graph.steps if isinstance(step.rounding, tuple)}
    root(graph.input)
    for step in graph.steps:
        if step.output not in fixed:
            root(step.output)
        if step.rounding in ("shared", "kept"):
            for value in step.inputs:
                if value not in fixed:
                    parent[root(value)] = root(step.output)
    numbers = {value: index for index, value in enumerate(sorted({root(v) for v in parent}))}
    return {value: numbers[root(value)] for value in parent}
