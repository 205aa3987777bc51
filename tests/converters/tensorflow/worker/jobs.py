"""Jobs that need no TensorFlow, for the tests of who does them."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import ConversionError, EdgeinferError, TrainingError
from edgeinfer.device.core.processes import ProcessEnd


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came out: the text, and the process that it came from."""

    text: str
    pid: int


@dataclass(frozen=True, kw_only=True)
class EchoJob:
    """Returns a text, or ends in the way that is asked for.

    Attributes:
        text: what to return.
        raises: what to raise instead: `ours`, `disk` or `theirs`.
        ends: how the process ends instead: a signal's name, `code` or `hang`.
        hold_mib: memory to keep for good.
    """

    answer: ClassVar[type[Said]] = Said
    text: str = ""
    raises: str = ""
    ends: str = ""
    hold_mib: int = 0

    def run(self, progress: Progress) -> Said:
        progress.start("echo", 10)
        for _ in range(10):
            progress.advance(note="on")
        progress.say("half way")
        if self.raises == "ours":
            raise TrainingError("x", got="diverged", expected="not to", next_step="lower it")
        if self.raises == "disk":
            raise OSError(28, "No space left on device", "/full")
        if self.raises == "theirs":
            raise ValueError("first line\nsecond")
        if self.ends == "code":
            sys.stderr.write("its last words\n")
            sys.stderr.flush()
            os._exit(3)
        if self.ends == "hang":
            signal.pause()
        if self.ends:
            os.kill(os.getpid(), signal.Signals[self.ends])
        print("what libraries print is not a message")
        _HELD.append(b"x" * (self.hold_mib << 20))
        return Said(text=self.text, pid=os.getpid())

    def failed(self, reason: str, error: Exception) -> EdgeinferError:
        return ConversionError("echo", got=reason)

    def lost(self, end: ProcessEnd) -> EdgeinferError:
        return ConversionError("echo", got=f"its process {end.text}")


_HELD: list[bytes] = []
