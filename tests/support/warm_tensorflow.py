"""Children that need TensorFlow, from a process that has imported it already.

Importing TensorFlow takes 3.6 s of processor time, converting a test's model 1 s. A module with
`pytest.mark.usefixtures("warm_tensorflow")` has another program for `sys.executable`: where it is
asked to run one of `MODULES`, a process that has TensorFlow and has run nothing yet forks, and the
copy runs that module as a separate Python would, with the caller's arguments, variables, working
folder and standard streams. It may crash, and ends with its caller. All else goes to the real
Python, and the tests of `tensorflow/worker/` start it so.

What runs so is limited in its processor time, several tests' worth, and that does not count for the
test.

As a program, `warm_tensorflow.py LISTENER PARENT LIMIT_S`, it is the process that forks.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import resource
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from edgeinfer.device.core.processes import end_with_parent

MODULES = ("edgeinfer.converters.tensorflow.worker.main",)
LIMIT_S = 300
"""Of processor time, for one of them, which may serve a whole search: 64 s on a slow machine."""
_CLIENT = Path(__file__).with_name("warm_client.py")
_NEWS_BYTES = 1 << 20


@pytest.fixture(scope="session")
def _warm_python() -> Iterator[Path]:
    """The program that stands for Python; what it asks ends with this fixture."""
    with tempfile.TemporaryDirectory(prefix="edgeinfer-warm-") as folder:
        program, address = Path(folder, "python"), Path(folder, "socket")
        words = [sys.executable, "-I", "-S", str(_CLIENT), sys.executable, str(address), *MODULES]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} -- "$@"\n')
        program.chmod(0o755)
        # TensorFlow's own log, as the modules set it; it is read once, when it is imported.
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(address))
            listener.listen(64)
            arguments = map(str, (listener.fileno(), os.getpid(), LIMIT_S))
            server = subprocess.Popen(
                [sys.executable, "-P", __file__, *arguments],
                env=quiet,
                pass_fds=[listener.fileno()],
            )
        yield program
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def warm_tensorflow(_warm_python: Path) -> Iterator[None]:
    """Start from a process that has TensorFlow what `sys.executable` is to run; see above."""
    pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(_warm_python))
        yield


def _serve(listener: socket.socket) -> NoReturn:
    """Fork for each caller, for ever; SIGTERM ends it."""
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # interrupts nothing, wakes `select`
    while True:
        ready, _, _ = select.select([listener], [], [], 1.0)
        _reap()
        if not ready:
            continue
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(caller)
        caller.close()


def _reap() -> None:
    """Take note of those that ended, so that their processor time counts as this process's."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                return
        except ChildProcessError:
            return


def _answer(caller: socket.socket) -> NoReturn:
    """Run what a caller wants in a copy of this process, and tell how it ended."""
    news, streams, _, _ = socket.recv_fds(caller, _NEWS_BYTES, 3)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    worker = os.fork()
    if worker == 0:
        caller.close()
        _run(json.loads(news), streams)
    for stream in streams:
        os.close(stream)
    end = os.pidfd_open(worker)
    ready, _, _ = select.select([end, caller.fileno()], [], [])
    if end not in ready:  # the caller has ended
        os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    if end in ready:
        caller.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(job: dict[str, object], streams: list[int]) -> NoReturn:
    """Become the process that the caller asked for."""
    arguments, folder, environment = job["arguments"], job["folder"], job["environment"]
    assert isinstance(arguments, list)
    assert isinstance(folder, str)
    assert isinstance(environment, dict)
    for wanted, stream in enumerate(streams):
        os.dup2(stream, wanted)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    limit_s = int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
    module, *rest = arguments
    sys.argv[:] = [module, *rest]
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    # Not by the interpreter's own ending: it would free, and so copy, all of TensorFlow's objects.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _main() -> NoReturn:
    end_with_parent(int(sys.argv[2]))
    for name in ("tensorflow", "keras", *MODULES):
        importlib.import_module(name)
    for name in MODULES:
        del sys.modules[name]  # they are run again
    gc.freeze()  # the copies' collector leaves alone, and so shared, what is there now
    _serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    _main()
