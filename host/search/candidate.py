"""One point of the search space, and its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgeinfer.converters.quantize.calibration import CalibrationMethod

Kind = Literal["plain", "pruned", "student"]
SearchImportance = Literal["l1", "bn", "taylor"]
SearchPrecision = Literal["int8", "dynamic", "float16"]
Outcome = Literal["measured", "not trained", "repeated", "failed"]
"""`not trained`: it was too slow or too large, or too little time was left; `repeated`: it was
tried before."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model that the search may make.

    Attributes:
        kind: `plain` is the run's model as it is, in another precision or with other ranges;
            `pruned` has fewer channels, fewer pixels or both, and is fine-tuned; `student` is
            another network from scratch.
        size: (width, height) of the input in pixels.
        precision: of the `.tflite` file.
        architecture: of a student.
        width: of a student, scales its channels.
        keep_cost: share of the arithmetic that pruning leaves, 0 to 1, counted as
            `edgeinfer.converters.pruning.cost` does; 1 prunes nothing.
        importance: how channels are chosen; see `edgeinfer.converters.pruning.importance`.
        teacher: whether it also learns from the run's model.
    """

    kind: Kind
    size: tuple[int, int]
    precision: SearchPrecision = "int8"
    architecture: str = ""
    width: float = 1.0
    keep_cost: float = 1.0
    importance: SearchImportance = "l1"
    teacher: bool = False

    def text(self) -> str:
        """Return its description in a few words."""
        at = f"{self.size[0]}x{self.size[1]}"
        if self.kind == "plain":
            return f"as it is, {self.precision}"
        teacher = ", with teacher" if self.teacher else ""
        if self.kind == "student":
            return f"{self.architecture} x{self.width:g}, {at}{teacher}"
        if self.keep_cost == 1:
            return f"trained on, {at}{teacher}"
        return f"pruned to {100 * self.keep_cost:.0f} % ({self.importance}), {at}{teacher}"

    def covers(self, other: Candidate) -> bool:
        """Return whether this one has at least all that the other has, so it should be as accurate.

        A teacher may help or not, so candidates with and without a teacher are not compared.
        """
        return (
            (self.kind, self.architecture, self.precision, self.teacher)
            == (other.kind, other.architecture, other.precision, other.teacher)
            and self.size[0] >= other.size[0]
            and self.width >= other.width
            and self.keep_cost >= other.keep_cost
        )


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """The figures of a model that need no training.

    Attributes:
        ratio: its time divided by the baseline's, the median over interleaved rounds.
        ratio_low: the first quartile of the rounds' ratios.
        ratio_high: the third.
        invoke_ms: the ratio times the baseline's time, so that figures from a busier machine can
            still be compared.
        size_bytes: of the `.tflite` file.
        macs: multiply-accumulates of one inference.
    """

    ratio: float
    ratio_low: float
    ratio_high: float
    invoke_ms: float
    size_bytes: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A finished model.

    Attributes:
        accuracy: validation top-1 through the device package, 0 to 1.
        footprint: its time and size.
        calibration: the ranges that did best on validation.
    """

    accuracy: float
    footprint: Footprint
    calibration: CalibrationMethod = "min-max"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The result of one candidate.

    Attributes:
        number: counts from 0 in the order in which they were tried.
        candidate: the candidate.
        outcome: how it ended.
        reason: why there are no figures; empty for `measured`.
        footprint: None if it could not be built.
        measured: None if it was not trained.
        epochs: the largest number of epochs.
        training_s: how long training took, seconds.
        seconds: how long everything took.
        retry: whether to try it again in a longer search.
    """

    number: int
    candidate: Candidate
    outcome: Outcome
    reason: str = ""
    footprint: Footprint | None = None
    measured: Measured | None = None
    epochs: int = 0
    training_s: float = 0.0
    seconds: float = 0.0
    retry: bool = False


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The run's model as plain INT8 and as float32.

    Attributes:
        float_accuracy: the task's score of the float32 model on validation, 0 to 1.
        measured: of plain INT8; its ratio is 1.
        validation_samples: the number of pictures behind the accuracies.
        machine: where inference was timed.
        seconds: how long it took to convert, time and evaluate it.
        score_name: what people call the score.
    """

    float_accuracy: float
    measured: Measured
    validation_samples: int
    machine: str
    seconds: float
    score_name: str = "top-1"
