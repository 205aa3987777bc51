"""Pictures and their labels in JSON: an object of files and labels, a list, or JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.labels.columns import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    SEVERAL_COLUMNS,
    SPLIT_COLUMNS,
    Row,
    find_column,
    plain_name,
)


def json_rows(path: Path, text: str, *, several: bool = False) -> Iterator[Row]:
    """Yield the pictures of a JSON object, a JSON list, or JSON Lines.

    Args:
        path: its path, for errors.
        text: its content.
        several: a picture may have several labels: each gives a row, and none one without a label.

    Raises:
        DataError: it is not JSON, or an entry does not give a file and a label.
    """
    for number, (file, entry) in enumerate(json_entries(path, text), start=1):
        where = f"{path}, entry {number}"
        if isinstance(entry, dict):
            named = {plain_name(str(key)): value for key, value in entry.items()}
            names = list(named)
            column = find_column(names, FILE_COLUMNS)
            if file is None and column is not None:
                file = _word(named[names[column]])
            label_column = find_column(names, SEVERAL_COLUMNS if several else LABEL_COLUMNS)
            labels = None if label_column is None else _labels(named[names[label_column]], several)
            split_column = find_column(names, SPLIT_COLUMNS)
            split = None if split_column is None else _word(named[names[split_column]])
        else:
            labels, split = _labels(entry, several), None
        if file is None or labels is None:
            raise DataError(
                where,
                got="does not give " + ("a file" if file is None else "one label"),
                expected='{"file": "7.jpg", "label": "cat"}, or "7.jpg": "cat" in one object',
            )
        for label in labels:
            yield Row(line=number, file=file, label=label, split=split)


def json_entries(path: Path, text: str) -> Iterator[tuple[str | None, Any]]:
    """Yield the entries of a JSON file, each with the file that is its key, or None.

    Args:
        path: its path, for errors.
        text: its content.

    Raises:
        DataError: it is not JSON, or a single value.
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise DataError(path, got="is nested too deeply", expected="labels") from error
    except json.JSONDecodeError as whole:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise DataError(
                f"{path}, line {whole.lineno}", got=f"is not JSON ({whole.msg.lower()})"
            ) from whole
        for number, line in enumerate(lines, start=1):
            try:
                yield None, json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                place = whole.lineno if number == 1 else number
                raise DataError(
                    f"{path}, line {place}", got="is not JSON", expected="a JSON object"
                ) from error
        return
    if isinstance(content, dict):
        inner = next((v for v in content.values() if isinstance(v, list) and v), None)
        if len(content) == 1 and inner is not None and isinstance(inner[0], dict):
            content = inner  # {"images": [{...}, ...]}
    if isinstance(content, dict):
        yield from content.items()
    elif isinstance(content, list):
        yield from ((None, entry) for entry in content)
    else:
        raise DataError(path, got="is a single value", expected="an object or a list of labels")


def _labels(value: object, several: bool) -> list[str] | None:
    """Return an entry's labels; None if it is not a label, or not a list where there may be one."""
    if several and isinstance(value, list):
        words = [_word(one) for one in value]
        return [word for word in words if word] or [""] if None not in words else None
    word = _word(value)
    return None if word is None else [word]


def _word(value: object) -> str | None:
    """Return a JSON value as a label or file name; None if it is not a text or a number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None
