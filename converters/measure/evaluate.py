"""Accuracy of compiled models, measured through the device package on the original pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.models.decoding import Decoder, make_decode
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.predictions.kinds import Classification
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime.runner import Runner


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How one model answered.

    Attributes:
        labels: the classes.
        confusion: (classes, classes) int64, rows the truth, columns the answer.
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def samples(self) -> int:
        """How many pictures were answered."""
        return int(self.confusion.sum())

    @property
    def top1(self) -> float:
        """The share of right answers, 0 to 1."""
        return float(np.trace(self.confusion)) / max(1, self.samples)

    def class_top1(self) -> NDArray[np.float64]:
        """Return each true class's share of right answers; NaN for a class without samples."""
        totals = self.confusion.sum(axis=1)
        shares = np.full(len(totals), np.nan)
        np.divide(np.diagonal(self.confusion), totals, out=shares, where=totals > 0)
        return shares


def evaluation_model(
    content: bytes, *, subject: str, labels: tuple[str, ...], preprocess: PreprocessSpec
) -> Model:
    """Make a device model of `.tflite` bytes whose output is logits."""
    runner = Runner(content, subject=subject)
    return Model(
        name=subject,
        labels=labels,
        preprocessor=Preprocessor(preprocess, runner.inputs[0]),
        runner=runner,
        decode=make_decode(
            decoder=Decoder(activation="softmax"),
            outputs=runner.outputs,
            preprocess=preprocess,
            labels=labels,
        ),
    )


def evaluate(
    factories: Mapping[str, Callable[[], Model]],
    samples: Sequence[Sample],
    labels: tuple[str, ...],
    *,
    truth: str | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> dict[str, Evaluation]:
    """Run several models over the same pictures, each picture decoded once.

    Args:
        factories: make a model, by name; called once a thread. All prepare pictures alike.
        samples: what to answer; read one at a time.
        labels: the classes.
        truth: the name of a model whose answers are taken for the truth; None takes the samples'.
        threads: how many work side by side.
        progress: told after each picture.

    Raises:
        ImageError: a picture cannot be read any more.
    """
    local = threading.local()
    totals = {name: np.zeros((len(labels), len(labels)), np.int64) for name in factories}

    def answer(sample: Sample) -> dict[str, int]:
        if not hasattr(local, "models"):
            local.models = {name: make() for name, make in factories.items()}
        spec = next(iter(local.models.values())).preprocessor.spec
        pixels = read_sample(sample.source, spec)
        answers = {}
        for name, model in local.models.items():
            prediction = model.predict(pixels)
            assert isinstance(prediction, Classification)
            answers[name] = prediction.index
        return answers

    results = ordered_map(answer, samples, threads=threads)
    for done, (sample, answers) in enumerate(zip(samples, results, strict=True), start=1):
        for name, index in answers.items():
            totals[name][sample.label if truth is None else answers[truth], index] += 1
        if progress is not None:
            progress(done, len(samples))
    return {
        name: Evaluation(labels=labels, confusion=confusion) for name, confusion in totals.items()
    }
