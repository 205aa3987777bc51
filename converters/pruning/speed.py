"""How many channels may stay for a measured speedup: cut, quantize, time, and cut again."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.converters.measure.timing import time_models
from edgeinfer.converters.measure.timing_worker import InvokeTime
from edgeinfer.converters.pruning.cost import CostModel
from edgeinfer.converters.pruning.graph import ChannelGraph
from edgeinfer.converters.pruning.importance import Scores
from edgeinfer.converters.pruning.plan import Counts, PlanOptions, choose_cells, plan_counts
from edgeinfer.converters.pruning.surgery import keep_channels
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ConversionError, storage_error
from edgeinfer.device.preprocess import PreprocessSpec

MAX_PROBES = 7
TOLERANCE = 0.03
"""A model that is faster than wanted by at most this share is accepted."""

_CALIBRATION = 4
"""Pictures to quantize a probe with: its time does not depend on its ranges."""

Time = Callable[[Any], InvokeTime]
"""Measures a Keras model's INT8 invoke time compared with the original's."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A cut that was timed.

    Attributes:
        keep_cost: the share of the cost that is left.
        counts: how many cells each group keeps.
        time: the INT8 model's time compared with the original's.
    """

    keep_cost: float
    counts: Counts
    time: InvokeTime


def int8_timer(
    reference: bytes, preprocess: PreprocessSpec, samples: Sequence[Sample], *, tensorflow: Worker
) -> Time:
    """Return a function that quantizes a Keras model and times it.

    Args:
        reference: the original's INT8 form.
        preprocess: how samples become inputs.
        samples: a few, to quantize with.
        tensorflow: the worker that quantizes; it must be idle while models are timed.
    """

    def time_keras(model: Any) -> InvokeTime:
        small = quick_int8(model, preprocess, samples, tensorflow=tensorflow)
        return time_models({"original": reference, "pruned": small}, "original")["pruned"]

    return time_keras


def quick_int8(
    model: Any, preprocess: PreprocessSpec, samples: Sequence[Sample], *, tensorflow: Worker
) -> bytes:
    """Quantize a Keras model, with activation ranges that are only good enough to time it.

    Raises:
        ConversionError: the converter failed.
        StorageError: no room for temporary files.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edgeinfer-probe-") as folder:
            path = Path(folder, KERAS_FILE)
            model.save(path)
            few = samples[:_CALIBRATION]
            return convert_keras(path, preprocess, few, tensorflow=tensorflow).small
    except OSError as error:
        raise storage_error(Path(tempfile.gettempdir()), error) from error


def counts_for_speedup(
    graph: ChannelGraph,
    scores: Scores,
    speedup: float,
    options: PlanOptions,
    timer: Time,
    *,
    tell: Callable[[Probe], None] = lambda probe: None,
) -> Probe:
    """Find how many channels may stay for the INT8 model to be `speedup` times as fast.

    By the secant method, kept between a cut that is too slow and one that is fast enough: time is
    nearly a constant plus a multiple of the cost.

    Args:
        graph: of the model.
        scores: how much each cell matters.
        speedup: above 1.
        options: bounds of the plans.
        timer: times a cut model.
        tell: called with every probe.

    Returns:
        The slowest probe that is fast enough.

    Raises:
        ConversionError: the bounds do not allow the model to become so fast.
    """
    cost = CostModel(graph)
    whole = cost.total(cost.full)
    goal = 1.0 / (speedup * (1 + TOLERANCE / 2))
    points = [(1.0, 1.0)]  # shares of the original's cost and time
    low, high = 0.0, 1.0  # fast enough at `low`, too slow at `high`
    aim = 1.0 / speedup
    best: Probe | None = None
    slowest: Probe | None = None  # the cut with the fewest channels that is too slow
    for left in reversed(range(MAX_PROBES)):
        counts = plan_counts(graph, scores, aim, options)
        if slowest is not None and counts == slowest.counts:
            break  # the bounds allow nothing smaller
        if best is not None and counts == best.counts:
            low, aim = aim, (aim + high) / 2  # the blocks of channels are too large to come closer
            continue
        time = timer(keep_channels(graph, choose_cells(graph, scores, counts)))
        share = cost.total(counts) / whole if whole else 1.0
        probe = Probe(keep_cost=share, counts=counts, time=time)
        tell(probe)
        points.append((share, 1.0 / time.ratio))
        if time.ratio >= speedup:
            best, low = probe, share
            if time.ratio <= speedup * (1 + TOLERANCE):
                break
        else:
            slowest, high = probe, share
        aim = _aim(points, goal)
        if best is None and (aim <= low or left == 1):
            aim = 0.0  # the smallest model that the bounds allow
        elif not low < aim < high:
            aim = (low + high) / 2
    if best is None:
        assert slowest is not None
        raise ConversionError(
            graph.model.name,
            got=f"at most {slowest.time.ratio:.2f} times as fast with the fewest channels allowed",
            expected=f"{speedup:g} times",
            next_step="lower --min-share, take a smaller --size, or train a smaller student",
        )
    return best


def _aim(points: Sequence[tuple[float, float]], goal: float) -> float:
    """Return at which cost the line through the last two points reaches a time."""
    (cost0, time0), (cost1, time1) = points[-2:]
    if cost0 == cost1 or (time0 - time1) / (cost0 - cost1) <= 0:
        return math.nan
    return cost1 + (goal - time1) * (cost0 - cost1) / (time0 - time1)
