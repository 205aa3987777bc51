"""Makes candidates, in the worker: untrained ones to time, and trained ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.run_source import calibration_samples
from edgeinfer.converters.quantize.calibration import (
    CalibrationMethod,
    choose_ranges,
    sample_histograms,
)
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.extras import require_host_extra
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.worker.job import FLOAT_FILE, SMALL_FILE, UNTRAINED_FILE, Done, Job
from edgeinfer.host.search.worker.recipes import train_candidate, untrained_network

OTHER_CALIBRATIONS: tuple[CalibrationMethod, ...] = ("percentile", "mse")
"""Ways to choose ranges, other than the plain one from the lowest value to the highest."""

_FEW = 8
"""Number of pictures for an untrained network's ranges, which do not affect its time."""


def build(job: Job) -> Done:
    """Write UNTRAINED_FILE: the candidate's network before training, quantized.

    Raises:
        EdgeinferError: there is no such network, or it cannot be converted.
    """
    run, out = Path(job.run), Path(job.out)
    trained, candidate = read_trained(run), job.candidate
    require_host_extra("edgeinfer optimize")
    _clear()
    spec = candidate_spec(trained.preprocess, candidate)
    keras_file = out / "untrained.keras"
    network = untrained_network(run, trained, candidate, seed=job.seed)
    network.save(keras_file)
    models = convert_keras(
        keras_file,
        spec,
        _calibration(run)[:_FEW],
        precision=candidate.precision,
        per_tensor_dense=job.per_tensor_dense,
        tensorflow=Here(),
    )
    keras_file.unlink()
    write_atomically(out / UNTRAINED_FILE, models.small)
    return Done()


def train(job: Job, progress: Progress) -> Done:
    """Train the candidate; write the run, the float model and the quantized one.

    Raises:
        EdgeinferError: it cannot be trained or converted.
        StorageError: the disk is full or cannot be written.
    """
    require_host_extra("edgeinfer optimize")
    _clear()
    out = Path(job.out)
    started = time.monotonic()
    run, epochs = train_candidate(job, progress)
    training_s = time.monotonic() - started
    trained = read_trained(run)
    progress.start("quantize")
    models = convert_keras(
        run / KERAS_FILE,
        trained.preprocess,
        _calibration(run),
        precision=job.candidate.precision,
        per_tensor_dense=job.per_tensor_dense,
        tensorflow=Here(),
    )
    write_atomically(out / FLOAT_FILE, models.float32)
    write_atomically(out / SMALL_FILE.format(calibration="min-max"), models.small)
    return Done(run=str(run), epochs=epochs, training_s=training_s)


def calibrate(job: Job, progress: Progress) -> Done:
    """Quantize the float model with other ranges; write a file for each choice of them.

    Raises:
        EdgeinferError: it cannot be quantized this way.
        StorageError: the disk is full or cannot be written.
    """
    run, out = Path(job.run), Path(job.out)
    model, pictures = (out / FLOAT_FILE).read_bytes(), _calibration(run)
    progress.start("look for better ranges", 2 * len(pictures))
    histograms = sample_histograms(
        model,
        read_trained(run).preprocess,
        pictures,
        progress,
    )
    for method in OTHER_CALIBRATIONS:
        small = quantize_int8(
            model,
            choose_ranges(histograms, method),
            subject=job.candidate.text(),
            per_tensor_dense=job.per_tensor_dense,
        )
        write_atomically(out / SMALL_FILE.format(calibration=method), small)
    return Done(run=str(run), calibrations=OTHER_CALIBRATIONS)


def candidate_spec(base: PreprocessSpec, candidate: Candidate) -> PreprocessSpec:
    """Return how a candidate's pictures are prepared, without the statistics of its training."""
    return replace(base, size=candidate.size)


def _calibration(run: Path) -> Sequence[Sample]:
    """Return the pictures that `edgeinfer convert` would calibrate with."""
    return calibration_samples(
        read_samples(run)["train"],
        ConvertOptions().calibration_images,
        task=read_trained(run).measured,
    )


def _clear() -> None:
    """Release earlier models: Keras keeps what its global state has seen."""
    import keras

    keras.backend.clear_session(free_memory=True)
