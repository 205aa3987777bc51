"""How many channels may stay for a measured speedup: cut, quantize, time, and cut again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.converters.pruning.graph import ChannelGraph
from edgeinfer.converters.pruning.importance import Scores
from edgeinfer.converters.pruning.plan import Counts, PlanOptions, choose_cells, plan_counts
from edgeinfer.converters.pruning.surgery import keep_channels
from edgeinfer.converters.samples import Sample
from edgeinfer.converters.tflite import convert_keras
from edgeinfer.converters.timing import InvokeTime, time_models
from edgeinfer.converters.trained import KERAS_FILE
from edgeinfer.device.errors import ConversionError, storage_error
from edgeinfer.device.preprocess import PreprocessSpec

MAX_PROBES = 7
TOLERANCE = 0.03
"""A model that is faster than wanted by this share or less is taken."""

_CALIBRATION = 4
"""Pictures to quantize a probe with: its time does not depend on its ranges."""

Time = Callable[[Any], InvokeTime]
"""Gives a Keras model's INT8 invoke time against the original's."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A cut that was timed.

    Attributes:
        keep_cost: the share of the cost that was aimed at.
        counts: what each group keeps.
        time: of the INT8 model, against the original's.
    """

    keep_cost: float
    counts: Counts
    time: InvokeTime


def int8_timer(reference: bytes, preprocess: PreprocessSpec, samples: Sequence[Sample]) -> Time:
    """Return what quantizes a Keras model and times it.

    Args:
        reference: the original's INT8 form.
        preprocess: how samples become inputs.
        samples: a few, to quantize with.
    """

    def time_keras(model: Any) -> InvokeTime:
        small = quick_int8(model, preprocess, samples)
        return time_models({"original": reference, "pruned": small}, "original")["pruned"]

    return time_keras


def quick_int8(model: Any, preprocess: PreprocessSpec, samples: Sequence[Sample]) -> bytes:
    """Quantize a Keras model, with activation ranges good for nothing but its time.

    Raises:
        ConversionError: the converter failed.
        StorageError: no room for temporary files.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edgeinfer-probe-") as folder:
            path = Path(folder, KERAS_FILE)
            model.save(path)
            return convert_keras(path, preprocess, samples[:_CALIBRATION]).small
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
    """Find by bisection what may stay for the INT8 model to be so many times as fast.

    Args:
        graph: of the model.
        scores: how much each cell matters.
        speedup: above 1.
        options: bounds of the plans.
        timer: times what is left.
        tell: told about every probe.

    Returns:
        The slowest probe that is fast enough.

    Raises:
        ConversionError: the bounds do not allow the model to become so fast.
    """
    low, high = 0.0, 1.0  # fast enough at `low`, too slow at `high`
    aim = 1.0 / speedup
    best: Probe | None = None
    slowest: Probe | None = None
    for _ in range(MAX_PROBES):
        counts = plan_counts(graph, scores, aim, options)
        time = timer(keep_channels(graph, choose_cells(graph, scores, counts)))
        probe = Probe(keep_cost=aim, counts=counts, time=time)
        tell(probe)
        if time.ratio >= speedup:
            best, low = probe, aim
            if time.ratio <= speedup * (1 + TOLERANCE):
                break
        else:
            if slowest is not None and counts == slowest.counts:
                break  # the bounds allow no less
            slowest, high = probe, aim
        # Time is nearly proportional to the cost: aim straight, but stay within the bracket.
        aim = aim * time.ratio / (speedup * (1 + TOLERANCE / 2))
        if not low < aim < high:
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
