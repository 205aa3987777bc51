"""Lines are broken between words and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.text.wrapping import columns, cut, wrap, wrap_text

WORDS = st.lists(st.text("abc./-_é猫", min_size=1, max_size=30), min_size=1, max_size=20)


@given(words=WORDS, width=st.integers(10, 90))
def test_no_word_is_broken_and_only_a_word_is_wider(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert [word for line in lines for word in line.split()] == words
    for line in lines:
        assert columns(line) <= width or len(line.split()) == 1


def test_a_long_path_gets_a_separate_line_without_a_margin() -> None:
    path = "/" + "folder/" * 10 + "x"
    assert wrap(f"error: {path}: cannot be read", 72) == [
        "error:",
        f"{path}:",
        "  cannot be read",
    ]


def test_the_rest_stands_below_the_last_column() -> None:
    assert wrap("  source    Debian  the list of packages of bookworm", 40) == [
        "  source    Debian  the list of packages",
        "                    of bookworm",
    ]
    assert wrap("    left: one two three four", 20) == ["    left: one two", "      three four"]


def test_a_command_can_be_pasted() -> None:
    lines = wrap("next: edgeinfer run --camera --model runs/cats/cats.edgebundle", 40)
    assert lines == ["next: edgeinfer run --camera --model \\", "  runs/cats/cats.edgebundle"]


@pytest.mark.parametrize("text", ["", "short", "  indented", "a  table   row"])
def test_what_fits_is_as_it_was(text: str) -> None:
    assert wrap_text(f"{text}\n{text}", 20) == f"{text}\n{text}"


def test_wide_characters_and_colours_are_measured_as_shown() -> None:
    assert columns("\x1b[31m猫\x1b[0m e\u0301") == 4
    assert wrap("猫猫猫 猫猫猫", 12) == ["猫猫猫", "  猫猫猫"]


@given(words=WORDS, width=st.integers(4, 60))
def test_cut_keeps_whole_words(words: list[str], width: int) -> None:
    text = " ".join(words)
    shown = cut(text, width)
    assert columns(shown) <= width
    if columns(words[0]) <= width - 4 and shown != text:
        assert text.startswith(f"{shown.removesuffix(' ...')} ")
