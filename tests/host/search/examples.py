"""Runs, figures and a workshop for the search's tests: real models and pictures, no training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    SPLITS,
    TrainedModel,
    read_trained,
    write_trained,
)
from edgeinfer.converters.tensorflow.worker import job as worker
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.data.dataset import prepare_fashion_mnist
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Footprint, Measured, Trial
from edgeinfer.host.search.front import Entry
from edgeinfer.host.search.space import Space
from edgeinfer.host.search.study.file import open_study
from edgeinfer.host.search.study.study import SearchStudy
from edgeinfer.host.search.time_models import Timing
from edgeinfer.host.search.worker.build import OTHER_CALIBRATIONS
from edgeinfer.host.search.worker.job import FLOAT_FILE, SMALL_FILE, UNTRAINED_FILE, Done, Job
from edgeinfer.host.search.worker.work import CandidateJob
from edgeinfer.host.training.train import METRIC_ACCURACY
from tests.support.checkout import ROOT

SIZE = (28, 28)
SAMPLE = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
PICTURES = 40
BUDGET = Budget(accuracy_points=1.0)


def make_run(folder: Path, **settings: str) -> Path:
    """Write what `edgeinfer train` would have left of the sample bundle's model, but the network.

    Its splits hold a few pictures of Fashion-MNIST each. By what it reports of its training, INT8
    costs nothing.
    """
    folder.mkdir(parents=True)
    data = prepare_fashion_mnist(seed=0, full=False)
    with open_bundle(SAMPLE) as bundle:
        manifest = bundle.manifest
    told = {"architecture": "resnet8", "epochs": "6", "initializer": "he", **settings}
    trained = TrainedModel(
        name=folder.name,
        labels=manifest.labels or (),
        preprocess=manifest.preprocess,
        provenance={
            "data": "fashion-mnist",
            **{f"setting.{name}": value for name, value in told.items()},
        },
        metrics={METRIC_ACCURACY: 0.0},
    )
    few = {split: data.splits[split][:: len(data.splits[split]) // PICTURES] for split in SPLITS}
    write_trained(folder, trained, few)
    (folder / KERAS_FILE).write_bytes(b"not looked at")
    history = [{"stage": "train", "seconds": 1.0}, {"stage": "train", "seconds": 3.0}]
    (folder / "history.json").write_text(json.dumps(history))
    return folder


@contextmanager
def opened_study(
    folder: Path, space: Space, budget: Budget = BUDGET, *, threads: str = ""
) -> Iterator[SearchStudy]:
    """Open a study with the settings of the tests."""
    with open_study(folder, {"--seed": "0", "--threads": threads}, space, budget, seed=0) as study:
        yield study


def sample_model() -> bytes:
    """Return the sample bundle's `.tflite`."""
    with open_bundle(SAMPLE) as bundle:
        return bundle.member(bundle.manifest.variants["cpu"].file)


class CopyingWorkshop:
    """Hands out the sample's model for every candidate.

    Args:
        bad: which candidates learn nothing: their run prepares pictures otherwise than the model
            expects, so that it really answers wrong.
        failing: errors that a job ends with, by what it is: `build`, `train`, `calibrate`.
        told: called with each job first.
    """

    def __init__(
        self,
        bad: Callable[[Candidate], bool] = lambda candidate: False,
        failing: Callable[[Job], BaseException | None] = lambda job: None,
    ) -> None:
        self._bad, self._failing = bad, failing
        self.jobs: list[Job] = []

    def run(self, job: worker.Job, progress: Progress) -> Done:
        assert isinstance(job, CandidateJob)
        progress.advance()
        return self.make(job.job)

    def make(self, job: Job) -> Done:
        self.jobs.append(job)
        error = self._failing(job)
        if error is not None:
            raise error
        out, model = Path(job.out), sample_model()
        if job.action == "build":
            (out / UNTRAINED_FILE).write_bytes(model)
            return Done()
        names = OTHER_CALIBRATIONS if job.action == "calibrate" else ("min-max",)
        for name in names:
            (out / SMALL_FILE.format(calibration=name)).write_bytes(model)
        if job.action == "calibrate":
            return Done(run=job.run, calibrations=OTHER_CALIBRATIONS)
        (out / FLOAT_FILE).write_bytes(model)
        run = Path(job.run)
        if job.candidate.kind != "plain":
            run = out / read_trained(run).name
            shutil.copytree(job.run, run)
            if self._bad(job.candidate):
                trained = read_trained(run)
                wrong = replace(trained.preprocess, mean=(250.0,), std=(5.0,))
                trained = replace(trained, preprocess=wrong)
                (run / "trained.json").unlink()
                write_trained(run, trained, {})
                shutil.copy(Path(job.run, "samples.csv"), run)
        return Done(run=str(run), epochs=job.epochs, training_s=0.5)

    def close(self) -> None:
        """Nothing is held."""

    def trained(self) -> list[Candidate]:
        """Return the candidates that were trained, the baseline left out."""
        trained = [job.candidate for job in self.jobs if job.action == "train"]
        return [candidate for candidate in trained if candidate.kind != "plain"]


class ScriptedTimer:
    """Says how long candidates take by a rule, as no real machine would.

    Args:
        ratios: of each trial by its number; of others each is faster than the one before, and
            the dynamic model, the second to be tried, is slower than the baseline.
        failing: what it raises from some comparison on.
    """

    machine = "a script"

    def __init__(
        self,
        ratios: Mapping[int, float] | None = None,
        failing: tuple[int, EdgeinferError] | None = None,
    ) -> None:
        self._ratios, self._failing = {1: 1.2, **(ratios or {})}, failing
        self.compared = 0

    def check(self) -> None:
        """It can always measure."""

    def compare(self, baseline: Path, model: Path) -> Timing:
        self.compared += 1
        if self._failing is not None and self.compared >= self._failing[0]:
            raise self._failing[1]
        name = model.parent.name
        number = int(name) if name.isdigit() else 0
        ratio = self._ratios.get(number, 1 / (1 + number / 10))
        return Timing(ratio=ratio, ratio_low=ratio, ratio_high=ratio, baseline_ms=2.0)


def footprint(ratio: float = 0.5, size_bytes: int = 50_000, macs: int = 1000) -> Footprint:
    return Footprint(
        ratio=ratio,
        ratio_low=ratio * 0.95,
        ratio_high=ratio * 1.1,
        invoke_ms=2.0 * ratio,
        size_bytes=size_bytes,
        macs=macs,
    )


def measured(accuracy: float, ratio: float = 0.5, size_bytes: int = 50_000) -> Measured:
    return Measured(accuracy=accuracy, footprint=footprint(ratio, size_bytes))


def baseline(accuracy: float = 0.89, float_accuracy: float = 0.90) -> Baseline:
    return Baseline(
        float_accuracy=float_accuracy,
        measured=measured(accuracy, 1.0, 100_000),
        validation_samples=1000,
        machine="a script",
        seconds=5.0,
    )


def pruned(keep: float = 0.5, **fields: object) -> Candidate:
    return replace(Candidate(kind="pruned", size=SIZE, keep_cost=keep), **fields)  # type: ignore[arg-type]


def student(width: float = 0.5, **fields: object) -> Candidate:
    plain = Candidate(kind="student", size=SIZE, architecture="small-cnn", width=width)
    return replace(plain, **fields)  # type: ignore[arg-type]


def entry(
    number: int, accuracy: float, ratio: float = 0.5, size_bytes: int = 50_000, **fields: object
) -> Entry:
    return Entry(
        number=number,
        candidate=pruned(**fields),  # type: ignore[arg-type]
        measured=measured(accuracy, ratio, size_bytes),
    )


def trial(number: int, candidate: Candidate, accuracy: float, ratio: float = 0.5) -> Trial:
    figures = measured(accuracy, ratio)
    return Trial(
        number=number,
        candidate=candidate,
        outcome="measured",
        footprint=figures.footprint,
        measured=figures,
        epochs=4,
        training_s=8.0,
        seconds=12.0,
    )
