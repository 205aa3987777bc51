"""Values and groups in names of pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.labels.name_pattern import parse_pattern, suggested_pattern


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("*_{value}", "010_0.1.jpg", ("0.1",)),
        ("*_{value}", "a/b_c_-3,5.png", ("-3,5",)),
        ("{value}bar*", "3.5bar-7.jpg", ("3.5",)),
        ("{flow}_{angle}", "1.5_270.jpg", ("1.5", "270")),
        ("*_{value}", "cat.jpg", None),
        ("{value}", "x3.jpg", None),
        ("{value}/*", "3.5/7.jpg", ("3.5",)),
    ],
)
def test_it_finds_numbers(pattern: str, path: str, found: tuple[str, ...] | None) -> None:
    assert parse_pattern(pattern, "--name-pattern", numbers=True).match(path) == found


@given(st.floats(-1e6, 1e6), st.text("abcXYZ._- 0123456789", max_size=10))
def test_it_finds_every_number(number: float, before: str) -> None:
    pattern = parse_pattern("*_{value}", "--name-pattern", numbers=True)
    found = pattern.match(f"{before}_{number!r}.jpg")
    assert found is not None
    assert float(found[0]) == number


@pytest.mark.parametrize("pattern", ["*", "", "{}", "{a", "a}", "{a}_{a}", "x" * 300 + "{a}"])
def test_what_is_not_a_pattern_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(UsageError, match="--name-pattern"):
        parse_pattern(pattern, "--name-pattern", numbers=True)


def test_a_pattern_is_suggested_where_names_have_decimals() -> None:
    assert suggested_pattern(["010_0.1", "020_0.6", "030_1.5"]) == "*_{value}"
    assert suggested_pattern(["IMG_1", "IMG_2"]) is None
