"""What a prediction says of each class, for tables and conditions."""

from __future__ import annotations

from edgeinfer.device.models.predictions.kinds import Classification, Prediction
from edgeinfer.device.models.predictions.located import Detections, Mask


def ranked(prediction: Prediction, count: int) -> list[tuple[str, float]]:
    """Return the `count` highest (label, score), highest first; nothing for kinds without classes.

    The score, 0 to 1, is a class's probability, an object's score, or the part of the area.
    """
    if isinstance(prediction, Classification):
        return prediction.top(count)
    if isinstance(prediction, Detections):
        return list(zip(prediction.names, prediction.scores.tolist(), strict=True))[:count]
    if isinstance(prediction, Mask):
        return prediction.areas()[:count]
    return []


def score_of(prediction: Prediction, label: str) -> float:
    """Return the score of one class: of several objects the highest; 0 where it does not occur."""
    if isinstance(prediction, Classification):
        return max(
            (
                float(p)
                for name, p in zip(prediction.labels, prediction.probabilities, strict=True)
                if name == label
            ),
            default=0.0,
        )
    found = ranked(prediction, count=2**31)
    return max((score for name, score in found if name == label), default=0.0)
