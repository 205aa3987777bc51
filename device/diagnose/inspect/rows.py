"""Titled rows as aligned lines, fit for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.core.errors import printable

_LABELS_SHOWN = 5
_TEXT_SHOWN = 300


def labels_text(labels: Sequence[str]) -> str:
    """Return the number of labels, and the first of them."""
    shown = [*labels[:_LABELS_SHOWN], *(["..."] if len(labels) > _LABELS_SHOWN else [])]
    return f"{len(labels)}: " + " | ".join(shown)


def table_rows(title: str, cells: list[list[str]]) -> list[tuple[str, str]]:
    """Return rows with aligned columns, the first one titled; counts are on the right."""
    cells = [[shown(cell) for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    texts = (
        "  ".join(
            cell.rjust(width) if cell.replace(",", "").isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )
    return [(title if index == 0 else "", text) for index, text in enumerate(texts)]


def shown(text: str) -> str:
    """Return `text` fit for a terminal; a file may hold names of any length and content."""
    return printable(text if len(text) <= _TEXT_SHOWN else text[:_TEXT_SHOWN] + "...")


def aligned(rows: list[tuple[str, str]]) -> list[str]:
    """Return rows as lines, with the titles in one column."""
    width = max(len(title) for title, _ in rows)
    return [f"  {title:<{width}}  {shown(text)}".rstrip() for title, text in rows]
