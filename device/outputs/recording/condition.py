"""When to record: `dog > 0.8`, `person >= 0.5 and not cat > 0.2`, `value < 3 or value > 40`.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = name operator number
    operator    = ">" | ">=" | "<" | "<=" | "==" | "!="
    name        = word { word } | quoted

A name is a class of the model, compared by its score (0 to 1; of several objects the highest, of a
mask the part of the area), or `value` for a measured quantity, or `count` for the number of objects
or people. Words are letters, digits, `_`, `-`, `.` and `'`; a name with anything else, or with the
words `and`, `or`, `not`, stands in double quotes.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.prediction import Prediction

MAX_CHARACTERS = 4096
MAX_DEPTH = 50
"""How deep parentheses and `not` may nest: Python's own stack is the limit behind it."""

_MOST_COMPARED = 1000
"""Labels that a wrong name is compared with: a bundle may hold very many long ones."""

_EXAMPLE = "a comparison such as dog>0.8, joined by 'and', 'or', 'not' and parentheses"
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"]*\")|(?P<operator>>=|<=|==|!=|>|<)|(?P<bracket>[()])"
    r"|(?P<word>[\w.'+-]+))"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_JOINING = ("and", "or", "not")


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A class's score, or what is counted or measured, against a number."""

    name: str
    operator: str
    number: float

    def holds(self, prediction: Prediction) -> bool:
        """Return whether it is so; of what a prediction does not have, nothing is."""
        measured = prediction.quantities().get(self.name)
        if measured is None:
            measured = prediction.score(self.name)
        return _OPERATORS[self.operator](measured, self.number)

    def names(self) -> set[str]:
        """Return the name."""
        return {self.name}


@dataclass(frozen=True, kw_only=True)
class Not:
    """The contrary."""

    part: Condition

    def holds(self, prediction: Prediction) -> bool:
        """Return whether the part does not hold."""
        return not self.part.holds(prediction)

    def names(self) -> set[str]:
        """Return the names in it."""
        return self.part.names()


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Several conditions, of which all or any must hold."""

    all: bool
    parts: tuple[Condition, ...]

    def holds(self, prediction: Prediction) -> bool:
        """Return whether all of them hold, or any."""
        each = (part.holds(prediction) for part in self.parts)
        return all(each) if self.all else any(each)

    def names(self) -> set[str]:
        """Return the names in it."""
        return set().union(*(part.names() for part in self.parts))


Condition = Comparison | Not | Joined


def parse_condition(text: str) -> Condition:
    """Read an expression.

    Raises:
        UsageError: it is none; the message says at which character.
    """
    return _Parser(text).whole()


def check_names(condition: Condition, labels: Sequence[str]) -> None:
    """Refuse names that the model never gives: the condition would never hold, or always.

    Args:
        condition: what was read.
        labels: the model's classes; a model without them may measure a value.

    Raises:
        UsageError: a name is unknown; close ones are named.
    """
    known = [*labels, "count"] if labels else ["value", "count"]
    for name in sorted(condition.names()):
        if name not in known:
            # Labels may list synonyms: "hotdog, hot dog, red hot".
            holding = [one for one in known if name.lower() in one.lower()]
            alike = difflib.get_close_matches(name, known[-_MOST_COMPARED:], n=3, cutoff=0.5)
            close = (holding + [one for one in alike if one not in holding] or known)[:3]
            raise UsageError(
                "--record-when",
                got=f"the model has no class '{name}'",
                expected=f"one such as {', '.join(repr(one) for one in close)}",
            )


class _Parser:
    """Recursive descent, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        if len(text) > MAX_CHARACTERS:
            raise self._error(f"is {len(text):,} characters long", f"at most {MAX_CHARACTERS:,}")
        self._tokens = self._split()
        self._next = 0

    def whole(self) -> Condition:
        condition = self._expression()
        token = self._peek()
        if token.kind != "end":
            raise self._unexpected(token, "'and', 'or' or the end")
        return condition

    def _split(self) -> list[_Token]:
        tokens, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                at += len(self._text[at:]) - len(self._text[at:].lstrip())
                raise self._error(f"{self._text[at]!r} at character {at + 1}", _EXAMPLE)
            kind, token = match.lastgroup, match[match.lastgroup]
            if kind == "word" and token.lower() in _JOINING:
                kind, token = "joining", token.lower()
            tokens.append(_Token(kind, token, match.start(match.lastgroup)))
            at = match.end()
        return [*tokens, _Token("end", "", end)]

    def _expression(self) -> Condition:
        return self._joined("or", lambda: self._joined("and", self._negation))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._take("joining", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(all=word == "and", parts=tuple(parts))

    def _negation(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error("is nested too deeply", f"at most {MAX_DEPTH} levels")
        if self._take("joining", "not"):
            condition: Condition = Not(part=self._negation())
        elif self._take("bracket", "("):
            condition = self._expression()
            if not self._take("bracket", ")"):
                raise self._unexpected(self._peek(), "')'")
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Comparison:
        name = self._name()
        sign = self._peek()
        if sign.kind != "operator":
            raise self._unexpected(sign, "one of > >= < <= == !=")
        self._next += 1
        number = self._number()
        if name not in ("value", "count") and not 0 <= number <= 1:
            raise self._error(f"{name!r} is compared with {number:g}", "a score, from 0 to 1")
        return Comparison(name=name, operator=sign.text, number=number)

    def _name(self) -> str:
        token = self._peek()
        if token.kind == "quoted" and len(token.text) > 2:
            self._next += 1
            return token.text[1:-1]
        words = []
        while (token := self._peek()).kind == "word":
            words.append(token.text)
            self._next += 1
        if not words:
            raise self._unexpected(token, "a class's name")
        return " ".join(words)

    def _number(self) -> float:
        token = self._peek()
        if token.kind != "word" or not _NUMBER.fullmatch(token.text):
            raise self._unexpected(token, "a number")
        number = float(token.text)
        if not math.isfinite(number):
            raise self._unexpected(token, "a finite number")
        self._next += 1
        return number

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, kind: str, text: str) -> bool:
        token = self._peek()
        taken = (token.kind, token.text) == (kind, text)
        self._next += taken
        return taken

    def _unexpected(self, token: _Token, expected: str) -> UsageError:
        if token.kind == "end":
            return self._error("ends too early", f"{expected} there")
        return self._error(f"{token.text!r} at character {token.at + 1}", expected)

    def _error(self, got: str, expected: str) -> UsageError:
        shown = self._text if len(self._text) <= 60 else self._text[:57] + "..."
        return UsageError(f"--record-when {shown!r}", got=got, expected=expected)
