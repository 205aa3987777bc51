"""Text in CSV that no spreadsheet runs.

Spreadsheets take a cell that begins with = + - @ for a formula, and formulas can start programs and
send data. Class names and file names are untrusted. So an apostrophe is put before such text,
which spreadsheets show as text; numbers stay as they are.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"'*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def csv_cell(value: object) -> object:
    """Return a cell's value, text that would be a formula with an apostrophe before it.

    An apostrophe that is already before a formula gets another one, so that `csv_text` gives the
    same text back.
    """
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def csv_text(cell: str) -> str:
    """Return the text that `csv_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def guard_table(table: str) -> str:
    """Return another program's table, made safe in the same way; its cells have no quotes."""
    return "\n".join(
        ",".join(f"'{cell}" if _is_formula(cell.lstrip(' "')) else cell for cell in line.split(","))
        for line in table.split("\n")
    )


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
