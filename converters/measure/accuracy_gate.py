"""The accuracy gate: a smaller model may lose so much and no more."""

from __future__ import annotations

import numpy as np

from edgeinfer.converters.measure.evaluate import Evaluation
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.core.tensors import Precision


def drop_points(reference: Evaluation, candidate: Evaluation) -> float:
    """Return how many percentage points of top-1 the candidate loses; negative for a gain."""
    return 100 * (reference.top1 - candidate.top1)


def within_drop(reference: Evaluation, candidate: Evaluation, max_drop_points: float) -> bool:
    """Return whether a candidate loses at most so many points."""
    # Differences of two shares are not exact in binary; a billionth of a point decides nothing.
    return drop_points(reference, candidate) <= max_drop_points + 1e-9


def worst_classes(
    reference: Evaluation, candidate: Evaluation, count: int = 3
) -> list[tuple[str, float]]:
    """Return the classes that lose most, with their loss in points, the worst first."""
    losses = 100 * (reference.class_top1() - candidate.class_top1())
    order = np.argsort(-np.nan_to_num(losses, nan=-np.inf), kind="stable")[:count]
    return [(reference.labels[i], float(losses[i])) for i in order if losses[i] > 0]


def require_drop(
    name: str,
    reference: Evaluation,
    candidate: Evaluation,
    max_drop_points: float,
    *,
    precision: Precision = "int8",
    lost_where: str = "",
    tried: str = "",
) -> None:
    """Refuse a candidate that loses more than `max_drop_points` on the same samples.

    Args:
        name: the model's.
        reference: the float model's answers.
        candidate: the smaller model's.
        max_drop_points: the largest loss of top-1, in percentage points.
        precision: the candidate's.
        lost_where: the layer that loses most, for the error.
        tried: what did not help either, for the error.

    Raises:
        AccuracyError: it does; the worst classes are named.
    """
    if within_drop(reference, candidate, max_drop_points):
        return
    drop = drop_points(reference, candidate)
    worst = ", ".join(f"{label} -{loss:.1f}" for label, loss in worst_classes(reference, candidate))
    raise AccuracyError(
        name,
        got=f"{precision.upper()} loses {drop:.2f} points of top-1 on {reference.samples} "
        f"validation pictures ({reference.top1:.2%} to {candidate.top1:.2%}; worst classes: "
        f"{worst})"
        + (f"; most is lost in {lost_where}" if lost_where else "")
        + (f"; tried in vain: {tried}" if tried else ""),
        expected=f"at most {max_drop_points:.2f}",
        next_step="raise --calibration-images, train longer, or allow more with --max-drop",
    )
