"""The compatibility matrix as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from edgeinfer.boards import BoardProfile, System
from edgeinfer.boards.matrix import boards_by_system, names_text
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.text.wrapping import wrap

_HEADS = ("system", "run here", "Python", "runtime")
_WIDTHS = (32, 15, 6, 21)
"""Of the columns; with two spaces between them they fit into 80."""
_NEWER = "*"


def matrix_table(profiles: Iterable[BoardProfile]) -> list[str]:
    """Return a few lines for each system, of at most 80 columns where no word is longer."""
    lines = [*_row(_HEADS), ""]
    found = boards_by_system(profiles)
    for system, boards in found.items():
        python = system.python + _NEWER * bool(system.python_carried)
        runtime = f"{system.runtime} {system.runtime_version}" if system.runtime else "none"
        lines += _row((printable(system.name), system.ran or "no", python, runtime))
        for title, text in _facts(system, boards):
            lines += wrap(printable(f"  {title}: {text}"), indent="    ")
    if any(system.python_carried for system in found):
        lines += ["", f"{_NEWER} too old: edgeinfer flash brings a newer one"]
    return [
        *lines,
        "",
        "Under run here stands what tests ran the package on; all else was only read of.",
        "with the sources: edgeinfer boards matrix --markdown",
    ]


def _facts(system: System, boards: Sequence[BoardProfile]) -> Iterator[tuple[str, str]]:
    yield "boards", names_text(boards).replace("`", "")
    if system.cameras:
        yield "cameras", ", ".join(system.cameras)
    if any(board.accelerator == "edgetpu" for board in boards):
        yield "libedgetpu, for a Coral", ", ".join(system.libedgetpu) or "none known"


def _row(cells: Sequence[str]) -> list[str]:
    """Return the cells side by side, each broken between words to its column's width."""
    broken = [wrap(cell, width, "") for cell, width in zip(cells, _WIDTHS, strict=True)]
    return [
        "  ".join(part.ljust(width) for part, width in zip(parts, _WIDTHS, strict=True)).rstrip()
        for parts in zip_longest(*broken, fillvalue="")
    ]
