"""From the cells of one column to numbers in one unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.labels.measured.numbers import (
    NO_VALUE,
    Unclear,
    Written,
    reader_for,
    split_unit,
)
from edgeinfer.host.data.labels.measured.units import converted, rule


@dataclass(frozen=True, kw_only=True)
class Column:
    """The numbers of a column.

    Attributes:
        values: a number for each cell; None for a cell without one.
        unit: of all of them; "" where it is not known.
        notes: what was converted, in words.
    """

    values: tuple[float | None, ...]
    unit: str
    notes: tuple[str, ...] = ()


def read_column(
    cells: Sequence[str],
    places: Sequence[str],
    *,
    name: str,
    unit: str = "",
    wanted: str | None = None,
    comma_country: bool = False,
) -> Column:
    """Read the numbers of a column, and convert units that can be converted safely.

    Args:
        cells: what is written there.
        places: where each cell is, such as "labels.csv, line 7", for errors.
        name: the column's.
        unit: in the column's name; "" without one.
        wanted: the unit that the user says; None takes that of the column, then that of most cells.
        comma_country: see `reader_for`.

    Raises:
        DataError: a cell is not a number or can be read in two ways, or some of the units cannot be
            converted into each other.
    """
    written = [_written(cell, place, name) for cell, place in zip(cells, places, strict=True)]
    read = reader_for([one.text for one in written if one], comma_country=comma_country)
    units = [(one.unit or unit) if one else "" for one in written]
    counts = Counter(own for one, own in zip(written, units, strict=True) if one)
    chosen = wanted
    if chosen is None:
        chosen = unit or max(counts, key=lambda own: (counts[own], own), default="")
    values: list[float | None] = []
    changed: Counter[str] = Counter()
    for one, own, place in zip(written, units, places, strict=True):
        if one is None:
            values.append(None)
            continue
        number = _number(read, one, place, name)
        # A unit that the user says is that of numbers without one.
        if own != chosen and not (own == "" and wanted is not None):
            known = converted(number, own, chosen)
            if known is None:
                raise _mixed(place, name, own, chosen, counts)
            changed[own] += 1
            number = known
        values.append(number)
    notes = [
        f"{count:,} of {sum(counts.values()):,} values of '{name}' are in {own} and were converted "
        f"to {chosen} ({rule(own, chosen)})"
        for own, count in sorted(changed.items())
    ]
    return Column(values=tuple(values), unit=chosen, notes=tuple(notes))


def _written(cell: str, place: str, name: str) -> Written | None:
    if cell.strip().casefold() in NO_VALUE:
        return None
    written = split_unit(cell)
    if written is None:
        raise DataError(
            place, got=f"'{name}' is {cell[:60]!r}", expected="a number, such as 3.42 or 3,42 bar"
        )
    return written


def _number(read: object, one: Written, place: str, name: str) -> float:
    assert callable(read)
    try:
        return float(read(one.text))
    except Unclear as error:
        text, decimal, thousands = error.args
        raise DataError(
            place,
            got=f"'{name}' is {text}, which may be {decimal} or {thousands}",
            expected="numbers that can be read in one way",
            next_step=f"write {decimal} or {thousands} in the table",
        ) from error
    except (ValueError, OverflowError) as error:
        raise DataError(
            place, got=f"'{name}' is {one.text!r}", expected="a finite number such as 3.42"
        ) from error


def _mixed(place: str, name: str, own: str, chosen: str, counts: Counter[str]) -> DataError:
    shown = " and ".join(
        f"{count:,} in {unit}" if unit else f"{count:,} without a unit"
        for unit, count in counts.most_common(4)
    )
    return DataError(
        place,
        got=f"'{name}' is in {own or 'no unit'}; the table has {shown}",
        expected=f"one unit, such as {chosen or own}, or units that can be converted",
        next_step="write all values in one unit"
        + ("" if own else f", or say that those without are in it too: --unit {chosen}"),
    )
