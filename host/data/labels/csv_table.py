"""A CSV of pictures and their labels: any usual delimiter, with or without names of columns."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.host.data.labels.columns import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    SEVERAL_COLUMNS,
    SPLIT_COLUMNS,
    Row,
    find_column,
    is_picture,
    plain_name,
)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Which columns a table has; `label` is None for a column of 0 and 1 for each class."""

    file: int
    label: int | None
    split: int | None = None


def csv_rows(path: Path, text: str, *, several: bool = False) -> Iterator[Row]:
    """Yield the pictures of a CSV.

    Args:
        path: its path, for errors.
        text: its content.
        several: a picture may have several labels: each gives a row, and none one without a label.

    Raises:
        DataError: a line is not CSV, or its columns are not understood.
    """
    lines = csv_cells(path, text)
    first = next(lines, None)
    if first is None:
        return
    number, header = first
    if any(map(is_picture, header)) or len(header) < 2:
        columns = _columns_without_names(path, header)
        lines = itertools.chain([first], lines)
    else:
        columns = _columns(path, header, SEVERAL_COLUMNS if several else LABEL_COLUMNS)
    if columns.label is None:
        yield from _one_hot(path, header, columns, lines, several=several)
        return
    last = max(columns.file, columns.label, columns.split or 0)
    for number, cells in lines:
        if last >= len(cells):
            raise DataError(
                f"{path}, line {number}",
                got=f"has {len(cells)} cell{'s' * (len(cells) != 1)}",
                expected=f"at least {last + 1}",
            )
        cell = cells[columns.label].strip()
        for label in labels_of_cell(cell) if several else [cell]:
            yield _row(number, cells, columns, label)


def labels_of_cell(cell: str) -> list[str]:
    """Return the labels of a cell such as `cat;dog`; a list of one empty text where it is empty.

    >>> labels_of_cell("cat; dog"), labels_of_cell("")
    (['cat', 'dog'], [''])
    """
    separator = next((mark for mark in ";|," if mark in cell), ";")
    return [part.strip() for part in cell.split(separator) if part.strip()] or [""]


def _columns(path: Path, header: list[str], known: tuple[str, ...]) -> _Columns:
    names = [plain_name(cell) for cell in header]
    file = find_column(names, FILE_COLUMNS)
    if file is None:
        raise DataError(
            path,
            got=f"has the columns {_listed(header)}, and none of them is known to name files",
            expected="a column 'file'",
            next_step="rename the column of the pictures' files to file",
        )
    label = find_column(names, known, other_than=file)
    if label is None and len(header) == 2:
        label = 1 - file
    return _Columns(file=file, label=label, split=find_column(names, SPLIT_COLUMNS))


def _columns_without_names(path: Path, cells: list[str]) -> _Columns:
    """Return the columns of a table whose first row is a picture already."""
    if len(cells) != 2:
        raise DataError(
            path,
            got=f"has {len(cells)} column{'s' * (len(cells) != 1)} without names",
            expected="a first line that names the columns, such as file,label",
        )
    file = 0 if is_picture(cells[0]) else 1
    return _Columns(file=file, label=1 - file)


def csv_cells(
    path: Path, text: str, delimiter: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its last line.

    Args:
        path: its path, for errors.
        text: its content.
        delimiter: what is between cells; None takes what is most frequent in the first line.

    Raises:
        DataError: a line is not CSV.
    """
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = delimiter or max(",;\t", key=lambda one: (head.count(one), one == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}",
            got=f"is not CSV ({error})",
            next_step="fix the quotation marks of this line",
        ) from error


def _one_hot(
    path: Path,
    header: list[str],
    columns: _Columns,
    lines: Iterable[tuple[int, list[str]]],
    *,
    several: bool,
) -> Iterator[Row]:
    """Yield the pictures of a table with a column of 0 and 1 for each class."""
    classes = [place for place in range(len(header)) if place not in {columns.file, columns.split}]
    for number, cells in lines:
        cells += [""] * (len(header) - len(cells))
        marks = [cells[place].strip() for place in classes]
        if not set(marks) <= {"0", "1", "0.0", "1.0", ""}:
            raise DataError(
                path,
                got=f"has the columns {_listed(header)}, and none of them is known to hold labels",
                expected="a column 'label', or one of 0 and 1 for each class",
                next_step="rename the column of the labels to label",
            )
        chosen = [place for place, mark in zip(classes, marks, strict=True) if mark[:1] == "1"]
        if len(chosen) > 1 and not several:
            raise DataError(
                f"{path}, line {number}",
                got=f"gives {cells[columns.file]} {len(chosen)} labels",
                expected="one label for each picture",
            )
        for label in [header[place].strip() for place in chosen] or [""]:
            yield _row(number, cells, columns, label)


def _row(number: int, cells: list[str], columns: _Columns, label: str) -> Row:
    split = None if columns.split is None else cells[columns.split].strip() or None
    return Row(line=number, file=cells[columns.file].strip(), label=label, split=split)


def _listed(names: list[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown}, ... ({len(names)} in all)"
