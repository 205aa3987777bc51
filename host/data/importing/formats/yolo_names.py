"""The file that names YOLO's classes: `data.yaml` as Ultralytics writes it, or a list.

Only the part of YAML that such files have is read: one level of keys with texts, numbers and lists,
and a list or a map of numbers for the names. Base installs have no YAML library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.formats.texts import read_text

MAX_CLASSES = 10_000

_KEY = re.compile(r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s:#\[\]{},'\"][^:#]*?)\s*:(?:\s+(?P<value>.*))?")
_OPENING, _CLOSING = "[{", "]}"

Value = str | list[str] | dict[str, str]


class YoloNames(NamedTuple):
    """What a data set's file says.

    Attributes:
        names: of the classes, by number.
        places: what it says of `train`, `val` and `test`: folders or lists of pictures, as written.
        base: the folder that these start from, as written; may be empty.
        keypoints: whether each object has points behind its box.
    """

    names: dict[int, str]
    places: dict[str, list[str]]
    base: str = ""
    keypoints: bool = False


def read_yolo_names(path: Path) -> YoloNames:
    """Return what a `data.yaml`, a `classes.txt` or an `obj.names` says.

    Raises:
        DataError: it cannot be understood; the sentence says where.
    """
    text = read_text(path)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        lines = [line.strip() for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        names = dict(enumerate(lines))
        return YoloNames(_checked(path, names), {})
    try:
        said = parse_yaml(text)
        names = _numbered(said.get("names", []))
    except ValueError as error:
        raise DataError(
            path, got=str(error), expected="names: [cat, dog], or a name a line under names:"
        ) from error
    count = said.get("nc")
    if isinstance(count, str) and count.isdecimal() and int(count) != len(names):
        raise DataError(
            path, got=f"says nc: {count} and names {len(names)} classes", expected="a name for each"
        )
    places = {
        split: [value] if isinstance(value, str) else list(value)
        for split in ("train", "val", "test")
        if (value := said.get(split))
    }
    base = said.get("path", "")
    return YoloNames(
        _checked(path, names),
        places,
        base if isinstance(base, str) else "",
        keypoints="kpt_shape" in said,
    )


def parse_yaml(text: str) -> dict[str, Value]:
    """Return the top level of a YAML text: texts, lists of texts, and maps of texts.

    Deeper levels are left out, as nothing of a data set's classes is there.

    Raises:
        ValueError: a line is not of this part of YAML.
    """
    found: dict[str, Value] = {}
    key = ""
    waiting: list[str] = []
    began, depth = 0, 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = _without_comment(raw).rstrip()
        if waiting:
            waiting.append(line.strip())
            depth += _depth(line)
            if depth <= 0:
                found[key], waiting = _flow(" ".join(waiting).strip(), began), []
            continue
        if not line.strip() or line.startswith(("---", "...", "%")):
            continue
        inner = line.strip()
        if key and (line[0] in " \t" or inner == "-" or inner.startswith("- ")):
            _add(found, key, inner, number)
            continue
        match = _KEY.fullmatch(line)
        if match is None:
            raise ValueError(f"line {number} is '{inner[:40]}', which is not understood")
        key, value = _scalar(match["key"], number), (match["value"] or "").strip()
        if value and value[0] in _OPENING:
            waiting, began, depth = [value], number, _depth(value)
            if depth <= 0:
                found[key], waiting = _flow(value, began), []
        else:
            found[key] = _scalar(value, number)
    if waiting:
        raise ValueError(f"the bracket of line {began} is not closed")
    return found


def _add(found: dict[str, Value], key: str, inner: str, number: int) -> None:
    """Add an indented line to what a key says."""
    value = found.get(key)
    if inner == "-" or inner.startswith("- "):
        if value == "":
            value = found[key] = []
        if isinstance(value, list):
            value.append(_scalar(inner[1:].strip(), number))
        return
    match = _KEY.fullmatch(inner)
    if match is not None and value == "":
        value = found[key] = {}
    if match is not None and isinstance(value, dict):
        value[_scalar(match["key"], number)] = _scalar((match["value"] or "").strip(), number)


def _flow(text: str, number: int) -> Value:
    """Return `[a, b]` or `{0: a, 1: b}`."""
    if text[-1] not in _CLOSING or (text[0] == "[") != (text[-1] == "]"):
        raise ValueError(f"the bracket of line {number} is not closed")
    cells = [cell.strip() for cell in _cells(text[1:-1])]
    if cells and not cells[-1]:
        cells.pop()
    if text[0] == "[":
        return [_scalar(cell, number) for cell in cells]
    pairs = {}
    for cell in cells:
        match = _KEY.fullmatch(cell)
        if match is None:
            raise ValueError(f"line {number} has '{cell[:40]}', expected NUMBER: NAME")
        pairs[_scalar(match["key"], number)] = _scalar((match["value"] or "").strip(), number)
    return pairs


def _cells(text: str) -> list[str]:
    """Divide a text at its commas, but for those in quotation marks and brackets."""
    cells, depth = [""], 0
    for char, quoted in _quoted(text):
        if not quoted:
            depth += (char in _OPENING) - (char in _CLOSING)
            if char == "," and depth == 0:
                cells.append("")
                continue
        cells[-1] += char
    return cells


def _depth(text: str) -> int:
    """Return how many more brackets are opened than closed."""
    plain = [char for char, quoted in _quoted(text) if not quoted]
    return sum((char in _OPENING) - (char in _CLOSING) for char in plain)


def _without_comment(line: str) -> str:
    before = " "
    for place, (char, quoted) in enumerate(_quoted(line)):
        if char == "#" and not quoted and before in " \t":
            return line[:place]
        before = char
    return line


def _quoted(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each character, and whether it is in quotation marks or one of them.

    A mark inside a word, as in "it's", is none.
    """
    quote, before, escaped = "", " ", False
    for char in text:
        if quote:
            yield char, True
            if char == quote and not escaped:
                quote = ""
            escaped = quote == '"' and char == "\\" and not escaped
        else:
            if char in "'\"" and before in " \t[{,:":
                quote = char
            yield char, bool(quote)
        before = char


def _scalar(text: str, number: int) -> str:
    """Return a text without its quotation marks."""
    if text[:1] not in {"'", '"'}:
        return text
    if len(text) < 2 or text[-1] != text[0]:
        raise ValueError(f"line {number} has a quotation mark that is not closed")
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text[1:-1]
    return str(value)


def _numbered(value: Value) -> dict[int, str]:
    if isinstance(value, list):
        return dict(enumerate(value))
    if isinstance(value, dict):
        odd = [key for key in value if not (key.isdecimal() and key.isascii() and len(key) < 6)]
        if odd:
            raise ValueError(f"names has '{odd[0][:40]}' where a class's number is expected")
        return {int(key): name for key, name in value.items()}
    raise ValueError("has no list of names")


def _checked(path: Path, names: Mapping[int, str]) -> dict[int, str]:
    """Refuse lists that name no classes.

    Raises:
        DataError: there are none or too many, or one is empty.
    """
    if not 0 < len(names) <= MAX_CLASSES:
        raise DataError(path, got=f"names {len(names):,} classes", expected=f"1 to {MAX_CLASSES:,}")
    empty = [number for number, name in names.items() if not name.strip()]
    if empty:
        raise DataError(path, got=f"has no name for class {empty[0]}", expected="a name for each")
    return {number: name.strip() for number, name in names.items()}
