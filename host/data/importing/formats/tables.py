"""Tables: a label for each picture, or a box in each row as TensorFlow's tools write them."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.names import split_of
from edgeinfer.host.data.importing.formats.pictures import NO_SUCH_PICTURE, PictureIndex
from edgeinfer.host.data.importing.formats.texts import number, read_text
from edgeinfer.host.data.importing.found import Box, FoundData, FoundPicture, Record
from edgeinfer.host.data.labels.columns import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    find_column,
    plain_name,
)
from edgeinfer.host.data.labels.pictures import table_layout

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
MAX_TABLE_BYTES = 256 * 2**20

_EDGES = ("xmin", "ymin", "xmax", "ymax")
_MOST_NUMBERS = 20


def read_label_table(root: Path, table: Path, record: Record) -> FoundData:
    """Return the pictures of a folder with the labels of a table.

    Args:
        root: the folder of the pictures.
        table: see `read_table`.
        record: takes what is left out.

    Raises:
        DataError: the table cannot be read, gives one picture two labels, names no picture, or
            holds values instead of labels.
    """
    layout = table_layout(root, table)
    for finding in layout.findings:
        what, place = finding.detail, finding.path
        if finding.detail.startswith(f"{table.name}, line "):
            place, _, what = finding.detail.partition(": ")
        elif what.startswith("has no line for"):
            what = "picture that is not in the table"
        kind = "note" if finding.kind == "note" else "left-out"
        record.add(kind, what, place, finding.path)  # type: ignore[arg-type]
    _refuse_values(table, layout.labels, len(layout.files))
    place = os.path.relpath(table, layout.root)
    pictures = []
    for file in layout.files:
        if not Path(file.path).is_relative_to(layout.root):
            record.left_out("picture outside of the folder", place, file.path)
            continue
        label = layout.labels[file.label]
        pictures.append(FoundPicture(path=file.path, place=place, split=file.split, label=label))
    return FoundData(layout="table", root=layout.root, pictures=tuple(pictures), boxes=False)


def has_boxes(table: Path) -> bool:
    """Return whether a table has a box in each row, by the names of its columns."""
    try:
        with table.open("rb") as stream:
            line = stream.readline(4096).removeprefix(b"\xef\xbb\xbf").lower()
    except OSError:
        return False
    cells = {cell.strip().strip('"') for cell in _split(line.decode("utf-8", "replace"))}
    return set(_EDGES) <= cells


def read_box_table(root: Path, table: Path, record: Record) -> FoundData:
    """Return the pictures of a folder with the boxes of a CSV.

    Args:
        root: the folder of the pictures.
        table: with the columns filename, class, xmin, ymin, xmax and ymax; width, height and split
            may be there.
        record: takes what is left out.

    Raises:
        DataError: the table cannot be read, or names no picture.
    """
    index = PictureIndex(root, record)
    place = index.relative(table)
    boxes: dict[str, list[Box]] = defaultdict(list)
    facts: dict[str, tuple[tuple[int, int] | None, str]] = {}
    seen: set[tuple[str, Box]] = set()
    for line, row in _rows(table):
        where = f"{place}, line {line}"
        path = index.find(row["file"], table.parent, where)
        if path is None:
            record.left_out(NO_SUCH_PICTURE, where, row["file"])
            continue
        try:
            edges = [number(row[edge], record, where) for edge in _EDGES]
            sides = [int(number(row.get(side) or "0", record, where)) for side in _SIDES]
        except ValueError as error:
            record.left_out("row without a box of four numbers", where, str(error))
            continue
        box = Box(row["label"].strip(), *edges)
        facts.setdefault(
            path, ((sides[0], sides[1]) if min(sides) > 0 else None, row.get("split", ""))
        )
        if not box.label:
            record.left_out("row without a label", where)
        elif (path, box) in seen:
            record.left_out("row that is there twice", where)
        else:
            seen.add((path, box))
            boxes[path].append(box)
    if not facts:
        raise DataError(
            table,
            got=f"names no picture below {root}",
            expected="names of pictures that are there",
            next_step="put them there, or bring both in: `edgeinfer data import --pictures FOLDER`",
        )
    for path in index.paths:
        if path not in facts:
            record.left_out("picture that is not in the table", index.relative(path))
    pictures = tuple(
        FoundPicture(
            path=path,
            place=place,
            split=split_of(facts[path][1]) or index.split(path) or index.split(table),
            boxes=tuple(boxes[path]),
            size=facts[path][0],
        )
        for path in sorted(facts)
    )
    return FoundData(layout="table of boxes", root=index.root, pictures=pictures, boxes=True)


_SIDES = ("width", "height")


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV of boxes by the columns that matter."""
    text = read_text(table, max_bytes=MAX_TABLE_BYTES)
    head = text.lstrip("\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=lambda one: (head.count(one), one == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: dict[str, int] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(table, [plain_name(cell) for cell in cells])
                continue
            if len(cells) <= max(columns.values()):
                raise DataError(
                    f"{table}, line {reader.line_num}",
                    got=f"has {len(cells)} cells",
                    expected=f"at least {max(columns.values()) + 1}",
                )
            yield reader.line_num, {name: cells[at] for name, at in columns.items()}
    except csv.Error as error:
        raise DataError(
            f"{table}, line {reader.line_num}",
            got=f"is not CSV ({error})",
            next_step="fix the quotation marks of this line",
        ) from error


def _columns(table: Path, names: list[str]) -> dict[str, int]:
    file = find_column(names, FILE_COLUMNS)
    label = find_column(names, LABEL_COLUMNS, other_than=file)
    if file is None or label is None:
        raise DataError(
            table,
            got="has boxes and no column " + ("of files" if file is None else "of classes"),
            expected="filename, class, xmin, ymin, xmax and ymax",
        )
    columns = {"file": file, "label": label}
    columns |= {name: names.index(name) for name in (*_EDGES, *_SIDES) if name in names}
    split = find_column(names, SPLIT_COLUMNS)
    return columns if split is None else {**columns, "split": split}


def _split(line: str) -> list[str]:
    return line.replace(";", ",").replace("\t", ",").strip().split(",")


def _refuse_values(table: Path, labels: tuple[str, ...], pictures: int) -> None:
    """Refuse a table whose labels are measured values: each would become a class.

    Raises:
        DataError: they are.
    """
    many = len(labels) > _MOST_NUMBERS and len(labels) > pictures / 4
    if many and all(_is_number(label) for label in labels):
        raise DataError(
            table,
            got=f"has {len(labels):,} different numbers for {pictures:,} pictures",
            expected="labels such as cat and dog",
            next_step="values need no import: train with the folder and this table",
        )


def _is_number(label: str) -> bool:
    try:
        number(label, Record(), "")
    except ValueError:
        return False
    return True
