"""One candidate, from building it to its accuracy: time first, training last."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from edgeinfer.converters.calibration import CalibrationMethod
from edgeinfer.converters.evaluate import evaluate, evaluation_model
from edgeinfer.converters.samples import Sample
from edgeinfer.converters.trained import TrainedModel, read_trained
from edgeinfer.device.errors import EdgeinferError, StorageError, UnreachableError
from edgeinfer.device.macs import model_macs
from edgeinfer.device.model import Model
from edgeinfer.device.tflite_file import read_tflite
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Footprint, Measured, Trial
from edgeinfer.host.search.clock import SearchClock
from edgeinfer.host.search.front import Entry, better_known, excess_of, hopeful_accuracy
from edgeinfer.host.search.job import FLOAT_FILE, SMALL_FILE, UNTRAINED_FILE, Done, Job
from edgeinfer.host.search.measure import Timer
from edgeinfer.host.search.pace import Known, plan_training
from edgeinfer.host.search.space import Space, full_epochs
from edgeinfer.host.search.study import Asked
from edgeinfer.host.search.worker_process import Workshop
from edgeinfer.host.training.progress import Progress

BASELINE_FOLDER = "baseline"
CANDIDATES_FOLDER = "candidates"
PLAIN: CalibrationMethod = "min-max"
_METHODS: tuple[CalibrationMethod, ...] = ("min-max", "percentile", "mse")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """All that candidates of one search are tried with.

    Attributes:
        run: the folder that the search began with.
        out: the search's folder.
        trained: what there is to know of the run.
        validation: its validation samples.
        space: the candidates.
        budget: the limits.
        timer: times models beside the baseline.
        workshop: builds and trains them.
        clock: how long the search has worked.
        progress: told what is going on.
        seed: of training.
        per_tensor_dense: one scale for all weights of a dense layer, for an Edge TPU.
    """

    run: Path
    out: Path
    trained: TrainedModel
    validation: Sequence[Sample]
    space: Space
    budget: Budget
    timer: Timer
    workshop: Workshop
    clock: SearchClock
    progress: Progress
    seed: int = 0
    per_tensor_dense: bool = False

    @property
    def baseline_file(self) -> Path:
        """The run's plain INT8."""
        return self.out / BASELINE_FOLDER / SMALL_FILE.format(calibration=PLAIN)

    def folder(self, number: int) -> Path:
        """Return the folder of a trial's files."""
        return self.out / CANDIDATES_FOLDER / f"{number:03}"

    def job(self, candidate: Candidate, folder: Path, *, epochs: int | None = None) -> Job:
        """Return the job to build a candidate, or to train it where `epochs` are given."""
        return Job(
            action="build" if epochs is None else "train",
            run=str(self.run),
            candidate=candidate,
            out=str(folder),
            cache=str(self.out / "cache"),
            epochs=epochs or 0,
            seed=self.seed,
            per_tensor_dense=self.per_tensor_dense,
        )

    def work(self, job: Job) -> Done:
        """Have a job done."""
        return self.workshop.run(job, self.progress, self.clock.tick)


def measure_baseline(bench: Bench) -> Baseline:
    """Convert the run as it is, time it, and evaluate float32 and plain INT8 on validation.

    Raises:
        EdgeinferError: it cannot be done.
    """
    started = time.monotonic()
    folder = bench.out / BASELINE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    plain = Candidate(kind="plain", size=bench.space.size)
    bench.work(bench.job(plain, folder, epochs=0))
    small = bench.baseline_file
    bench.progress.start(f"time the baseline on {bench.timer.machine}", 1)
    timing = bench.timer.compare(small, small)
    accuracies = _accuracies(
        bench, {"float": folder / FLOAT_FILE, PLAIN: small}, bench.trained, "the baseline"
    )
    return Baseline(
        float_accuracy=accuracies["float"],
        measured=Measured(
            accuracy=accuracies[PLAIN],
            footprint=Footprint(
                ratio=1.0,
                ratio_low=timing.ratio_low,
                ratio_high=timing.ratio_high,
                invoke_ms=timing.baseline_ms,
                size_bytes=small.stat().st_size,
                macs=_macs(small),
            ),
        ),
        validation_samples=len(bench.validation),
        machine=bench.timer.machine,
        seconds=time.monotonic() - started,
    )


def attempt(
    bench: Bench,
    asked: Asked,
    baseline: Baseline,
    models: Sequence[Entry],
    paces: Sequence[Known],
) -> Trial:
    """Build a candidate, time it, and train and evaluate it where that can be worth it.

    Args:
        bench: what it is tried with.
        asked: the candidate.
        baseline: the run's own figures.
        models: what was measured so far.
        paces: what training took so far; at least one.

    Raises:
        UnreachableError: the board that measures does not answer any more.
        StorageError: the disk is full or cannot be written.
    """
    started = time.monotonic()
    trial = Trial(number=asked.number, candidate=asked.candidate, outcome="not trained")
    try:
        trial = _attempt(bench, trial, baseline, models, paces)
    except (UnreachableError, StorageError):
        raise
    except EdgeinferError as error:
        trial = replace(trial, outcome="failed", reason=str(error))
    return replace(trial, seconds=time.monotonic() - started)


def _attempt(
    bench: Bench,
    trial: Trial,
    baseline: Baseline,
    models: Sequence[Entry],
    paces: Sequence[Known],
) -> Trial:
    candidate, folder = trial.candidate, bench.folder(trial.number)
    folder.mkdir(parents=True, exist_ok=True)
    bench.progress.start(f"#{trial.number} {candidate.text()}: build and time", 1)
    done = _already_made(bench, candidate)
    untrained = bench.baseline_file
    if done is None:
        bench.work(bench.job(candidate, folder))
        untrained = folder / UNTRAINED_FILE
    else:
        folder = bench.out / BASELINE_FOLDER
    footprint = _footprint(bench, untrained, baseline)
    trial = replace(trial, footprint=footprint)
    if reason := _refusal(bench.budget, candidate, footprint, baseline, models):
        return replace(trial, reason=reason)
    full = full_epochs(bench.space.base, candidate)
    epochs = 0
    if full:
        plan = plan_training(
            candidate.kind, footprint.macs, full, paces, limit_s=bench.clock.limit_s
        )
        if plan.seconds > bench.clock.left_s:
            reason = f"would take {plan.seconds:.0f} s, {bench.clock.left_s:.0f} s are left"
            return replace(trial, reason=reason, retry=True)
        epochs = plan.epochs
    if done is None:
        done = bench.work(bench.job(candidate, folder, epochs=epochs))
    methods = [method for method in _METHODS if method in done.calibrations]
    files: dict[str, Path] = {
        method: folder / SMALL_FILE.format(calibration=method) for method in methods
    }
    trained = read_trained(Path(done.run))
    accuracies = _accuracies(bench, files, trained, f"#{trial.number}")
    # The quantizers' files differ by a few kB, which may be what a budget lacks.
    fitting = [m for m in methods if _fits(bench.budget, files[m], baseline)] or methods
    # The first of equals: min-max, which most runtimes and compilers were tried with.
    best = max(fitting, key=lambda method: accuracies[method])
    macs, size = _macs(files[best]), files[best].stat().st_size
    if macs != footprint.macs or best != PLAIN:
        # Which channels went was decided with the data: the untrained network was a guess. And
        # another quantizer may have written other operators.
        footprint = _footprint(bench, files[best], baseline)
    return replace(
        trial,
        outcome="measured",
        footprint=footprint,
        measured=Measured(
            accuracy=accuracies[best],
            footprint=replace(footprint, size_bytes=size),
            calibration=best,
        ),
        epochs=done.epochs,
        training_s=done.training_s,
    )


def _fits(budget: Budget, path: Path, baseline: Baseline) -> bool:
    parts = budget.excess(float_accuracy=baseline.float_accuracy, size_bytes=path.stat().st_size)
    return all(part <= 0 for part in parts.values())


def _already_made(bench: Bench, candidate: Candidate) -> Done | None:
    """Return what the baseline's conversion made of a candidate, which is all of plain INT8."""
    if candidate.kind == "plain" and candidate.precision == "int8":
        return Done(run=str(bench.run), calibrations=_METHODS)
    return None


def _refusal(
    budget: Budget,
    candidate: Candidate,
    footprint: Footprint,
    baseline: Baseline,
    models: Sequence[Entry],
) -> str:
    """Return why it is not worth training; empty where it is."""
    broken = excess_of(footprint, budget, baseline)
    if broken.get("ms", 0.0) > 0:
        return f"{footprint.invoke_ms:.3g} ms is more than {budget.invoke_ms:g}"
    if broken.get("kb", 0.0) > 0:
        return f"{footprint.size_bytes / 1000:,.0f} kB is more than {budget.size_kb:g}"
    hope, larger = hopeful_accuracy(candidate, models, baseline)
    floor = budget.floor(baseline.float_accuracy)
    if larger is not None and floor is not None and hope < floor:
        return (
            f"{larger.title}, which has more of everything, reached "
            f"{100 * larger.measured.accuracy:.2f} %"
        )
    better = better_known(footprint, hope, models)
    if better is not None and candidate.kind != "plain":
        return f"slower and larger than {better.title}, and hardly more accurate"
    return ""


def _footprint(bench: Bench, path: Path, baseline: Baseline) -> Footprint:
    timing = bench.timer.compare(bench.baseline_file, path)
    return Footprint(
        ratio=timing.ratio,
        ratio_low=timing.ratio_low,
        ratio_high=timing.ratio_high,
        invoke_ms=timing.ratio * baseline.measured.footprint.invoke_ms,
        size_bytes=path.stat().st_size,
        macs=_macs(path),
    )


def _accuracies(
    bench: Bench, files: dict[str, Path], trained: TrainedModel, title: str
) -> dict[str, float]:
    """Return validation top-1, 0 to 1, of each file, all on the same decoded pictures."""
    factories: dict[str, Callable[[], Model]] = {
        name: partial(
            evaluation_model,
            path.read_bytes(),
            subject=str(path),
            labels=trained.labels,
            preprocess=trained.preprocess,
        )
        for name, path in files.items()
    }
    bench.progress.start(f"{title}: evaluate on validation", len(bench.validation))

    def advance(done: int, total: int) -> None:
        bench.progress.advance()
        bench.clock.tick()

    results = evaluate(factories, bench.validation, trained.labels, progress=advance)
    return {name: result.top1 for name, result in results.items()}


def _macs(path: Path) -> int:
    return model_macs(read_tflite(path.read_bytes(), subject=str(path)))
