"""Which board this is."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.boards import detect_board
from edgeinfer.device.diagnose.doctor.finding import Finding, ok
from edgeinfer.device.diagnose.doctor.system import System


class BoardCheck:
    """Which profile is used, and how many threads the interpreter gets."""

    title = "Board"

    def run(self, system: System) -> Sequence[Finding]:
        """Recognise the board."""
        board = detect_board(system.root)
        threads = board.thread_count()
        return [ok("board", f"{board.title} ({board.name}), {threads} thread{'s' * (threads > 1)}")]
