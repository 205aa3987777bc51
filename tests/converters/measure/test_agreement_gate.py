"""What decides without labels: agreement with float32, within what the pictures can tell."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.measure.agreement_gate import (
    FEW_PICTURES,
    WANTED,
    AgreementGate,
    agreement_interval,
)
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.intervals import wilson
from edgeinfer.device.core.errors import AccuracyError

BY_DEFAULT = AgreementGate(counted="the same best class")


def evaluation(scores: list[float], groups: tuple[str, ...] = ("all",)) -> Evaluation:
    return Evaluation(
        scores=np.array(scores, np.float64),
        groups=np.arange(len(scores), dtype=np.int64) % len(groups),
        group_names=groups,
        score_name="top-1",
    )


def agreeing(right: int, total: int) -> Evaluation:
    return evaluation([1.0] * right + [0.0] * (total - right))


def refused(gate: AgreementGate, candidate: Evaluation) -> str:
    """Return the error, or an empty text where the candidate is accepted."""
    try:
        gate.require("pets", agreeing(1, 1), candidate, precision="int8")
    except AccuracyError as error:
        return str(error)
    return ""


def warnings(gate: AgreementGate, candidate: Evaluation) -> list[str]:
    reference = evaluation([1.0] * candidate.samples)
    return gate.warnings({"agreement": {"float32": reference, "int8": candidate}}, "int8")


@pytest.mark.parametrize(
    ("right", "total", "wants_repair", "refusal", "warned"),
    [
        (1000, 1000, False, False, []),
        (950, 1000, False, False, []),
        (949, 1000, True, False, ["below 95%"]),
        # The interval of 88 % ends at 89.9 %, that of 89 % at 90.8 %.
        (890, 1000, True, False, ["below 95%"]),
        (880, 1000, True, True, ["below 95%"]),
        (0, 1000, True, True, ["below 95%"]),
        # A few pictures leave more open.
        (8, 10, True, False, ["below 95%", "10 pictures may"]),
        (5, 10, True, True, ["below 95%", "10 pictures may"]),
        (10, 10, False, False, ["agreement on 10 pictures may be anything from 72.2% to 100.0%"]),
        (0, 1, True, True, ["below 95%", "1 picture may"]),
        (49, 49, False, False, ["49 pictures may"]),
        (50, 50, False, False, []),
        (35, 70, True, True, ["below 95%", "70 pictures may"]),
    ],
)
def test_what_is_repaired_refused_and_warned_of(
    right: int, total: int, wants_repair: bool, refusal: bool, warned: list[str]
) -> None:
    candidate = agreeing(right, total)
    assert BY_DEFAULT.passes(agreeing(total, total), candidate) != wants_repair
    assert bool(refused(BY_DEFAULT, candidate)) == refusal
    found = warnings(BY_DEFAULT, candidate)
    assert len(found) == len(warned), found
    assert all(part in line for part, line in zip(warned, found, strict=True)), found


def test_the_refusal_says_what_was_found_and_what_to_do() -> None:
    assert refused(BY_DEFAULT, agreeing(100, 200)) == (
        "pets: INT8 agrees with float32 by 50.00% on 200 pictures (95 % interval 43.14% to 56.86%; "
        "counted: the same best class), expected an interval that reaches 90%; try other "
        "--pictures, or a lower --min-agreement"
    )


def test_a_share_that_the_user_names_replaces_the_rule() -> None:
    gate, strict = AgreementGate(min_agreement=0.1), AgreementGate(min_agreement=0.999)
    assert gate.passes(agreeing(1, 1), agreeing(20, 200))
    assert not refused(gate, agreeing(20, 200))
    assert warnings(gate, agreeing(20, 200)) == []
    assert "expected at least 10.00%" in refused(gate, agreeing(19, 200))
    assert not strict.passes(agreeing(1, 1), agreeing(995, 1000))
    assert "expected at least 99.90%" in refused(strict, agreeing(998, 1000))
    assert not refused(AgreementGate(min_agreement=0.0), agreeing(0, 200))


def test_one_answer_to_all_pictures_proves_nothing() -> None:
    same = Evaluation(
        scores=np.ones(60), groups=np.ones(60, np.int64), group_names=("cat", "dog"), score_name="x"
    )
    (line,) = warnings(BY_DEFAULT, same)
    assert line.startswith("float32 gives the same answer to all 60 pictures (dog)")
    assert warnings(BY_DEFAULT, evaluation([1.0] * 60, ("cat", "dog"))) == []


def test_pictures_without_anything_to_compare_are_said_and_leave_no_figure() -> None:
    nothing = evaluation([])
    results = {"float32": nothing, "int8": nothing}
    assert "not known" in warnings(BY_DEFAULT, nothing)[0]
    assert BY_DEFAULT.figures("agreement", results, "int8") == {"agreement.samples": 0.0}
    assert "on no picture" in BY_DEFAULT.lines({"agreement": results}, "int8")[0]


def test_the_figures_have_their_interval() -> None:
    results = {"float32": agreeing(300, 300), "int8": agreeing(276, 300)}
    figures = BY_DEFAULT.figures("agreement", results, "int8")
    low, high = wilson(276, 300)
    assert figures == {
        "agreement.int8": 0.92,
        "agreement.int8.low": low,
        "agreement.int8.high": high,
        "agreement.samples": 300.0,
    }
    (line,) = BY_DEFAULT.lines({"agreement": results}, "int8")
    assert re.search(r"INT8 agrees with float32 by 92\.00% on 300 pictures \(95 % interval", line)


SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=80)


@given(SCORES)
def test_the_interval_holds_the_mean_and_is_never_narrower_than_few_pictures_allow(
    scores: list[float],
) -> None:
    values = np.array(scores)
    low, high = agreement_interval(values)
    assert 0 <= low <= values.mean() + 1e-9
    assert values.mean() - 1e-9 <= high <= 1
    if len(values) < FEW_PICTURES:
        widest = wilson(float(values.sum()), len(values))
        assert low <= widest[0]
        assert high >= widest[1]


@given(st.integers(1, 400), st.data())
def test_one_more_answer_that_agrees_never_refuses_a_model(total: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, total - 1))
    if not refused(BY_DEFAULT, agreeing(right, total)):
        assert not refused(BY_DEFAULT, agreeing(right + 1, total))
        assert not refused(BY_DEFAULT, agreeing(right + 1, total + 1))


@given(st.integers(1, 2000))
def test_a_model_that_never_agrees_is_refused_on_any_number_of_pictures(total: int) -> None:
    assert refused(BY_DEFAULT, agreeing(0, total))


@pytest.mark.parametrize("total", [10, 60, 500])
def test_models_that_are_good_enough_are_hardly_ever_refused(total: int) -> None:
    """By simulation: of models that truly agree as wanted, at most one of forty is refused."""
    rights = np.random.default_rng(1).binomial(total, WANTED, 1000)
    assert np.mean([bool(refused(BY_DEFAULT, agreeing(right, total))) for right in rights]) < 0.025
