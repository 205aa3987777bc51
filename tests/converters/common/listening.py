"""Keeps the reports of how far the work is."""

from __future__ import annotations


class Listening:
    """A `Progress` that keeps what is reported to it.

    Attributes:
        told: titles, with how many steps each has, and lines.
        advances: by how many steps the work advanced, each time.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.advances: list[int] = []

    def start(self, title: str, total: int | None = None) -> None:
        self.told.append(title if total is None else f"{title} of {total}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.advances.append(steps)

    def say(self, line: str) -> None:
        self.told.append(line)
