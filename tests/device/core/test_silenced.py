"""One thread's stderr leads nowhere; everybody else's stays as it is."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeinfer.device.core.silenced import silenced
from tests.support.refused_calls import REFUSE_OWN_DESCRIPTORS


def test_what_the_work_says_is_not_seen_and_what_others_say_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    inside, said = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait()
        os.write(2, b"another thread\n")
        subprocess.run(["sh", "-c", "echo a child >&2"], check=True)
        said.set()

    def work() -> None:
        os.write(2, b"before\n")
        inside.set()
        said.wait()
        os.write(2, b"after\n")

    thread = threading.Thread(target=other)
    thread.start()
    silenced(work)
    thread.join()
    os.write(2, b"the process\n")
    assert capfd.readouterr().err == "another thread\na child\nthe process\n"


def test_a_file_that_the_process_closes_meanwhile_is_closed() -> None:
    """It is not kept open by a copy: a camera is free immediately, a pipe's reader sees its end."""
    kernel = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if kernel < (5, 9):
        pytest.skip(f"kernel {os.uname().release} copies all descriptors")
    reading, writing = os.pipe()
    inside, read = threading.Event(), []

    def other() -> None:
        inside.wait()
        os.close(writing)
        read.append(os.read(reading, 1))  # waits for ever where the pipe is open elsewhere

    def work() -> None:
        inside.set()
        thread.join()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    silenced(work)
    os.close(reading)
    assert read == [b""]


def test_it_leaves_nothing_behind() -> None:
    descriptors = os.listdir("/proc/self/fd")
    threads = threading.enumerate()
    assert gc.isenabled()
    silenced(lambda: None)
    assert os.listdir("/proc/self/fd") == descriptors
    assert threading.enumerate() == threads
    assert gc.isenabled()


def test_no_file_of_the_process_is_closed_in_the_wrong_thread(tmp_path: Path) -> None:
    """A collection of garbage there would leave a file open that it thinks it has closed."""
    path = tmp_path / "open"
    path.touch()

    class Cycle:
        def __init__(self) -> None:
            self.descriptor = os.open(path, os.O_RDONLY)
            self.itself = self

        def __del__(self) -> None:
            os.close(self.descriptor)

    def is_open() -> bool:
        links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
        return str(path) in {os.readlink(link) for link in links if link.is_symlink()}

    def work() -> None:
        gc.set_threshold(1, 1, 1)
        kept = [[number] for number in range(10_000)]  # collects garbage of every generation
        assert kept

    gc.collect()
    Cycle()
    threshold = gc.get_threshold()
    gc.set_threshold(1_000_000)
    try:
        assert is_open()
        silenced(work)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert not is_open()


def test_an_error_of_the_work_is_raised() -> None:
    def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        silenced(work)
    assert gc.isenabled()


SAY = """
import os, threading
from edgeinfer.device.core.silenced import silenced
silenced(lambda: os.write(2, b"work\\n"))
os.write(2, b"process\\n")
"""


def test_where_it_is_refused_the_words_are_shown() -> None:
    command = [sys.executable, "-c", REFUSE_OWN_DESCRIPTORS + SAY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "work\nprocess\n"


CLOSED = """
import os
from edgeinfer.device.core.silenced import silenced
silenced(lambda: os.write(2, b"work\\n"))
print(os.path.exists("/proc/self/fd/2"))
"""


def test_a_closed_stderr_stays_closed() -> None:
    command = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, CLOSED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_signals_are_left_to_the_process() -> None:
    """A handler may write to the process's files: `signal.set_wakeup_fd`, `faulthandler`."""
    blocked: list[int] = []
    silenced(lambda: blocked.extend(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    assert set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP} <= set(blocked)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def test_a_thread_that_is_the_callers_own_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As where gevent has patched threads."""
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    monkeypatch.setattr(threading.Thread, "join", lambda thread: None)
    descriptors = os.listdir("/proc/thread-self/fd")
    silenced(lambda: os.write(2, b"work\n"))
    assert os.listdir("/proc/thread-self/fd") == descriptors
    assert capfd.readouterr().err == "work\n"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def test_where_no_thread_can_be_had_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    silenced(lambda: os.write(2, b"work\n"))
    assert capfd.readouterr().err == "work\n"
