"""The texts of untrusted data sets: bounded, in any usual encoding, with any usual numbers."""

from __future__ import annotations

import math
import re
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.found import Record

MAX_TEXT_BYTES = 16 * 2**20
"""The largest file of one picture's labels that is read."""

DECIMAL_COMMA = "decimal comma read as a point"

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_DIGITS = 40


def read_text(path: Path, *, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Return a file's text, without a byte order mark and with plain line ends.

    Args:
        path: the file: UTF-8, or UTF-16 with a byte order mark.
        max_bytes: the largest that is read.

    Raises:
        DataError: it cannot be read, is larger, or is not text.
    """
    try:
        if not path.is_file():
            raise DataError(path, got="is not a file", next_step="check the path")
        size = path.stat().st_size
        if size > max_bytes:
            raise DataError(
                path,
                got=f"is {size / 2**20:,.0f} MiB large",
                expected=f"at most {max_bytes // 2**20:,} MiB",
                next_step="divide it",
            )
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(path, got=f"cannot be read ({reason})") from error
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(path, got="is not UTF-8 text", next_step="save it as UTF-8 text") from error
    if "\0" in text:
        raise DataError(path, got="is not a text file", expected="text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def number(text: str, record: Record, place: object) -> float:
    """Return the number that a text is; a decimal comma is read as a point, which is recorded.

    Raises:
        ValueError: it is none, or not finite.
    """
    text = text.strip()
    if len(text) > _MOST_DIGITS or _NUMBER.fullmatch(text) is None:
        raise ValueError(f"'{text[:_MOST_DIGITS]}' is not a number")
    if "," in text:
        record.corrected(DECIMAL_COMMA, place, text)
    value = float(text.replace(",", "."))
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is not finite")
    return value
