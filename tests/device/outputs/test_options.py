from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.outputs.options import parse_output, parse_outputs


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("terminal", "terminal", None),
        ("json", "json", None),
        ("json:a.jsonl", "json", "a.jsonl"),
        ("csv:a:b.csv", "csv", "a:b.csv"),
        ("video:clips/a.MP4", "video", "clips/a.MP4"),
        ("stills:.", "stills", "."),
        ("window", "window", None),
    ],
)
def test_outputs_are_read(text: str, kind: str, target: str | None) -> None:
    option = parse_output(text)
    assert (option.kind, option.target) == (kind, None if target is None else Path(target))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not an output"),
        ("jason", "is not an output"),
        ("Json", "is not an output"),
        ("json:", "takes no target"),
        ("terminal:x", "takes no target"),
        ("window:", "takes no target"),
        ("csv", "names no target, expected csv:FILE"),
        ("stills:", "names no target, expected stills:FOLDER"),
        ("video:a.mkv", "is not a video"),
        ("video:mp4", "is not a video"),
    ],
)
def test_wrong_outputs_say_what_is_expected(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        parse_output(text)
    assert raised.value.exit_code == 2


@given(st.text())
def test_any_text_is_an_output_or_a_usage_error(text: str) -> None:
    try:
        option = parse_output(text)
    except UsageError:
        return
    assert option.text == text


@pytest.mark.parametrize(
    ("texts", "as_json", "kinds"),
    [
        ([], False, ["terminal"]),
        ([], True, ["json"]),
        (["json"], True, ["json"]),
        (["csv:a"], True, ["csv", "json"]),
        (["csv:a"], False, ["csv"]),
        (["status:a"], False, ["status"]),
        (["status:a"], True, ["status", "json"]),
        (["json:a", "json:b", "terminal"], False, ["json", "json", "terminal"]),
    ],
)
def test_the_default_is_the_terminal_or_json(
    texts: list[str], as_json: bool, kinds: list[str]
) -> None:
    assert [option.kind for option in parse_outputs(texts, as_json=as_json)] == kinds


@pytest.mark.parametrize(
    "texts",
    [["terminal", "json"], ["json", "json"], ["csv:a", "json:./a"], ["window", "window"]],
)
def test_two_outputs_to_one_place_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="two"):
        parse_outputs(texts, as_json=False)
