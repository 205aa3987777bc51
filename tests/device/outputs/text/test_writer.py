from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.outputs.text.writer import TextWriter


def test_full_disk_is_a_sentence_and_leaves_nothing_in_the_buffer() -> None:
    with open("/dev/full", "w") as stream:
        with pytest.raises(StorageError, match="no space left on device"):
            TextWriter(stream).write("a line\n")
        stream.flush()


def test_reader_that_has_gone_is_a_broken_pipe() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream, pytest.raises(BrokenPipeError):
        TextWriter(stream).write("a line\n")


def test_what_was_written_before_stays_before(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w") as stream:
        stream.write("first\n")
        TextWriter(stream).write("second\n")
        assert path.read_text() == "first\nsecond\n"


@pytest.mark.parametrize("blocking", [True, False])
def test_long_text_goes_through_a_small_pipe(blocking: bool) -> None:
    text = "".join(f"{number}\n" for number in range(50_000))
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    received: list[str] = []

    def read() -> None:
        with open(reading) as source:
            received.append(source.read())

    reader = threading.Thread(target=read)
    reader.start()
    with open(writing, "w") as stream:
        TextWriter(stream).write(text)
    reader.join()
    assert received == [text]


def test_after_an_incomplete_line_the_next_one_starts_on_its_own_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    real, calls = os.write, 0

    def tearing(descriptor: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return real(descriptor, data[:4])
        if calls == 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", tearing)
    with open(writing, "w") as stream:
        writer = TextWriter(stream)
        with pytest.raises(StorageError):
            writer.write("part line\n")
        writer.write("whole line\n")
        writer.write("another\n")
    with open(reading) as source:
        assert source.read() == "part\nwhole line\nanother\n"
