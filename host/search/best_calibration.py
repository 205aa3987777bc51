"""The quantized model of a trained candidate: how its ranges are chosen, how accurate it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_trained
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.models.model import Model
from edgeinfer.host.search.candidate import Baseline, Candidate
from edgeinfer.host.search.context import PLAIN, Bench
from edgeinfer.host.search.worker.job import SMALL_FILE
from edgeinfer.host.training.train import METRIC_ACCURACY, METRIC_SCORE

WORTH_TRYING = 0.0025
"""Share of the validation pictures that plain INT8 must lose before other ranges are tried.

Making the histograms of all tensors takes minutes for a large network, and if INT8 agrees with
float32 there is nothing to gain.
"""


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """The quantized model of a candidate.

    Attributes:
        path: its `.tflite`.
        calibration: how its ranges were chosen.
        accuracy: the task's score on validation through the device package, 0 to 1.
    """

    path: Path
    calibration: CalibrationMethod
    accuracy: float


def quantized(
    bench: Bench, candidate: Candidate, run: Path, folder: Path, baseline: Baseline, title: str
) -> Quantized:
    """Return a candidate's most accurate quantized model within the limit of size.

    Ranges from the lowest to the highest value come first; others are tried if these cost
    accuracy, or if the file is too large: the quantizers' files differ by a few kB.

    Args:
        bench: of the search.
        candidate: the candidate.
        run: its trained run.
        folder: has its float and its plain quantized model; the others are added.
        baseline: the run's own figures.
        title: its name for the user.

    Raises:
        EdgeinferError: it cannot be calibrated or evaluated.
    """
    trained = read_trained(run)
    figures = trained.metrics
    float_accuracy = figures.get(METRIC_SCORE, figures.get(METRIC_ACCURACY, 1.0))
    if candidate.kind == "plain":
        float_accuracy = baseline.float_accuracy

    def path(method: CalibrationMethod) -> Path:
        return folder / SMALL_FILE.format(calibration=method)

    def fits(method: CalibrationMethod) -> bool:
        size_bytes = path(method).stat().st_size
        parts = bench.budget.excess(float_accuracy=float_accuracy, size_bytes=size_bytes)
        return all(part <= 0 for part in parts.values())

    methods: tuple[CalibrationMethod, ...] = (PLAIN,)
    reached = accuracies(bench, {PLAIN: path(PLAIN)}, trained, title)
    costly = float_accuracy - reached[PLAIN] > WORTH_TRYING
    if candidate.precision == "int8" and (costly or not fits(PLAIN)):
        others = bench.work("calibrate", run, candidate, folder).calibrations
        reached |= accuracies(bench, {name: path(name) for name in others}, trained, title)
        methods += others
    # Among equals the first: min-max, which was tried with most runtimes and compilers.
    best = max(list(filter(fits, methods)) or methods, key=lambda method: reached[method])
    return Quantized(path=path(best), calibration=best, accuracy=reached[best])


def accuracies(
    bench: Bench, files: Mapping[str, Path], trained: TrainedModel, title: str
) -> dict[str, float]:
    """Return the validation score, 0 to 1, of each file; see `validated`."""
    found = validated(bench, files, trained, title)
    return {name: evaluation.score for name, evaluation in found.items()}


def validated(
    bench: Bench, files: Mapping[str, Path], trained: TrainedModel, title: str
) -> dict[str, Evaluation]:
    """Return how each file answers the validation pictures.

    Args:
        bench: of the search.
        files: the files by the names for the result.
        trained: the trained run of the files.
        title: its name for the user.
    """
    bench.progress.start(f"{title}: evaluate on validation", len(bench.validation))
    return evaluations_of_files(files, trained, bench.validation, bench.progress)


def evaluations_of_files(
    files: Mapping[str, Path], trained: TrainedModel, samples: Sequence[Sample], progress: Progress
) -> dict[str, Evaluation]:
    """Return how each `.tflite` answers through the device package, on the same pictures.

    Args:
        files: the files by the names for the result.
        trained: the trained run of the files, with their task and preprocessing.
        samples: the pictures.
        progress: reports each picture.

    Raises:
        ImageError: a picture can no longer be read.
    """
    asked = trained.measured.asking(trained.said)
    factories: dict[str, Callable[[], Model]] = {
        name: partial(
            evaluation_model,
            path.read_bytes(),
            subject=str(path),
            task=trained.task,
            said=asked,
            preprocess=trained.preprocess,
        )
        for name, path in files.items()
    }
    return evaluate(factories, samples, trained.measured, trained.said, progress=progress)
