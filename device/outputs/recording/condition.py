"""When to record: `dog > 0.8`, `person >= 0.5 and not cat > 0.2`, `value < 3 or value > 40`.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = ( name | counted ) operator number
    counted     = ( "count" | "in" | "out" | "stay" ) "(" name [ "," place ] ")"
    operator    = ">" | ">=" | "<" | "<=" | "==" | "!="
    name        = word { word } | quoted

A name is a class of the model, compared by its score (0 to 1; of several objects the highest, of a
mask the part of the area), or `value` for a measured quantity, or `count` for the number of objects
or people. `count(person) > 2` counts the objects of a class, `count(person, desk)` those in a zone,
or that crossed a line; `in(person, door)` and `out(person, door)` count one way across a line, and
`stay(person, desk)` is for how many seconds the first one in a zone is there. Words are letters,
digits, `_`, `-`, `.` and `'`; a name with anything else, or with the words `and`, `or`, `not`, is
put in double quotes.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.prediction import Prediction

MAX_CHARACTERS = 4096
MAX_DEPTH = 50
"""How deep parentheses and `not` may nest: Python's own stack is the limit behind it."""

_MOST_COMPARED = 1000
"""Labels that a wrong name is compared with: a bundle may hold very many long ones."""

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_WORD = r"[\w.'+-]"
_OPENING = re.compile(rf"\(|not(?!{_WORD})", re.IGNORECASE)
_CLOSING = re.compile(r"\)")
_JOINING = re.compile(rf"(?:and|or)(?!{_WORD})", re.IGNORECASE)
_NAME = re.compile(rf'"[^"]+"|(?:(?!(?:and|or|not)(?!{_WORD})){_WORD}+\s*)+', re.IGNORECASE)
_COUNTED = re.compile(r"(count|in|out|stay)\s*\(", re.IGNORECASE)
_COMMA = re.compile(",")
_OPERATOR = re.compile("|".join(_OPERATORS))
_NUMBER = re.compile(rf"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?(?!{_WORD})", re.IGNORECASE)
_TOKEN = re.compile(rf"\"[^\"]*\"|[<>=!]=|{_WORD}+|.")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A class's score, or what is counted or measured, against a number.

    Attributes:
        name: as `Prediction.quantities` has it, or a class.
        operator: one of `_OPERATORS`.
        number: what it is compared with.
        label: the class of what is counted; empty for other comparisons.
        place: the line or zone where it is counted; empty for the whole picture.
    """

    name: str
    operator: str
    number: float
    label: str = ""
    place: str = ""

    def holds(self, prediction: Prediction) -> bool:
        """Return whether it is so; of what a prediction does not have, nothing is."""
        measured = prediction.quantities().get(self.name)
        if measured is None:
            measured = prediction.score(self.name)
        return _OPERATORS[self.operator](measured, self.number)

    def comparisons(self) -> list[Comparison]:
        """Return this one."""
        return [self]


@dataclass(frozen=True, kw_only=True)
class Not:
    """The opposite."""

    part: Condition

    def holds(self, prediction: Prediction) -> bool:
        """Return whether the part does not hold."""
        return not self.part.holds(prediction)

    def comparisons(self) -> list[Comparison]:
        """Return the comparisons in it."""
        return self.part.comparisons()


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Several conditions, of which all or any must hold."""

    all: bool
    parts: tuple[Condition, ...]

    def holds(self, prediction: Prediction) -> bool:
        """Return whether all of them hold, or any."""
        each = (part.holds(prediction) for part in self.parts)
        return all(each) if self.all else any(each)

    def comparisons(self) -> list[Comparison]:
        """Return the comparisons in it."""
        return [one for part in self.parts for one in part.comparisons()]


Condition = Comparison | Not | Joined


def parse_condition(text: str) -> Condition:
    """Read an expression.

    Each comparison becomes a name, `c0 and not (c1 or c2)`, and Python's own grammar joins them.

    Raises:
        UsageError: it is not one; the message says at which character.
    """
    reader = _Reader(text)
    comparisons: list[Comparison] = []
    python: list[str] = []
    nesting: list[str] = []
    while True:
        while opening := reader.take(_OPENING):
            nesting.append(opening.lower())
            python.append(opening.lower())
            if len(nesting) > MAX_DEPTH:
                raise reader.error("is nested too deeply", f"at most {MAX_DEPTH} levels")
        python.append(f"c{len(comparisons)}")
        comparisons.append(_comparison(reader))
        while nesting and (nesting[-1] == "not" or reader.take(_CLOSING)):
            if nesting.pop() == "(":
                python.append(")")
        if reader.ended() and not nesting:
            return _condition(ast.parse(" ".join(python), mode="eval").body, comparisons)
        expected = "')'" if nesting else "'and', 'or' or the end"
        python.append(reader.need(_JOINING, expected).lower())


def check_names(
    condition: Condition,
    labels: Sequence[str],
    *,
    measured: bool = False,
    counted: bool = False,
    places: Sequence[str] = (),
) -> None:
    """Refuse names and scores that the model never gives: it would never hold, or always.

    Args:
        condition: what was read.
        labels: the model's classes; a model without them may measure a value.
        measured: the labels name several measured numbers, which have no scores.
        counted: the model's answers are objects, which are counted.
        places: the names of lines and zones.

    Raises:
        UsageError: a name is unknown, and close ones are named; or a score is not from 0 to 1.
    """
    known = [*labels, "count"] if labels else ["value", "count"]
    for comparison in sorted(condition.comparisons(), key=lambda one: one.name):
        name, number = comparison.name, comparison.number
        if comparison.label:
            if not counted:
                raise UsageError(
                    "--record-when", got=f"{name!r}, and the model finds no objects to count"
                )
            _require_known(comparison.label, labels)
            if comparison.place and comparison.place not in places:
                raise UsageError(
                    "--record-when",
                    got=f"no line or zone is called '{comparison.place}'",
                    expected=f"one of {', '.join(places)}" if places else "--line or --zone",
                )
            continue
        if not measured and name not in ("value", "count") and not 0 <= number <= 1:
            raise UsageError(
                "--record-when",
                got=f"{name!r} is compared with {number:g}",
                expected="a score, from 0 to 1",
            )
        _require_known(name, known)


def _require_known(name: str, known: Sequence[str]) -> None:
    """Refuse a name that is not known, and say which are close."""
    if name in known:
        return
    # Labels may list synonyms: "hotdog, hot dog, red hot".
    holding = [one for one in known if name.lower() in one.lower()]
    close = difflib.get_close_matches(name, known[-_MOST_COMPARED:], n=3, cutoff=0.5)
    close = (holding + [one for one in close if one not in holding] or list(known))[:3]
    raise UsageError(
        "--record-when",
        got=f"the model has no class '{name}'",
        expected=f"one such as {', '.join(repr(one) for one in close)}",
    )


def _comparison(reader: _Reader) -> Comparison:
    counted = reader.take(_COUNTED)
    label = place = ""
    if counted:
        function, label = counted[:-1].strip().lower(), _name(reader, "a class's name")
        name = f"{function}({label})"
        if function != "count" or reader.take(_COMMA):
            if function != "count":
                reader.need(_COMMA, "a comma and the name of a line or zone")
            place = _name(reader, "the name of a line or zone")
            name = f"{function}({label}, {place})"
        reader.need(_CLOSING, "')'" if place else "',' or ')'")
    else:
        name = _name(reader, "a class's name")
    sign = reader.need(_OPERATOR, "one of > >= < <= == !=")
    number = float(reader.need(_NUMBER, "a number"))
    if not math.isfinite(number):
        raise reader.error(f"{name!r} is compared with {number:g}", "a finite number")
    return Comparison(name=name, operator=sign, number=number, label=label, place=place)


def _name(reader: _Reader, expected: str) -> str:
    name = reader.need(_NAME, expected)
    return name[1:-1] if name.startswith('"') else " ".join(name.split())


def _condition(node: ast.expr, comparisons: Sequence[Comparison]) -> Condition:
    match node:
        case ast.Name(id=name):
            return comparisons[int(name[1:])]
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return Not(part=_condition(part, comparisons))
        case ast.BoolOp(op=joining, values=parts):
            return Joined(
                all=isinstance(joining, ast.And),
                parts=tuple(_condition(part, comparisons) for part in parts),
            )
    raise AssertionError(f"the grammar above gives no {type(node).__name__}")


class _Reader:
    """A text, and how far it is read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = text.strip()
        if len(text) > MAX_CHARACTERS:
            raise self.error(f"is {len(text):,} characters long", f"at most {MAX_CHARACTERS:,}")

    def take(self, pattern: re.Pattern[str]) -> str:
        """Return what comes next, and go on behind it; nothing where it is something else."""
        match = pattern.match(self._left)
        if not match:
            return ""
        self._left = self._left[match.end() :].lstrip()
        return match[0]

    def need(self, pattern: re.Pattern[str], expected: str) -> str:
        """Return what comes next, and go on behind it; refuse something else."""
        taken = self.take(pattern)
        if taken:
            return taken
        if self.ended():
            raise self.error("ends too early", f"{expected} there")
        at = len(self._text.rstrip()) - len(self._left)
        raise self.error(f"{self.take(_TOKEN)!r} at character {at + 1}", expected)

    def ended(self) -> bool:
        return not self._left

    def error(self, got: str, expected: str) -> UsageError:
        shown = self._text if len(self._text) <= 60 else self._text[:57] + "..."
        return UsageError(f"--record-when {shown!r}", got=got, expected=expected)
