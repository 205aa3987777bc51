"""The benchmark stays runnable; what it finds depends on the machine and is not asserted."""

from __future__ import annotations

from tests.benchmarks.loop_rate import BUNDLE, HEADER, SIMULATED, Rates, Row, measure, table


def test_one_short_repeat_gives_positive_rates_and_a_table() -> None:
    row = measure(BUNDLE, SIMULATED, seconds=0.2, repeats=1)
    (rates,) = row.repeats
    assert min(rates.bare, rates.source, rates.loop) > 0
    header, rule, line = table([row]).splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list(HEADER)
    assert header.count("|") == rule.count("|") == line.count("|")
    assert [cell.strip() for cell in line.strip("|").split("|")][:2] == [BUNDLE.stem, SIMULATED]


def test_ratios_are_medians_of_each_repeats_own() -> None:
    repeats = (
        Rates(bare=100, source=1000, loop=90),
        Rates(bare=200, source=100, loop=50),
        Rates(bare=100, source=50, loop=10),
    )
    cells = Row(model="m", source="s", repeats=repeats).cells()
    assert cells[2:] == ("100", "100", "50", "0.25 (0.10-0.90)", "0.45", "0.50 (0.20-0.90)")
