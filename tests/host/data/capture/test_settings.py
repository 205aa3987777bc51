from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.capture.entry import NumberEntry
from edgeinfer.host.data.capture.settings import (
    CaptureSettings,
    LabelKey,
    ValueWish,
    parse_labels,
    parse_value,
)


def test_labels_get_keys() -> None:
    labels = parse_labels(["open", "1=shut", "o=half open", "a=b=c", "far"])
    assert [(one.key, one.label) for one in labels] == [
        ("2", "open"),
        ("1", "shut"),
        ("o", "half open"),
        ("a", "b=c"),
        ("3", "far"),
    ]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["q=open"], "q ends, u takes the last picture back"),
        (["1=open", "1=shut"], "has the same key as 'open'"),
        (["open", "Open"], "has the same name as 'open'"),
        (["a/b"], "take 'a_b'"),
        ([".."], "cannot be the name of a folder"),
        ([""], "cannot be the name of a folder"),
        (["1="], "cannot be the name of a folder"),
        ([str(number) for number in range(100, 135)], "at most 34 labels"),
    ],
)
def test_labels_that_cannot_be(texts: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_labels(texts)


@settings(max_examples=50)
@given(st.lists(st.text(max_size=8), max_size=5))
def test_any_labels_are_refused_or_have_their_own_key(texts: list[str]) -> None:
    try:
        labels = parse_labels(texts)
    except UsageError:
        return
    assert len({one.key for one in labels}) == len(labels) == len(texts)
    assert all("/" not in one.label and one.label not in {"", ".", ".."} for one in labels)


def test_values() -> None:
    assert parse_value("temperature") == ValueWish(name="temperature")
    assert parse_value(" bar = -2,5 ") == ValueWish(name="bar", number=-2.5)


@pytest.mark.parametrize("text", ["", "=3", "a,b", "file", "t=warm", "t=nan", "t=", "=HYPERLINK"])
def test_values_that_cannot_be(text: str) -> None:
    with pytest.raises(UsageError):
        parse_value(text)


A = LabelKey(key="1", label="a")
B = LabelKey(key="2", label="b")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({}, "are both missing"),
        ({"labels": (A,), "value": ValueWish(name="t")}, "are both given"),
        ({"labels": (A, B), "every_s": 1.0}, "is given 2 times"),
        ({"value": ValueWish(name="t"), "change": 0.1}, "has no number"),
    ],
)
def test_settings_that_contradict_each_other(wishes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CaptureSettings(**wishes)  # type: ignore[arg-type]


def typed(entry: NumberEntry, keys: str) -> list[float]:
    return [number for key in keys if (number := entry.press(key)) is not None]


def test_a_number_key_by_key() -> None:
    entry = NumberEntry()
    assert typed(entry, "12x\x7f3,5\r\r-1e1\n") == [13.5, 13.5, -10.0]
    assert entry.text == ""


def test_what_is_not_a_number_is_forgotten() -> None:
    entry = NumberEntry()
    with pytest.raises(ValueError, match="no number was typed"):
        entry.press("\r")
    with pytest.raises(ValueError, match=r"'1\.\.2' is not a number"):
        typed(entry, "1..2\r")
    assert typed(entry, "7\r") == [7.0]
