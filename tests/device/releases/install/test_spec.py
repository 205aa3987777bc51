"""What a release consists of is read strictly: it decides what root installs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.install.spec import parse_spec, read_spec

GOOD: dict[str, Any] = {
    "schema": 1,
    "name": "birds",
    "bundle": "a" * 64,
    "wheels": [
        {"name": "numpy-1.26.4-cp311-cp311-manylinux.whl", "sha256": "b" * 64},
        {"name": "click-8.1-py3-none-any.whl", "sha256": "c" * 64},
    ],
    "pip": {"name": "pip-25-py3-none-any.whl", "sha256": "d" * 64},
    "python": "/usr/bin/python3",
    "system_site_packages": False,
    "run": ["--camera", "--max-fps", "5"],
    "verify_timeout_s": 60,
}


def test_it_reads_what_it_writes_whatever_the_order_of_the_wheels() -> None:
    spec = parse_spec(GOOD)
    assert parse_spec(spec.to_json()) == spec
    assert parse_spec({**GOOD, "wheels": GOOD["wheels"][::-1]}) == spec
    assert spec.files() == {letter * 64 for letter in "abcd"}


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"schema": 2}, "schema 2"),
        ({"colour": "red"}, "colour"),
        ({"name": 1}, "is a int"),
        ({"system_site_packages": 1}, "is a int"),
        ({"verify_timeout_s": True}, "is a bool"),
        ({"verify_timeout_s": 0}, "0"),
        ({"bundle": "../../etc/passwd"}, "passwd"),
        ({"python": "python3"}, "python3"),
        ({"run": ["--camera", 1]}, "not text"),
        ({"run": ["--model=/other"]}, "is the release's own"),
        ({"wheels": [{"name": "../x.whl", "sha256": "b" * 64}]}, "x.whl"),
        ({"wheels": [{"name": "-r.whl", "sha256": "b" * 64}]}, "-r.whl"),
        ({"wheels": [{"name": "x.whl", "sha256": "b"}]}, "b"),
        ({"wheels": ["x.whl"]}, "a str"),
    ],
)
def test_what_is_odd_is_refused(change: dict[str, Any], got: str) -> None:
    with pytest.raises(ReleaseError, match=got):
        parse_spec({**GOOD, **change})


@pytest.mark.parametrize("key", sorted(GOOD))
def test_the_error_names_a_missing_key(key: str) -> None:
    with pytest.raises(ReleaseError, match=f"has no '{key}'"):
        parse_spec({name: value for name, value in GOOD.items() if name != key})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(GOOD)), inner)
    ),
    max_leaves=10,
)


@given(
    st.text(max_size=20) | JSON.map(json.dumps) | JSON.map(lambda v: json.dumps({**GOOD, "run": v}))
)
def test_anything_else_is_a_release_error(text: str) -> None:
    try:
        spec = read_spec(text)
    except ReleaseError:
        return
    assert all(isinstance(word, str) for word in spec.run)
