"""How long candidates take to train, learned from trained ones, and how long they may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.host.search.candidate import Trial

SHARE = 0.08
"""Share of the time limit for training one candidate: a search tries at least twelve."""

FEWEST_EPOCHS = 2

_SLOWEST_GAIN = 0.3
"""A network with almost no arithmetic still takes this part of a larger network's time: pictures
must be read, changed and passed on."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The time that a trained network took.

    Attributes:
        kind: the candidate's kind.
        macs: multiply-accumulates of an inference.
        epoch_s: seconds per epoch.
        overhead_s: other seconds: building, converting, timing, evaluating.
    """

    kind: str
    macs: int
    epoch_s: float
    overhead_s: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan for training a candidate.

    Attributes:
        epochs: the largest number of epochs.
        seconds: how long all remaining work would take.
    """

    epochs: int
    seconds: float


def known_paces(trials: Sequence[Trial]) -> list[Known]:
    """Return the times of the trained candidates."""
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

    The nearest trained network, of the same kind if there is one, gives the time of an epoch;
    more arithmetic takes proportionally more time, less takes a little less.

    Args:
        kind: the candidate's kind.
        macs: its multiply-accumulates.
        full_epochs: its number of epochs without a limit.
        known: the times of others; at least one.
        limit_s: of the whole search, seconds.
    """
    same_kind = [one for one in known if one.kind == kind] or list(known)
    nearest = min(same_kind, key=lambda one: max(one.macs, macs, 1) / max(1, min(one.macs, macs)))
    scale = max(_SLOWEST_GAIN, macs / max(1, nearest.macs))
    epoch_s = nearest.epoch_s * scale
    affordable = int(limit_s * SHARE / max(epoch_s, 1e-9))
    epochs = max(min(FEWEST_EPOCHS, full_epochs), min(full_epochs, affordable))
    return Plan(epochs=epochs, seconds=epochs * epoch_s + nearest.overhead_s)
