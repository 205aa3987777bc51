"""The word list of docs/contributing.md, and where a text goes against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contributing.md"
_HEADING = "## Words"
_COLUMNS = 4


@dataclass(frozen=True)
class Rule:
    """A word or phrase to avoid.

    Attributes:
        phrase: in small letters, words with one space between.
        write: what to write instead.
        exceptions: longer phrases that hold this one and are right.
    """

    phrase: str
    write: str
    exceptions: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """A place in a text, by the offset of its first character, and the rule it breaks."""

    start: int
    rule: Rule


def read_rules(page: str) -> list[Rule]:
    """Return the rules of a Markdown page's table of words.

    Raises:
        ValueError: the page has no such table, or a row that is not understood.
    """
    section = re.search(rf"^{_HEADING}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    rows = [line for line in section[1].splitlines() if line.startswith("|")] if section else []
    if len(rows) < 3:
        raise ValueError(f"expected a table below '{_HEADING}'")
    rules = []
    for row in rows[2:]:
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        phrases = re.findall(r"`([^`]+)`", cells[0])
        if len(cells) != _COLUMNS or not phrases or not cells[1]:
            raise ValueError(f"expected {_COLUMNS} cells, the first with `words`, got: {row}")
        exceptions = re.findall(r"`([^`]+)`", cells[3])
        for phrase in phrases:
            around = tuple(each for each in exceptions if phrase in each)
            rules.append(Rule(phrase.lower(), cells[1], around))
    return rules


class WordList:
    """Rules, ready to search texts with."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = {rule.phrase: rule for rule in rules}
        # The longest phrase first: of several that begin at one place it is the one that is meant.
        phrases = sorted(self._rules, key=len, reverse=True)
        self._any = re.compile(rf"(?<![\w'])({'|'.join(map(_pattern, phrases))})(?!\w)", re.I)

    def __len__(self) -> int:
        return len(self._rules)

    def search(self, text: str) -> Iterator[Match]:
        """Yield each place of a text that breaks a rule, from the first to the last."""
        for found in self._any.finditer(text):
            rule = self._rules[" ".join(found[1].lower().split())]
            if not any(_covers(text, each, found.span()) for each in rule.exceptions):
                yield Match(found.start(), rule)


def _pattern(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split()))


def _covers(text: str, phrase: str, span: tuple[int, int]) -> bool:
    """Whether that place of the text is a part of the phrase."""
    around = re.finditer(rf"(?<!\w){_pattern(phrase)}(?!\w)", text, re.I)
    return any(found.start() <= span[0] and span[1] <= found.end() for found in around)
