"""How `edgeinfer run` answers heat and a weak supply, on a board that is a folder.

    python -m tests.benchmarks.loop.heat

A temperature rises towards its limit and falls again, the supply weakens for some time; what the
program says is printed as it says it, and every few seconds its rate. Takes two minutes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from tests.device.loop.supervision.boards import FakeBoard
from tests.support.program import PROGRAM

SAMPLE = Path(__file__).parents[2] / "samples" / "fashion-mnist.edgebundle"
SCRIPT = (
    # seconds, temperature in degrees Celsius, the firmware's bits
    (12, 55.0, 0x0),
    (7, 74.5, 0x0),
    (7, 77.5, 0x0),
    (7, 82.0, 0x80008),
    (25, 72.5, 0x80000),
    (50, 62.0, 0x80000),
    (12, 58.0, 0x90001),
    (27, 55.0, 0x90000),
)
RATE_EVERY_S = 4.0


class Answers:
    """Counts lines of a loop with --json."""

    def __init__(self, stream: IO[str]) -> None:
        self.count = 0
        self.last = ""
        self._stream = stream
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._stream:
            self.count += 1
            self.last = line


def main() -> int:
    """Run the script and print what happens."""
    start_s = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - start_s:6.1f} s  {line}", flush=True)

    def listen(stream: IO[str]) -> None:
        for line in stream:
            tell(line.rstrip())

    with tempfile.TemporaryDirectory() as folder:
        board = FakeBoard(Path(folder))
        board.zone(SCRIPT[0][1], critical=110)
        board.throttled(SCRIPT[0][2])
        with subprocess.Popen(
            [*PROGRAM, "run", "--camera", "simulated", "--model", str(SAMPLE), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "EDGEINFER_SYSFS": folder},
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            answers = Answers(process.stdout)
            threading.Thread(target=listen, args=(process.stderr,), daemon=True).start()
            for seconds, celsius, bits in SCRIPT:
                board.zone(celsius, critical=110)
                board.throttled(bits)
                tell(f"-- {celsius:.1f} °C, get_throttled={bits:#x}")
                end_s = time.monotonic() + seconds
                while (left_s := end_s - time.monotonic()) > 0.5:
                    counted, pause_s = answers.count, min(RATE_EVERY_S, left_s)
                    time.sleep(pause_s)
                    tell(f"   {(answers.count - counted) / pause_s:.1f} answers/s")
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
        tell(f"exit code {code}, {json.loads(answers.last)['summary']['frames']:,} frames")
    return code


if __name__ == "__main__":
    sys.exit(main())
