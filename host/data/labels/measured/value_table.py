"""A table of pictures and their measured values: which columns it has, and the cells in them."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import DataError, did_you_mean, printable
from edgeinfer.host.data.labels.columns import (
    FILE_COLUMNS,
    SPLIT_COLUMNS,
    find_column,
    is_picture,
    plain_name,
)
from edgeinfer.host.data.labels.csv_table import csv_cells
from edgeinfer.host.data.labels.json_table import json_entries
from edgeinfer.host.data.labels.measured.numbers import NO_VALUE, header_unit, split_unit
from edgeinfer.host.data.labels.table import is_json, table_text

VALUE_COLUMNS = (*("value", "target", "reading", "measurement", "measured", "label", "y", "truth"),)
"""Names of the column of values, the most certain first."""

_LOOKED_AT = 50
"""Rows that decide how a table is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueRow:
    """A picture of a table.

    Attributes:
        line: where it is, from 1.
        file: its name as it is written there.
        cells: what is written of each value.
        split: the name of its split, or None.
    """

    line: int
    file: str
    cells: tuple[str, ...]
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class ValueTable:
    """A table of values.

    Attributes:
        names: of the values, without units.
        units: in the columns' names, in brackets; "" without one.
        rows: the pictures.
        comma_country: whether numbers with decimal commas are likely, see `numbers.py`.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    comma_country: bool = False


def read_value_table(path: Path, targets: Sequence[str] = ()) -> ValueTable:
    """Read a table: CSV (commas, semicolons, tabs), a JSON object or list, or JSON Lines.

    Args:
        path: the table.
        targets: the names of the columns; none takes the one that holds values.

    Raises:
        DataError: it cannot be read or understood, or has no such columns.
    """
    text = table_text(path)
    if is_json(path, text):
        header, rows = _json(path, text)
        delimiter = ""
    else:
        delimiter = _delimiter(text)
        header, rows = _csv(path, text, delimiter)
    if not rows:
        raise DataError(path, got="has no rows", expected="a row for each picture")
    columns = _choose(path, header, rows, targets)
    split = find_column([plain_name(name) for name in header], SPLIT_COLUMNS)
    named = [header_unit(header[column]) for column in columns[1:]]
    last = max(columns)
    for line, cells in rows:
        if last >= len(cells):
            raise DataError(
                f"{path}, line {line}",
                got=f"has {len(cells)} cell{'s' * (len(cells) != 1)}",
                expected=f"at least {last + 1}",
            )
    return ValueTable(
        names=tuple(name for name, _ in named),
        units=tuple(unit for _, unit in named),
        rows=tuple(
            ValueRow(
                line=line,
                file=cells[columns[0]].strip(),
                cells=tuple(cells[column].strip() for column in columns[1:]),
                split=(cells[split].strip() or None) if split is not None else None,
            )
            for line, cells in rows
        ),
        comma_country=delimiter == ";",
    )


_Rows = list[tuple[int, list[str]]]


def _csv(path: Path, text: str, delimiter: str) -> tuple[list[str], _Rows]:
    """Return the columns' names and all rows; a table without names gets `file` and `value`."""
    rows = list(csv_cells(path, text, delimiter))
    if not rows:
        return [], []
    header = [cell.strip() for cell in rows[0][1]]
    if not any(map(is_picture, header)):
        for line, cells in rows[1:]:
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                raise DataError(
                    f"{path}, line {line}",
                    got=f"has {len(cells)} cells",
                    expected=f"{len(header)}, as the first line",
                    next_step="put numbers with a decimal comma into quotation marks, or put "
                    "semicolons between the cells",
                )
            cells += [""] * (len(header) - len(cells))
        return header, rows[1:]
    if len(header) != 2:
        raise DataError(
            path,
            got=f"has {len(header)} columns without names",
            expected="a first line that names the columns, such as file,value",
        )
    return (["file", "value"] if is_picture(header[0]) else ["value", "file"]), rows


def _delimiter(text: str) -> str:
    """Return what is between cells: what gives the first lines equally many, two or more.

    A comma comes last: between semicolons or tabs it may be a decimal one.
    """
    lines = list(itertools.islice((line for line in text.splitlines() if line.strip()), _LOOKED_AT))
    for delimiter in "\t;":
        try:
            counts = {len(cells) for cells in csv.reader(lines, delimiter=delimiter)}
        except csv.Error:
            continue
        if len(counts) == 1 and counts != {1}:
            return delimiter
    return max(",;\t", key=lambda one: (lines[0].count(one), one == ",")) if lines else ","


def _json(path: Path, text: str) -> tuple[list[str], _Rows]:
    """Return the keys of all entries as columns, the file's first, and the entries as rows."""
    header: dict[str, int] = {"file": 0}
    found = []
    for number, (file, entry) in enumerate(json_entries(path, text), start=1):
        where = f"{path}, entry {number}"
        if isinstance(entry, dict):
            fields = {str(key): value for key, value in entry.items()}
        elif isinstance(entry, list):
            fields = {f"value {place}": value for place, value in enumerate(entry)}
        else:
            fields = {"value": entry}
        if file is None:
            names = list(fields)
            column = find_column([plain_name(name) for name in names], FILE_COLUMNS)
            file = None if column is None else _word(fields.pop(names[column]))
        if file is None:
            raise DataError(
                where,
                got="does not name a file",
                expected='{"file": "7.jpg", "value": 3.4}, or "7.jpg": 3.4 in one object',
            )
        for name in fields:
            header.setdefault(name, len(header))
        found.append((number, file, fields))
    rows = [
        (number, [file, *(_word(fields.get(name)) or "" for name in list(header)[1:])])
        for number, file, fields in found
    ]
    return list(header), rows


def _word(value: object) -> str | None:
    """Return a JSON value as a cell; None for null, and for what is not a text or a number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    return None


def _choose(path: Path, header: list[str], rows: _Rows, targets: Sequence[str]) -> tuple[int, ...]:
    """Return the position of the column of files, and that of each value."""
    names = [plain_name(header_unit(name)[0]) for name in header]
    wanted = [_named(path, header, names, target) for target in targets]
    free = [place for place in range(len(header)) if place not in wanted]
    files = find_column(
        [names[place] if place in free else "" for place in range(len(header))], FILE_COLUMNS
    )
    if files is None:
        cells = [[row[place] for _, row in rows[:_LOOKED_AT]] for place in free]
        pictures = [
            p for p, column in zip(free, cells, strict=True) if all(map(is_picture, column))
        ]
        if len(pictures) != 1:
            raise DataError(
                path,
                got=f"has the columns {_listed(header)}, and none of them is known to name files",
                expected="a column 'file'",
                next_step="rename the column of the pictures' files to file",
            )
        files = pictures[0]
    return (files, *(wanted or [_only(path, header, names, rows, files)]))


def _named(path: Path, header: list[str], names: list[str], target: str) -> int:
    for place, name in enumerate(header):
        if target in (name, header_unit(name)[0]):
            return place
    plain = plain_name(header_unit(target)[0])
    if names.count(plain) == 1:
        return names.index(plain)
    raise DataError(
        path,
        got=f"has no column '{target}'" if plain not in names else f"has '{target}' twice",
        expected=f"one of {_listed(header)}",
        next_step=did_you_mean(target, [header_unit(name)[0] for name in header])
        or "name a column with --target",
    )


def _only(path: Path, header: list[str], names: list[str], rows: _Rows, files: int) -> int:
    """Return the one column that holds values.

    Raises:
        DataError: none does, or several.
    """
    split = find_column(names, SPLIT_COLUMNS)
    numeric = [
        place
        for place in range(len(header))
        if place not in (files, split) and _numeric(row[place] for _, row in rows[:_LOOKED_AT])
    ]
    known = find_column(
        [names[p] if p in numeric else "" for p in range(len(header))], VALUE_COLUMNS
    )
    if known is not None:
        return known
    if len(numeric) == 1:
        return numeric[0]
    few = [header[place] for place in numeric]
    raise DataError(
        path,
        got=f"has no column of numbers among {_listed(header)}"
        if not few
        else f"has {len(few)} columns of numbers, {_listed(few)}",
        expected="a column 'value'" if not few else "to know which are to be learned",
        next_step="" if not few else f"name each of them: --target '{header_unit(few[0])[0]}'",
    )


def _numeric(cells: Iterable[str]) -> bool:
    """Return whether cells are numbers, except for empty ones."""
    there = [cell for cell in cells if cell.strip().casefold() not in NO_VALUE]
    return bool(there) and all(split_unit(cell) is not None for cell in there)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown}, ... ({len(names)} in all)"
