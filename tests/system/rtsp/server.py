"""Starting the RTSP server with the clock, and reading that clock from pictures."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.system.environments import unavailable
from tests.system.rtsp.clock_picture import BLOCK, value_of

SYSTEM_PYTHON = "/usr/bin/python3"
PROGRAM = Path(__file__).with_name("clock_server.py")
_ELEMENTS = ("appsrc", "x264enc", "x265enc", "rtph264pay", "rtph265pay")
_PROBE = f"""
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in {_ELEMENTS} if Gst.ElementFactory.find(name) is None]
raise SystemExit(f"no {{missing}}" if missing else 0)
"""


class Server:
    """The server's process.

    Attributes:
        port: where it listens.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def stop(self) -> None:
        """Have it stand still: it captures and sends nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it run again."""
        os.kill(self._process.pid, signal.SIGCONT)


@contextlib.contextmanager
def clock_server() -> Iterator[Server]:
    """Run a server on a free port; skip where this machine cannot."""
    probe = subprocess.run(
        [SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or ["no message"])[-1]
        unavailable(f"no RTSP server: gst-rtsp-server for {SYSTEM_PYTHON} is needed ({last})")
    process = subprocess.Popen([SYSTEM_PYTHON, PROGRAM, "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield Server(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def shown_clock_ms(bgr: NDArray[np.uint8]) -> int | None:
    """Return the clock that a picture shows, in milliseconds; None if it is damaged.

    Args:
        bgr: (H, W, 3) uint8.
    """
    middle = BLOCK // 2
    blocks = bgr[middle::BLOCK, middle::BLOCK, 1] > 128
    return value_of([bool(block) for block in blocks.ravel()])
