"""Text on a stream such as stdout: written immediately, and as whole lines even after a failure."""

from __future__ import annotations

import io
import os
import select
from typing import TextIO

from edgeinfer.device.core.errors import storage_error

PIPE_PART_BYTES = 4096
"""What a pipe takes whole or not at all. Source: pipe(7), PIPE_BUF on Linux."""


class TextWriter:
    """Writes text to a stream and leaves nothing behind in its buffer.

    What a full disk refused would otherwise stay in Python's buffer, come twice when there is room
    again, and fail again when the program ends.

    Args:
        stream: stdout, a file, or a stream in memory.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._line_is_partial = False
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, io.UnsupportedOperation):
            self._descriptor = None

    def write(self, text: str) -> None:
        """Write it; a character that the stream's encoding does not have is escaped.

        Raises:
            StorageError: there is no room, or the device failed.
            BrokenPipeError: the reader has gone.
        """
        data = text.encode(self._encoding, "backslashreplace")
        try:
            if self._descriptor is None:
                self._stream.write(data.decode(self._encoding))
                self._stream.flush()
            else:
                self._write_bytes(self._descriptor, data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise storage_error("output", error) from error

    def _write_bytes(self, descriptor: int, data: bytes) -> None:
        self._stream.flush()
        rest = memoryview(b"\n" + data if self._line_is_partial else data)
        while rest:
            # In parts, so that a pipe that is nearly full takes what it can immediately.
            try:
                written = os.write(descriptor, rest[:PIPE_PART_BYTES])
            except BlockingIOError:
                # Another program that shares this terminal or pipe has made it so.
                select.select([], [descriptor], [])
                continue
            self._line_is_partial = rest[written - 1] != ord("\n")
            rest = rest[written:]
        self._line_is_partial = False

    def close(self) -> None:
        """Leave the stream open: it is somebody else's."""
