"""Keys of the terminal, one by one, without Enter and without showing them.

The terminal is as before when the block ends, in whatever way, while Ctrl-Z has stopped the
program, and after it.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from edgeinfer.device.core.errors import UsageError

TERMINAL = "/dev/tty"
"""The terminal itself: stdin may be the camera."""

_SEQUENCE = re.compile(r"\x1b[\[O][0-9;?]*[ -/]*[@-~]|\x1b")
_CLEAR_LINE = "\r\x1b[K"


class Keyboard:
    """Reads keys; made by `open_keyboard`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")
        self.ended = False
        """The terminal has gone."""

    def typed(self) -> str:
        """Return what was typed since the last call, without arrows and other control keys."""
        typed = ""
        while not self.ended and select.select([self._descriptor], [], [], 0)[0]:
            try:
                data = os.read(self._descriptor, 256)
            except OSError:
                data = b""
            self.ended = not data
            typed += self._decoder.decode(data)
        return _SEQUENCE.sub("", typed)

    def show(self, text: str) -> None:
        """Show a text in the terminal's line, in place of the one before."""
        with suppress(OSError):
            os.write(self._descriptor, f"{_CLEAR_LINE}{text}".encode())


@contextmanager
def open_keyboard(option: str) -> Iterator[Keyboard]:
    """Take the keys of the terminal inside the block.

    Args:
        option: what needs keys, for the error.

    Raises:
        UsageError: the program has no terminal.
    """
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            option,
            got="needs keys, and there is no terminal",
            expected="a terminal",
            next_step="add --every SECONDS or --on-change SHARE, to save without keys",
        ) from error
    try:
        with _cbreak(descriptor):
            yield Keyboard(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _cbreak(descriptor: int) -> Iterator[None]:
    """Have the terminal give each key immediately; Ctrl-C and Ctrl-Z do what they always do."""
    before = termios.tcgetattr(descriptor)

    def restore() -> None:
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def pause(number: int, frame: FrameType | None) -> None:
        restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        with suppress(termios.error):
            tty.setcbreak(descriptor, termios.TCSADRAIN)

    handler: Any = None
    main = threading.current_thread() is threading.main_thread()
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)
        if main:
            handler = signal.signal(signal.SIGTSTP, pause)
        yield
    finally:
        restore()
        if main and handler is not None:
            signal.signal(signal.SIGTSTP, handler)
