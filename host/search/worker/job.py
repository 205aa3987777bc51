"""The search's jobs for the process that has TensorFlow, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.host.search.candidate import Candidate

SMALL_FILE = "{calibration}.tflite"
FLOAT_FILE = "float32.tflite"
UNTRAINED_FILE = "untrained.tflite"

Action = Literal["build", "train", "calibrate"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A piece of work.

    Attributes:
        action: `build` makes the candidate's network untrained and writes UNTRAINED_FILE, whose
            time and size are those of the trained one; `train` trains it and writes the run,
            FLOAT_FILE and a quantized file with the plain choice of ranges; `calibrate` adds a
            file for each other choice to these.
        run: the folder that the search began with; to `calibrate`, the trained candidate's.
        candidate: the candidate.
        out: where the files go; the run into `out/NAME`.
        cache: a folder for files that several jobs can use.
        epochs: the largest number of epochs.
        seed: of weights, order and augmentation.
        per_tensor_dense: one scale for all weights of a dense layer.
    """

    action: Action
    run: str
    candidate: Candidate
    out: str
    cache: str
    epochs: int = 0
    seed: int = 0
    per_tensor_dense: bool = False


@dataclass(frozen=True, kw_only=True)
class Done:
    """The result.

    Attributes:
        run: the trained run's folder; empty for `build`.
        calibrations: ways of choosing ranges for which `calibrate` wrote a `.tflite`.
        epochs: how many were trained.
        training_s: how long training took, seconds.
    """

    run: str = ""
    calibrations: tuple[CalibrationMethod, ...] = ()
    epochs: int = 0
    training_s: float = 0.0
