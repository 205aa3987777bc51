from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.benchmark import report as report_module
from edgeinfer.device.diagnose.benchmark.report import (
    StageTimes,
    format_report,
    nearest_ranks_ms,
    parse_report,
    percentiles,
)
from edgeinfer.device.models.bundle.strict import SchemaError
from tests.device.diagnose.benchmark.examples import REFUSED, REPORT, comparison


def test_a_report_survives_its_json() -> None:
    text = format_report(REPORT)
    assert "\n" not in text
    assert parse_report(text) == REPORT


def test_what_was_not_measured_is_left_out() -> None:
    bare = dataclasses.replace(
        REPORT, frame=None, cold_start=None, rss_mib=None, ops=None, host=None
    )
    document = json.loads(format_report(bare))
    absent = {"frame", "cold_start", "rss_mib", "ops", "note", "host"}
    assert not absent & set(document)
    assert parse_report(format_report(bare)) == bare


def test_every_key_is_documented() -> None:
    documented = set(re.findall(r"`(\w+)`", report_module.__doc__ or ""))

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    full = dataclasses.replace(REPORT, note="why")
    assert keys(full.to_json()) <= documented


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "an unknown key 'colour'"),
        ({"frames": "many"}, "frames: .*expected a whole number"),
        ({"stages": [{"stage": "nap"}]}, "stages"),
        ({"model": None}, "model"),
    ],
)
def test_other_documents_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        parse_report(json.dumps(REPORT.to_json() | change))


@given(text=st.text(max_size=60))
def test_whatever_a_board_prints_only_schema_errors_come(text: str) -> None:
    with pytest.raises(SchemaError):
        parse_report(text)


@given(times_ns=st.lists(st.integers(0, 10**12), min_size=1, max_size=300))
def test_percentiles_are_nearest_ranks(times_ns: list[int]) -> None:
    ordered = sorted(times_ns)
    found = nearest_ranks_ms(times_ns, (50, 95, 99, 100))
    for percent, value in zip((50, 95, 99, 100), found, strict=True):
        rank = -(-len(ordered) * percent // 100)
        assert value == round(ordered[rank - 1] / 1e6, 6)


def test_percentiles_of_nothing() -> None:
    assert percentiles("invoke", [2_000_000]) == StageTimes(
        stage="invoke", p50_ms=2.0, p95_ms=2.0, p99_ms=2.0
    )
    with pytest.raises(ValueError, match="invoke: nothing was timed"):
        percentiles("invoke", [])


def test_the_fastest_and_how_far_behind_the_others_are() -> None:
    found = comparison(34.0, 17.0, 20.0)
    best = found.fastest()
    assert best is not None
    assert best.threads == 2
    assert found.slower_by(2, "ai-edge-litert") == 0
    assert found.slower_by(1, "ai-edge-litert") == 1
    assert found.slower_by(4, "ai-edge-litert") is None
    refused = dataclasses.replace(found, candidates=(REFUSED,))
    assert refused.fastest() is None
    assert refused.slower_by(1, "tflite-runtime") is None


def test_operators_by_type() -> None:
    assert REPORT.ops is not None
    assert REPORT.ops.by_type() == (("CONV_2D", 2, 17.5), ("RESHAPE", 1, -0.5))
    assert REPORT.ops.total_ms == 17.0
