"""One candidate, from building it to its accuracy: time first, training last."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.core.errors import EdgeinferError, StorageError, UnreachableError
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.host.search.best_calibration import quantized, validated
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Footprint, Measured, Trial
from edgeinfer.host.search.context import BASELINE_FOLDER, PLAIN, Bench
from edgeinfer.host.search.front import Entry, better_known, excess_of, hopeful_accuracy
from edgeinfer.host.search.pace import Known, plan_training
from edgeinfer.host.search.space import full_epochs
from edgeinfer.host.search.study.study import Asked
from edgeinfer.host.search.worker.job import FLOAT_FILE, UNTRAINED_FILE, Done


def measure_baseline(bench: Bench) -> Baseline:
    """Convert the run as it is, time it, and evaluate float32 and plain INT8 on validation.

    Raises:
        EdgeinferError: it failed.
    """
    started = time.monotonic()
    folder = bench.out / BASELINE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    plain = Candidate(kind="plain", size=bench.space.size)
    bench.work("train", bench.run, plain, folder)
    small = bench.baseline_file
    bench.progress.start(f"time the baseline on {bench.timer.machine}")
    timing = bench.timer.compare(small, small)
    reached = validated(
        bench, {"float": folder / FLOAT_FILE, PLAIN: small}, bench.trained, "the baseline"
    )
    return Baseline(
        float_accuracy=reached["float"].score,
        score_name=reached["float"].score_name,
        measured=Measured(
            accuracy=reached[PLAIN].score,
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
    """Build a candidate, time it, and train and evaluate it if it can be useful.

    Args:
        bench: everything that the search uses.
        asked: the candidate.
        baseline: the run's own figures.
        models: the models measured so far.
        paces: the training times so far; at least one.

    Raises:
        UnreachableError: the board that measures no longer answers.
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
    bench.progress.start(f"#{trial.number} {candidate.text()}: build and time")
    done = _already_made(bench, candidate)
    untrained = bench.baseline_file
    if done is None:
        bench.work("build", bench.run, candidate, folder)
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
        done = bench.work("train", bench.run, candidate, folder, epochs=epochs)
    title = f"#{trial.number}"
    best = quantized(bench, candidate, Path(done.run), folder, baseline, title)
    if _macs(best.path) != footprint.macs or best.calibration != PLAIN:
        # The data decided which channels are removed: the untrained network was a guess. And
        # another quantizer may have written other operators.
        footprint = _footprint(bench, best.path, baseline)
    return replace(
        trial,
        outcome="measured",
        footprint=footprint,
        measured=Measured(
            accuracy=best.accuracy,
            footprint=replace(footprint, size_bytes=best.path.stat().st_size),
            calibration=best.calibration,
        ),
        epochs=done.epochs,
        training_s=done.training_s,
    )


def _already_made(bench: Bench, candidate: Candidate) -> Done | None:
    """Return the plain INT8 candidate, which the baseline's conversion already made."""
    if candidate.kind == "plain" and candidate.precision == "int8":
        return Done(run=str(bench.run))
    return None


def _refusal(
    budget: Budget,
    candidate: Candidate,
    footprint: Footprint,
    baseline: Baseline,
    models: Sequence[Entry],
) -> str:
    """Return why it is not worth training; empty if it is."""
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


def _macs(path: Path) -> int:
    return model_macs(read_tflite(path.read_bytes(), subject=str(path)))
