"""What the runtimes say of themselves is kept off stderr, and stderr comes back."""

from __future__ import annotations

import os

from edgeinfer.device.runtime.runner import _quiet_native_log


def identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def test_stderr_comes_back_when_two_threads_load_models_at_once() -> None:
    """The first that began ends first: whoever is last must not put back what the other set."""
    before, null = identity(2), os.stat(os.devnull)
    first, second = _quiet_native_log(), _quiet_native_log()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert identity(2) == (null.st_dev, null.st_ino)
    second.__exit__(None, None, None)
    assert identity(2) == before
    with _quiet_native_log():
        assert identity(2) != before
    assert identity(2) == before
