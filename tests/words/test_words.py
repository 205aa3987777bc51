from __future__ import annotations

from pathlib import Path

import pytest

from tests.words.__main__ import main
from tests.words.texts import files_of, texts_of
from tests.words.word_list import PAGE, WordList, read_rules

# A list of invented words, so that this file itself breaks no rule.
PAGE_WITH_RULES = """\
# Contributing

## Words

Some prose.

| instead of | write | example | but not in |
|---|---|---|---|
| `florp`, `are florp` | plain | a plain file | |
| `in blick` | failed | | `fell in blick water` |

## More

| `later` | nothing | | |
"""


@pytest.fixture
def words() -> WordList:
    return WordList(read_rules(PAGE_WITH_RULES))


def found(words: WordList, text: str) -> list[tuple[int, str]]:
    return [(match.start, match.rule.phrase) for match in words.search(text)]


def test_reads_each_phrase_of_each_row_of_its_section() -> None:
    rules = read_rules(PAGE_WITH_RULES)
    assert [(rule.phrase, rule.write) for rule in rules] == [
        ("florp", "plain"),
        ("are florp", "plain"),
        ("in blick", "failed"),
    ]
    assert rules[2].exceptions == ("fell in blick water",)


def test_the_page_has_a_list_and_no_phrase_twice() -> None:
    phrases = [rule.phrase for rule in read_rules(PAGE.read_text(encoding="utf-8"))]
    assert len(phrases) == len(set(phrases)) > 100


@pytest.mark.parametrize(
    "page",
    [
        "# Contributing\n",
        "## Words\n\nNone.\n",
        PAGE_WITH_RULES.replace("`florp`, `are florp`", "florp"),
        PAGE_WITH_RULES.replace("| plain | a plain file | |", "| plain |"),
    ],
)
def test_a_page_without_a_list_or_with_a_broken_row_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_rules(page)


def test_finds_whole_words_only_in_any_case_and_across_lines(words: WordList) -> None:
    assert found(words, "Florp; florping, a reflorp") == [(0, "florp")]
    assert found(words, "They are\n    florp.") == [(5, "are florp")]


def test_a_longer_phrase_that_is_right_does_not_match(words: WordList) -> None:
    assert found(words, "It fell in blick water, tried in blick.") == [(30, "in blick")]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("# one\n# in\n# blick\n", 2),
        ('"""One.\n\nTwo in blick.\n"""\n', 3),
        ('X = 1\nY = (\n    "was in "\n    "blick"\n)\n', 3),
        ('X = 1\nY = f"{X} was in blick"\n', 2),
        ("X = 1\n\n\ndef was_in_blick() -> None: ...\n", 4),
        ("class FellInBlick: ...\n", 1),
        ("def f(in_blick: int) -> None: ...\n", 1),
    ],
)
def test_finds_comments_texts_and_names_of_python(
    words: WordList, tmp_path: Path, source: str, line: int
) -> None:
    path = tmp_path / "code.py"
    path.write_text(source, encoding="utf-8")
    matches = [
        part.line + part.text.count("\n", 0, match.start)
        for part in texts_of(path)
        for match in words.search(part.text)
    ]
    assert matches == [line]


def test_code_that_only_looks_like_a_phrase_is_not_prose(words: WordList, tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text('for x in blick: print(f"in {x}", "blick")\n', encoding="utf-8")
    assert not [match for part in texts_of(path) for match in words.search(part.text)]


def test_a_file_is_searched_by_its_name_too(words: WordList, tmp_path: Path) -> None:
    path = tmp_path / "tried_in_blick.sh"
    path.write_text("true\n", encoding="utf-8")
    assert [match.rule.phrase for part in texts_of(path) for match in words.search(part.text)]


def test_of_a_changelog_only_what_is_not_released_counts(words: WordList, tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text("# Log\n\n## 0.2.0 - unreleased\n\n- florp\n\n## 0.1.0\n\n- florp\n")
    lines = [
        part.line + part.text.count("\n", 0, match.start)
        for part in texts_of(path)
        for match in words.search(part.text)
    ]
    assert lines == [5]


def test_the_list_itself_is_not_searched_and_the_rest_of_its_page_is(
    words: WordList, tmp_path: Path
) -> None:
    path = tmp_path / "contributing.md"
    path.write_text(PAGE_WITH_RULES + "\nflorp\n", encoding="utf-8")
    lines = [
        part.line + part.text.count("\n", 0, match.start)
        for part in texts_of(path)
        for match in words.search(part.text)
    ]
    assert lines == [PAGE_WITH_RULES.count("\n") + 2]


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(files_of([tmp_path / "absent"]))


def test_the_command_names_file_line_phrase_and_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = read_rules(PAGE.read_text(encoding="utf-8"))[0]
    path = tmp_path / "notes.md"
    path.write_text(f"\nThis {rule.phrase} example.\n", encoding="utf-8")
    assert main([str(path)]) == 1
    assert f"{path}:2: '{rule.phrase}': write: {rule.write}" in capsys.readouterr().out
    path.write_text("Plain words.\n", encoding="utf-8")
    assert main([str(path)]) == 0
