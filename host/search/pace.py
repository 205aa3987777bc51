"""How long candidates take to train, from those that were trained, and how long they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.host.search.candidate import Trial

SHARE = 0.08
"""Of the time limit that one candidate may train: a search sees at least a dozen."""

FEWEST_EPOCHS = 2

_SLOWEST_GAIN = 0.3
"""A network with so little arithmetic that it counts for nothing still takes this part of a larger
one's time: pictures have to be read, altered and handed over."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a trained network took.

    Attributes:
        kind: the candidate's.
        macs: multiply-accumulates of an inference.
        epoch_s: seconds an epoch.
        overhead_s: seconds beside the epochs: building, converting, timing, evaluating.
    """

    kind: str
    macs: int
    epoch_s: float
    overhead_s: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a candidate would be trained.

    Attributes:
        epochs: at most so many.
        seconds: how long all that is still to be done would take.
    """

    epochs: int
    seconds: float


def known_paces(trials: Sequence[Trial]) -> list[Known]:
    """Return what the trained candidates took."""
    return [
        Known(
            kind=trial.candidate.kind,
            macs=trial.measured.footprint.macs,
            epoch_s=trial.training_s / trial.epochs,
            overhead_s=max(0.0, trial.seconds - trial.training_s),
        )
        for trial in trials
        if trial.measured is not None and trial.epochs
    ]


def plan_training(
    kind: str, macs: int, full_epochs: int, known: Sequence[Known], *, limit_s: float
) -> Plan:
    """Choose how long to train a candidate.

    The nearest network that was trained, of its kind where there is one, tells how long an epoch
    takes; more arithmetic takes as much more time, less takes somewhat less.

    Args:
        kind: the candidate's.
        macs: its multiply-accumulates.
        full_epochs: what it would get without a limit.
        known: what others took; at least one.
        limit_s: of the whole search, seconds.
    """
    alike = [one for one in known if one.kind == kind] or list(known)
    nearest = min(alike, key=lambda one: max(one.macs, macs, 1) / max(1, min(one.macs, macs)))
    scale = max(_SLOWEST_GAIN, macs / max(1, nearest.macs))
    epoch_s = nearest.epoch_s * scale
    affordable = int(limit_s * SHARE / max(epoch_s, 1e-9))
    epochs = max(min(FEWEST_EPOCHS, full_epochs), min(full_epochs, affordable))
    return Plan(epochs=epochs, seconds=epochs * epoch_s + nearest.overhead_s)
