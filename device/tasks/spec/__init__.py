"""What a bundle's manifest says of a model's outputs. The dataclasses are part of its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgeinfer.device.tasks.spec.detection import AnchorSpec as AnchorSpec
from edgeinfer.device.tasks.spec.detection import CandidateSpec as CandidateSpec
from edgeinfer.device.tasks.spec.detection import DetectionSpec as DetectionSpec
from edgeinfer.device.tasks.spec.detection import TensorLayout as TensorLayout
from edgeinfer.device.tasks.spec.grid import GridSpec as GridSpec
from edgeinfer.device.tasks.spec.points import PointsSpec as PointsSpec
from edgeinfer.device.tasks.spec.pose import KeypointsSpec as KeypointsSpec
from edgeinfer.device.tasks.spec.pose import PoseSpec as PoseSpec
from edgeinfer.device.tasks.spec.value import ValueSpec as ValueSpec
from edgeinfer.device.tflite.metadata.tflite_metadata import BoxForm as BoxForm

_MOST = 1e30


@dataclass(frozen=True, kw_only=True)
class MultiLabelSpec:
    """How classes are read that do not exclude each other.

    Attributes:
        min_score: classes that score less are not named.
        min_scores: the same for each class by itself; None where `min_score` is for all.
    """

    min_score: float = 0.5
    min_scores: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse impossible scores."""
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")
        if not all(0 <= score <= 1 for score in self.min_scores or ()):
            raise ValueError(f"min_scores are {self.min_scores}, expected 0 to 1 each")


@dataclass(frozen=True, kw_only=True)
class PictureSpec:
    """Which values of an output picture are black and white."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range without a width."""
        if not -_MOST <= self.low < self.high <= _MOST:
            raise ValueError(f"low and high are {self.low:g} and {self.high:g}, expected a range")


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """How the outputs become a prediction.

    Attributes:
        activation: `softmax` where the model gives logits, `sigmoid` where it gives one logit for
            two classes, `binary` where it gives the probability of the second of two classes,
            `none` where it gives probabilities or values already.
        detection: for task `detection` only.
        pose: for task `pose` only.
        anchors: for task `detection` only, instead of `detection`.
        keypoints: for task `pose` only, instead of `pose`.
        picture: for task `picture` only; None shows the lowest value black, the highest white.
        multi_label: for the tasks `multilabel` and `classification`: several classes may be true of
            one picture.
        candidates: for the tasks `detection` and `pose`, instead of `detection` and `pose`.
        grids: for task `detection` only, instead of `detection`.
        points: for task `points` only.
        temperature: what logits are divided by before the softmax, so that probabilities are as
            often right as they say; None for 1.
        unknown_below: for one class a picture: where the best class has a smaller probability, the
            answer is `unknown`; None where it never is.
    """

    activation: Literal["softmax", "sigmoid", "binary", "none"] = "none"
    detection: DetectionSpec | None = None
    pose: PoseSpec | None = None
    anchors: AnchorSpec | None = None
    keypoints: KeypointsSpec | None = None
    picture: PictureSpec | None = None
    multi_label: MultiLabelSpec | None = None
    candidates: CandidateSpec | None = None
    grids: GridSpec | None = None
    points: PointsSpec | None = None
    temperature: float | None = None
    unknown_below: float | None = None

    def __post_init__(self) -> None:
        """Refuse an impossible temperature or threshold."""
        if self.temperature is not None and not 0.01 <= self.temperature <= 100:
            raise ValueError(f"temperature is {self.temperature}, expected 0.01 to 100")
        if self.unknown_below is not None and not 0 <= self.unknown_below <= 1:
            raise ValueError(f"unknown_below is {self.unknown_below}, expected 0 to 1")
