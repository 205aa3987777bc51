"""Steps down and up: by how much, how soon, and never back and forth at an edge."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.loop.supervision.rate_steps import (
    CALM_S,
    HYSTERESIS_C,
    MARGINS_C,
    STEPS,
    Governor,
    Reading,
)
from edgeinfer.device.loop.supervision.rpi_firmware import Throttled, decode_throttled
from edgeinfer.device.loop.supervision.temperatures import Temperature


def at(celsius: float, throttled: Throttled | None = None) -> Reading:
    cool = Temperature(name="other", celsius=30, limit_c=80)
    hot = Temperature(name="cpu", celsius=celsius, limit_c=80)
    return Reading(temperatures=[cool, hot], throttled=throttled)


def test_it_goes_down_immediately_and_up_slowly() -> None:
    governor, fractions = Governor(), []
    for now_s, celsius in enumerate([60, 73.9, 74, 76.9, 77, 79.9, 80, 95, 60]):
        governor.decide(at(celsius), float(now_s))
        fractions.append(governor.fraction)
    assert fractions == [1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25, 0.25]
    rises = [now_s for now_s in range(9, 120) if governor.decide(at(60), float(now_s))]
    assert rises == [26, 46, 66]  # 20 s after the last step down, and between two
    assert governor.fraction == 1


def test_a_jump_goes_down_all_the_way() -> None:
    governor = Governor()
    assert governor.decide(at(120), 0.0)
    assert governor.fraction == 0.25


def test_between_two_edges_it_stays_where_it_is() -> None:
    governor = Governor()
    governor.decide(at(74), 0.0)
    for now_s in range(1, 1000):
        # Below the edge at 74 °C, but not by the hysteresis.
        assert not governor.decide(at(71.1 + 2.8 * (now_s % 2)), float(now_s))
    assert governor.decide(at(70.9), 1000.0)
    assert governor.fraction == 1


def test_what_the_firmware_does_counts_at_any_temperature() -> None:
    governor = Governor()
    governor.decide(at(40, decode_throttled(0x1)), 0.0)
    assert governor.fraction == 0.75
    governor.decide(at(40, decode_throttled(0x5)), 1.0)
    assert governor.fraction == 0.5
    governor.decide(at(40, decode_throttled(0x50000)), 30.0)  # an earlier event does not count
    governor.decide(at(40, decode_throttled(0x50000)), 60.0)
    assert governor.fraction == 1


def test_a_board_that_says_nothing_is_left_alone() -> None:
    governor = Governor()
    assert not governor.decide(Reading(), 0.0)
    assert governor.fraction == 1


celsius = st.floats(20, 120)
bits = st.none() | st.integers(0, 15)


@given(st.lists(st.tuples(celsius, bits, st.floats(0.1, 60)), max_size=80))
def test_whatever_comes_the_rate_fits_the_heat(
    readings: list[tuple[float, int | None, float]],
) -> None:
    governor, now_s, changed_s = Governor(), 0.0, float("-inf")
    for degrees, flags, pause_s in readings:
        now_s += pause_s
        before = governor.step
        throttled = None if flags is None else decode_throttled(flags)
        changed = governor.decide(at(degrees, throttled), now_s)
        assert changed == (governor.step != before)
        # Never faster than the temperature allows, and never up by more than a step, or too soon.
        assert governor.step >= sum(80 - degrees <= margin for margin in MARGINS_C)
        if governor.step < before:
            assert before - governor.step == 1
            assert now_s - changed_s >= CALM_S
        if changed:
            changed_s = now_s


@given(st.floats(20, 100))
def test_a_steady_temperature_ends_at_a_steady_rate(degrees: float) -> None:
    governor = Governor()
    steps = []
    for now_s in range(0, 400, 5):
        governor.decide(at(degrees), float(now_s))
        steps.append(governor.step)
    assert len(set(steps)) == 1
    assert STEPS[steps[-1]] == governor.fraction


def test_the_edges_leave_room_for_the_hysteresis() -> None:
    assert all(a - b >= HYSTERESIS_C for a, b in itertools.pairwise(MARGINS_C))
