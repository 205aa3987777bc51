"""JSON to dataclasses: whatever the types do not name is refused, with its place."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json


@dataclass(frozen=True, kw_only=True)
class Inner:
    count: int
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count is {self.count}, expected 0 or more")


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    size: tuple[int, int]
    weights: tuple[float, ...] = ()
    parts: dict[str, Inner]
    note: str | None = None
    on: bool = False


GOOD = {"name": "x", "size": [1, 2], "weights": [1, 2.5], "parts": {"p": {"count": 3}}, "on": True}


def test_a_document_becomes_its_dataclass_and_back() -> None:
    outer = from_json(Outer, GOOD)
    assert outer == Outer(
        name="x", size=(1, 2), weights=(1.0, 2.5), parts={"p": Inner(count=3)}, on=True
    )
    assert from_json(Outer, parse_json(json.dumps(to_json(outer)).encode())) == outer


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"extra": 1}, "unknown key 'extra'"),
        ({"name": 3}, "name: 3, expected text"),
        ({"name": None}, "name: null, expected text"),
        ({"size": [1]}, "size: 1 items, expected 2 items"),
        ({"size": [1, 2.0]}, "size[1]: 2.0, expected a whole number"),
        ({"size": [True, 2]}, "size[0]: true, expected a whole number"),
        ({"weights": ["1"]}, 'weights[0]: "1", expected a finite number'),
        ({"weights": 5}, "weights: 5, expected a list"),
        ({"parts": {"p": {"count": -1}}}, "parts.p: count is -1"),
        ({"parts": {"p": {"count": 1, "kind": "c"}}}, "parts.p.kind"),
        ({"parts": {"p": {}}}, "parts.p: no key 'count'"),
        ({"parts": []}, "parts: [], expected an object"),
        ({"on": 1}, "on: 1, expected true or false"),
        ({"parts": [{"count": 1}]}, "parts: a list, expected an object"),
        ({"weights": [10**400]}, "weights[0]: a number of 1329 bits, expected a finite number"),
        ({"weights": [float("inf")]}, "weights[0]: Infinity, expected a finite number"),
        ({"size": [1, 10**400]}, "size[1]: a number of 1329 bits, expected a whole number of 64"),
        ({"size": [1, 2**63]}, "size[1]: a number of 64 bits"),
        ({"size": [10**400, 1.5]}, "size[0]: a number of 1329 bits"),
        ({"name": 10**5000}, "name: a number of 16610 bits, expected text"),
        ({"name": "half \ud800"}, "expected whole characters"),
        ({"parts": {"\udcff": {"count": 1}}}, "expected whole characters"),
        ({"\ud800": 1}, r"unknown key '\ud800'"),
        ({"k" * 100_000: 1}, "unknown key 'kkk"),
        ({"parts": {"k" * 100_000: 1}}, "parts.kkk"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(SchemaError) as caught:
        from_json(Outer, {**GOOD, **change})
    assert where in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_value_however_deep_is_named() -> None:
    deep: object = 1
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(SchemaError, match="name: a list, expected text"):
        from_json(Outer, {**GOOD, "name": deep})
    with pytest.raises(SchemaError, match="expected one of"):
        from_json(Inner, {"count": 1, "kind": deep})


def test_keys_have_their_type_too() -> None:
    with pytest.raises(SchemaError, match="expected one of"):
        from_json(dict[Literal["a"], int], {"b": 1})


@pytest.mark.parametrize(
    "text",
    [
        *(b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1, "a": 2}', b"{", b"\xff", b"[" * 100_000),
        *(b"9" * 5000, b'"\xff"', '{"a": 1}'.encode("utf-16"), b'\xef\xbb\xbf{"a": 1}'),
    ],
)
def test_text_that_is_not_plain_json_is_refused(text: bytes) -> None:
    with pytest.raises(SchemaError):
        parse_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(json_values)
def test_anything_else_raises_a_schema_error_only(value: object) -> None:
    with pytest.raises(SchemaError):
        from_json(Outer, value)


@given(st.binary(max_size=60))
def test_random_bytes_never_raise_anything_else(text: bytes) -> None:
    with suppress(SchemaError):
        parse_json(text)
