"""The compatibility matrix: which versions go together on which system, as Markdown.

What a test of this repository ran is separate from what was only read, and every cell names its
source by a number in brackets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgeinfer.boards.profile import BoardProfile
from edgeinfer.boards.systems import System

_HEADS = ("system", "run here", "Python", "runtime", "libedgetpu, for a Coral", "cameras", "boards")
_NOWHERE = "no"
_LEGEND = (
    "Under *run here* stands what the tests of this repository run the package on, with that",
    "Python and that runtime. All else, and every libedgetpu and every board, was only read of. A",
    "number in brackets names a cell's source, below.",
)


@dataclass(kw_only=True)
class _Numbered:
    """Sources in the order in which they are first named."""

    texts: list[str] = field(default_factory=list)

    def cite(self, text: str) -> str:
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"


def boards_by_system(profiles: Iterable[BoardProfile]) -> dict[System, list[BoardProfile]]:
    """Return each system once, with the boards that run it; those that were run here first."""
    found: dict[System, list[BoardProfile]] = {}
    for profile in profiles:
        for system in profile.systems:
            found.setdefault(system, []).append(profile)
    return dict(sorted(found.items(), key=lambda item: not item[0].ran))


def matrix_lines(profiles: Iterable[BoardProfile]) -> list[str]:
    """Return the matrix, what is to be known of single systems, and the sources."""
    found = boards_by_system(profiles)
    sources = _Numbered()
    rows = [_row(system, boards, sources) for system, boards in found.items()]
    lines = [*_LEGEND, "", _line(_HEADS), _line(["---"] * len(_HEADS)), *map(_line, rows)]
    notes = [f"- {system.name}: {system.note}" for system in found if system.note]
    if notes:
        lines += ["", *notes]
    if sources.texts:
        numbered = [f"{number}. {text}" for number, text in enumerate(sources.texts, start=1)]
        lines += ["", "Sources:", "", *numbered]
    return lines


def matrix_json(profiles: Iterable[BoardProfile]) -> list[dict[str, object]]:
    """Return the matrix for scripts: one object a system."""
    return [
        {**system_json(system), "boards": [board.name for board in boards]}
        for system, boards in boards_by_system(profiles).items()
    ]


def system_json(system: System) -> dict[str, object]:
    """Return a system for scripts, with what it was run on, or null."""
    return {
        "name": system.name,
        "os_id": system.os_id,
        "version_id": system.version_id,
        "architecture": system.architecture,
        "glibc": system.glibc or None,
        "python": system.python,
        "python_carried": system.python_carried or None,
        "runtime": system.runtime or None,
        "runtime_version": system.runtime_version or None,
        "runtime_in_system": system.runtime_in_system,
        "meets_requirements": system.meets_requirements,
        "libedgetpu": list(system.libedgetpu),
        "system_packages": system.system_packages,
        "packages": list(system.packages),
        "cameras": list(system.cameras),
        "ran": system.ran or None,
        "test": system.test or None,
        "note": system.note,
        "sources": {
            "system": system.sources.system,
            "runtime": system.sources.runtime or None,
            "libedgetpu": system.sources.libedgetpu or None,
            "cameras": system.sources.cameras or None,
        },
    }


def _row(system: System, boards: Sequence[BoardProfile], sources: _Numbered) -> list[str]:
    told = system.sources
    ran = f"**{system.ran}** {sources.cite(f'`{system.test}`')}" if system.ran else _NOWHERE
    python = system.python
    if system.python_carried:
        python += f", carried: {system.python_carried}"
    glibc = f"; glibc {system.glibc}" if system.glibc else ""
    runtime = "none"
    if system.runtime:
        where = " (the system's)" if system.runtime_in_system else ""
        cited = sources.cite(told.runtime)
        runtime = f"{system.runtime} {system.runtime_version}{where} {cited}"
    corals = any(board.accelerator == "edgetpu" for board in boards)
    libedgetpu = "-" if not corals else "none known"
    if corals and system.libedgetpu:
        libedgetpu = f"{', '.join(system.libedgetpu)} {sources.cite(told.libedgetpu)}"
    cameras = "-"
    if system.cameras:
        cameras = f"{', '.join(system.cameras)} {sources.cite(told.cameras)}"
    first = f"{python}{glibc} {sources.cite(told.system)}"
    return [system.name, ran, first, runtime, libedgetpu, cameras, names_text(boards)]


def names_text(boards: Sequence[BoardProfile]) -> str:
    """Return the boards' names as Markdown; one with an accelerator comes after its base."""
    plugged = {
        board.name: board.based_on
        for board in boards
        if board.connection in ("usb", "pcie") and board.name.startswith(f"{board.based_on}-")
    }
    texts = []
    for board in boards:
        if board.name in plugged and plugged[board.name] in {one.name for one in boards}:
            continue
        added = [
            f"`{name.removeprefix(board.name)}`"
            for name, base in plugged.items()
            if base == board.name
        ]
        texts.append(f"`{board.name}`" + (f" ({', '.join(added)})" if added else ""))
    return ", ".join(texts)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
