"""Native code whose output on stderr nobody needs, run without changing stderr for others.

A file descriptor belongs to a whole process: redirected in one thread, it is redirected in all,
in children that start at that time, and for `faulthandler`. Linux gives a single thread a separate
table of descriptors when asked. There stderr can lead nowhere; the process's own stays.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

_CLOSE_RANGE = 436
"""The number of the system call, on every architecture: glibc has a function for it since 2.34."""
_CLOSE_RANGE_UNSHARE = 2
_CLONE_FILES = 0x400
"""From the kernel's include/uapi/linux/close_range.h and sched.h."""


def silenced(work: Callable[[], object]) -> None:
    """Call `work`, once, in a thread that ends with it and whose stderr leads nowhere.

    Where such a thread cannot be started, as in some containers, what `work` says is shown. It
    should be short, and must not leave threads or open files: a thread that it starts has the same
    silent stderr, and files that it opens are closed at its end.

    Raises:
        BaseException: what `work` raises.
    """
    failure: list[BaseException] = []
    caller = threading.get_native_id()

    def run() -> None:
        try:
            # Libraries of light threads (gevent) have it run in the caller's own.
            if threading.get_native_id() != caller:
                _lead_stderr_nowhere()
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="edgeinfer-silenced")
    # A collection of garbage there would close files, but not those that the process has open.
    collecting = gc.isenabled()
    gc.disable()
    try:
        thread.start()
    except RuntimeError:  # no further thread may be had
        work()
    else:
        thread.join()
    finally:
        if collecting:
            gc.enable()
    if failure:
        raise failure.pop()


def _lead_stderr_nowhere() -> None:
    """Lead this thread's stderr nowhere, if it may have its own descriptors."""
    # A handler of signals may write to a file that will not be open here.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    if not _take_own_descriptors():
        return
    with suppress(OSError):  # such a device may be absent, or no further file may be open
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != 2:
            os.dup2(nowhere, 2)
            os.close(nowhere)


def _take_own_descriptors() -> bool:
    """Give this thread its own table, with only the standard streams; False if refused."""
    library = ctypes.CDLL(None)
    first, last = ctypes.c_uint(3), ctypes.c_uint(-1)
    how = ctypes.c_uint(_CLOSE_RANGE_UNSHARE)
    # Not all files: one that the process closes meanwhile, a camera say, would stay open here.
    if library.syscall(ctypes.c_long(_CLOSE_RANGE), first, last, how) == 0:
        return True
    # Kernels before 5.9 copy all; the thread ends soon.
    return bool(library.unshare(ctypes.c_int(_CLONE_FILES)) == 0)
