"""The automatic repair of an INT8 model that loses too much accuracy, from cheap to expensive.

After plain quantization come narrower ranges, cross-layer equalization, bias correction, layers
kept in float32 if only a CPU has to run the model, and last quantization-aware training. Each
attempt is measured on the same pictures; the first that is good enough ends the search.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.bias_correction import correct_biases
from edgeinfer.converters.quantize.calibration import (
    CalibrationMethod,
    Histogram,
    choose_ranges,
    sample_histograms,
)
from edgeinfer.converters.quantize.equalize import equalize
from edgeinfer.converters.quantize.layer_report import compare_layers
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tflite.model import Subgraph
from edgeinfer.device.tflite.reader import read_tflite

RepairLimit = Literal["none", "clipping", "equalization", "mixed", "training"]
"""How far the repair may go, see `ConvertOptions.repair`; each includes those before it."""

LIMITS: tuple[RepairLimit, ...] = ("none", "clipping", "equalization", "mixed", "training")

CORRECTION_PICTURES = 16
"""Pictures to measure a channel's mean: each gives as many values as the tensor has places."""

COMPARED_PICTURES = 32
"""Pictures to find the layer that loses most."""

MOST_KEPT = 2 / 3
"""At most this share of all layers: with more in float32, converting back and forth costs more
than the few INT8 layers save."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One way to quantize, and its score.

    Attributes:
        stage: what was done, in a few words.
        models: the result and the float model that it came from.
        evaluation: how it answered the pictures that decide.
        kept: the results, by name, whose operators compute in float32.
    """

    stage: str
    models: TfliteModels
    evaluation: Evaluation
    kept: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """The mean score, 0 to 1."""
        return self.evaluation.score


@dataclass(frozen=True, kw_only=True)
class RepairTask:
    """What to repair.

    Attributes:
        name: the model's name, for errors.
        preprocess: how a picture becomes the input.
        calibration: representative samples.
        measure: evaluates an INT8 model's bytes; the text is shown as progress.
        good_enough: whether an evaluation ends the repair.
        limit: how far to go.
        cpu_only: whether layers may stay in float32, which accelerators cannot run.
        per_tensor_dense: give all weights of a dense layer one scale.
        retrain: trains the model with its rounding errors and with ranges by the given method, and
            returns it as float `.tflite` bytes; None without a Keras model.
    """

    name: str
    preprocess: PreprocessSpec
    calibration: Sequence[Sample]
    measure: Callable[[bytes, str], Evaluation]
    good_enough: Callable[[Evaluation], bool]
    limit: RepairLimit = "training"
    cpu_only: bool = True
    per_tensor_dense: bool = False
    retrain: Callable[[CalibrationMethod, Progress], bytes] | None = None

    def may(self, stage: RepairLimit) -> bool:
        """Return whether a stage is within the limit."""
        return LIMITS.index(stage) <= LIMITS.index(self.limit)


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A float model with its histograms on pictures, and how its ranges are chosen.

    `reference` computes the same, but without corrections that only compensate for rounding.
    """

    model: bytes
    reference: bytes
    histograms: dict[str, Histogram]
    method: CalibrationMethod


def repair(
    first: Attempt, method: CalibrationMethod | None, task: RepairTask, progress: Progress
) -> tuple[Attempt, ...]:
    """Try one way after another until one is good enough.

    Args:
        first: the plain quantization, which was not good enough.
        method: how its ranges were chosen; None where another quantizer chose them.
        task: what is to be repaired.
        progress: reports what is going on.

    Returns:
        All attempts in order, beginning with `first`. The last one is good enough, or none is.

    Raises:
        ConversionError: a model cannot be quantized or trained.
    """
    attempts = [first]
    for attempt in _Repair(first, method, task, progress).attempts():
        attempts.append(attempt)
        if task.good_enough(attempt.evaluation):
            break
    return tuple(attempts)


def best_attempt(attempts: Sequence[Attempt]) -> Attempt:
    """Return the attempt with the most right answers; among equals the earliest."""
    return max(attempts, key=lambda attempt: attempt.score)


def layers_to_keep(graph: Subgraph, losing: Sequence[str], kept: Collection[str]) -> list[str]:
    """Return which layers to keep in float32 next, by the names of their results.

    A layer that still loses although it computes in float32 makes the rounding errors of its inputs
    larger, as a logarithm or a reciprocal does: then the layers before it must be kept.

    Args:
        graph: the float model's.
        losing: the results of layers that lose, those that lose most first.
        kept: the results of layers that are already in float32.
    """
    makers = {graph.tensors[i].name: op for op in graph.operators for i in op.outputs}
    chosen: dict[str, None] = {}
    for name in losing:
        ahead, seen = [name], set[str]()
        while ahead:
            found = ahead.pop(0)
            if found not in makers or found in seen:
                continue
            seen.add(found)
            if found not in kept:
                chosen[found] = None
            else:
                ahead += [graph.tensors[i].name for i in makers[found].inputs if i >= 0]
    return list(chosen)


class _Repair:
    """The attempts after the first, each built on the best of those before it."""

    def __init__(
        self,
        first: Attempt,
        method: CalibrationMethod | None,
        task: RepairTask,
        progress: Progress,
    ) -> None:
        self._task, self._progress = task, progress
        self._best = first
        self._model = first.models.float32
        self._tried = method
        self._source = _Source(
            model=self._model, reference=self._model, histograms={}, method=method or "min-max"
        )

    def attempts(self) -> Iterator[Attempt]:
        if self._task.may("clipping"):
            yield from self._clip()
        if self._task.may("equalization"):
            yield from self._equalize()
        if self._task.may("mixed") and self._task.cpu_only:
            yield from self._mix()
        if self._task.may("training") and self._task.retrain is not None:
            yield from self._train()

    def _clip(self) -> Iterator[Attempt]:
        histograms = self._histograms(self._model, "measure the activations")
        self._source = replace(self._source, histograms=histograms)
        methods: tuple[CalibrationMethod, ...] = ("min-max", "percentile", "mse")
        for method in methods:
            if method != self._tried:
                source = replace(self._source, method=method)
                yield self._attempt(f"ranges by {method}", source)

    def _equalize(self) -> Iterator[Attempt]:
        self._progress.start("equalize channels", len(self._task.calibration))
        even = equalize(
            self._source.model,
            self._task.preprocess,
            self._pictures(),
            progress=self._progress,
        )
        if even.groups:
            histograms = self._histograms(even.model, "measure the equalized activations")
            source = replace(
                self._source, model=even.model, reference=even.model, histograms=histograms
            )
            yield self._attempt("equalization", source)
        source = self._source
        corrected = correct_biases(
            source.model,
            lambda model: self._quantize(replace(source, model=model)),
            self._task.preprocess,
            list(self._pictures(CORRECTION_PICTURES)),
            self._progress,
        )
        yield self._attempt("bias correction", replace(source, model=corrected))

    def _mix(self) -> Iterator[Attempt]:
        # Corrected biases make up for the rounding of layers that now stay in float32.
        source, kept = replace(self._source, model=self._source.reference), list[str]()
        small = self._quantize(source)
        graph = read_tflite(source.model, subject=self._task.name).subgraphs[0]
        while True:
            # A kept layer no longer loses, and the losses of the others change: measure them again.
            worst = layers_to_keep(graph, self._losses(source, small), kept)
            kept += worst[: max(1, len(kept) // 2)]
            if not worst or len(kept) > MOST_KEPT * len(graph.operators):
                return
            layers = "layer" if len(kept) == 1 else "layers"
            attempt = self._attempt(f"{len(kept)} {layers} in float32", source, keep_float=kept)
            yield attempt
            small = attempt.models.small

    def _losses(self, source: _Source, small: bytes) -> list[str]:
        """Return the results of the layers that lose something, those that lose most first."""
        samples = self._task.calibration[:COMPARED_PICTURES]
        self._progress.start("find the layers that lose most", len(samples))
        losses = compare_layers(
            TfliteModels(float32=source.reference, small=small, precision="int8"),
            self._task.preprocess,
            samples,
            self._progress,
        )
        losing = [loss for loss in losses if loss.loss_db > 0]
        return [loss.tensor for loss in sorted(losing, key=lambda loss: -loss.loss_db)]

    def _train(self) -> Iterator[Attempt]:
        assert self._task.retrain is not None
        method = self._source.method
        try:
            model = self._task.retrain(method, self._progress)
        except ConversionError as error:
            # Even if it cannot be trained, the other attempts may help.
            self._progress.say(f"not trained: {error}")
            return
        histograms = self._histograms(model, "measure the trained activations")
        # Its float answers may be wrong: it is only right together with its rounding errors.
        source = _Source(model=model, reference=self._model, histograms=histograms, method=method)
        yield self._attempt("quantization-aware training", source)

    def _attempt(self, stage: str, source: _Source, *, keep_float: Collection[str] = ()) -> Attempt:
        """Quantize and measure; the best model so far becomes the base of the next attempts."""
        small = self._quantize(source, keep_float)
        evaluation = self._task.measure(small, f"measure: {stage}")
        attempt = Attempt(
            stage=stage,
            models=TfliteModels(float32=source.reference, small=small, precision="int8"),
            evaluation=evaluation,
            kept=tuple(keep_float),
        )
        if attempt.score > self._best.score:
            self._best = attempt
            self._source = source
        return attempt

    def _quantize(self, source: _Source, keep_float: Collection[str] = ()) -> bytes:
        return quantize_int8(
            source.model,
            choose_ranges(source.histograms, source.method),
            subject=self._task.name,
            keep_float=keep_float,
            per_tensor_dense=self._task.per_tensor_dense,
        )

    def _histograms(self, model: bytes, what: str) -> dict[str, Histogram]:
        task = self._task
        self._progress.start(what, 2 * len(task.calibration))
        return sample_histograms(model, task.preprocess, task.calibration, self._progress)

    def _pictures(self, most: int | None = None) -> Iterator[Pixels]:
        spec = self._task.preprocess
        return (read_sample(sample.source, spec) for sample in self._task.calibration[:most])
