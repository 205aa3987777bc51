"""How long candidates may train, and how long that takes."""

from __future__ import annotations

import pytest

from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.pace import SHARE, Known, known_paces, plan_training
from tests.host.search.examples import pruned, student, trial

SLOW = Known(kind="pruned", macs=100_000, epoch_s=60.0, overhead_s=20.0)
FAST = Known(kind="student", macs=1_000, epoch_s=1.0, overhead_s=5.0)


def test_only_trained_candidates_give_a_pace() -> None:
    (known,) = known_paces(
        [trial(0, pruned(), 0.9), Trial(number=1, candidate=pruned(), outcome="failed", reason="x")]
    )
    assert known == Known(kind="pruned", macs=1000, epoch_s=2.0, overhead_s=4.0)
    assert student().kind != known.kind


def test_the_nearest_of_the_kind_tells_the_time() -> None:
    plan = plan_training("pruned", 50_000, 6, [SLOW, FAST], limit_s=100_000)
    assert plan.epochs == 6
    assert plan.seconds == pytest.approx(6 * 30 + 20)
    plan = plan_training("student", 2_000, 6, [SLOW, FAST], limit_s=100_000)
    assert plan.seconds == pytest.approx(6 * 2 + 5)


def test_less_arithmetic_is_not_expected_to_save_all_time() -> None:
    plan = plan_training("student", 1, 10, [FAST], limit_s=100_000)
    assert plan.seconds == pytest.approx(10 * 0.3 + 5)


def test_epochs_follow_from_the_limit() -> None:
    plan = plan_training("student", 1_000, 40, [FAST], limit_s=250)
    assert plan.epochs == round(250 * SHARE)
    assert plan_training("pruned", 100_000, 6, [SLOW], limit_s=60).epochs == 2
    assert plan_training("pruned", 100_000, 1, [SLOW], limit_s=60).epochs == 1
