"""A table of pictures and their labels: CSV of any usual kind, JSON, or JSON Lines.

A column is recognized by its name, and without names by its content.
"""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.labels.columns import Row
from edgeinfer.host.data.labels.csv_table import csv_rows
from edgeinfer.host.data.labels.json_table import json_rows

__all__ = ["MAX_TABLE_BYTES", "Row", "read_table"]

MAX_TABLE_BYTES = 256 * 2**20
"""The largest table that is read; the labels of ten million pictures fit."""


def read_table(path: Path, *, several: bool = False) -> list[Row]:
    """Read a table of labels.

    Args:
        path: a CSV (commas, semicolons or tabs; UTF-8 with or without a byte order mark, or
            UTF-16 with one), a JSON object of files and labels, a JSON list of objects, or JSON
            Lines.
        several: a picture may have several labels: in cells such as `cat;dog`, in columns of 0 and
            1, in lists or in several rows. It then has a row for each, or one with an empty label.

    Raises:
        DataError: it cannot be read or understood; the sentence says where.

    Examples:
        >>> read_table(Path("labels.csv"))[0]
        Row(line=2, file='7.jpg', label='cat', split=None)
    """
    text = table_text(path)
    read = json_rows if is_json(path, text) else csv_rows
    rows = list(read(path, text, several=several))
    if not rows:
        raise DataError(path, got="has no rows", expected="a row for each picture")
    return rows


def is_json(path: Path, text: str) -> bool:
    """Return whether a table is JSON, by its name or its first character."""
    suffixes = {".json", ".jsonl", ".ndjson"}
    return path.suffix.lower() in suffixes or text.lstrip()[:1] in {"{", "["}


def table_text(path: Path) -> str:
    """Return the text of a table, UTF-8 with or without a byte order mark, or UTF-16 with one.

    Raises:
        DataError: it cannot be read, is not text, or is far too large.
    """
    try:
        if path.is_dir():
            raise DataError(path, got="is a folder", expected="a CSV or JSON file of labels")
        size = path.stat().st_size
        if size > MAX_TABLE_BYTES:
            raise DataError(
                path,
                got=f"is {size / 2**20:,.0f} MiB large",
                expected=f"at most {MAX_TABLE_BYTES // 2**20} MiB of labels",
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(path, got="does not exist", next_step="check the path") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(path, got=f"cannot be read ({reason})") from error
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}",
            got="is not UTF-8 text",
            next_step="save the table as UTF-8",
        ) from error
    if "\0" in text:
        raise DataError(path, got="is not a text file", expected="a CSV or JSON file of labels")
    return text
