"""The worker process: loads one delegate with one model, and runs it when told.

    python -m edgeinfer.device.runtime.delegates.worker.main DESCRIPTOR PARENT

It is started by `process.WorkerProcess` and by nobody else. Whatever the delegate does to it, the
program that reads the camera lives on; and it ends with that program, however that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import sys
from dataclasses import asdict
from typing import Any

from edgeinfer.device.core.processes import end_with_parent


def main() -> None:
    """Serve the supervisor at the other end of the socket until it closes it."""
    # First of all, as the delegate may hang in a way that leaves no Python to notice.
    end_with_parent(int(sys.argv[2]))
    # Ctrl-C and systemd's stop reach every process of a service: the supervisor decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A crash is expected here; its memory on a small card helps nobody.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    supervisor = socket.socket(fileno=int(sys.argv[1]))
    with supervisor, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        _serve(supervisor)
    sys.stdout.flush()
    # Not through the libraries' own endings, some of which crash.
    os._exit(0)


def _serve(supervisor: socket.socket) -> None:
    from edgeinfer.device.runtime.delegates.worker.messages import JOB, MAX_MESSAGE, READY, REFUSED

    message, descriptors, _, _ = socket.recv_fds(supervisor, MAX_MESSAGE, 1)
    if message[:1] != JOB:
        return
    job = json.loads(message[1:])
    try:
        loaded, runner = _load(supervisor, job, descriptors)
    except Exception as error:
        # Whatever it is: the supervisor turns it into a sentence.
        text = str(getattr(error, "got", error))
        refusal = {"kind": type(error).__name__, "text": text[:8000]}
        supervisor.send(REFUSED + json.dumps(refusal).encode())
        return
    supervisor.send(READY + json.dumps(loaded).encode())
    if runner is not None:
        _run(supervisor, runner)


def _load(
    supervisor: socket.socket, job: dict[str, Any], descriptors: list[int]
) -> tuple[dict[str, Any], Any]:
    """Load the delegate and the model, naming each step before it: the last one named crashed."""
    from edgeinfer.device.runtime.delegates.worker.messages import STAGE

    supervisor.send(STAGE + b"runtime")
    from edgeinfer.device.runtime.runner import Runner, load_delegate, runtime_version

    version = runtime_version(job["runtime"])
    supervisor.send(STAGE + b"delegate " + version.encode())
    delegate = load_delegate(job["runtime"], job["library"], dict(job["options"]))
    if not descriptors:
        return {"version": version}, None
    # Through its name, which gives a separate position: the supervisor's other workers read it too.
    with open(f"/proc/self/fd/{descriptors[0]}", "rb") as stream:
        model = stream.read()
    os.close(descriptors[0])
    supervisor.send(STAGE + b"model " + version.encode())
    runner = Runner(
        model,
        subject=job["subject"],
        threads=job["threads"],
        runtime=job["runtime"],
        delegate=delegate,
    )
    loaded = {
        "version": version,
        "kernels": runner.kernels,
        "inputs": [asdict(spec) for spec in runner.inputs],
        "outputs": [asdict(spec) for spec in runner.outputs],
    }
    return loaded, runner


def _run(supervisor: socket.socket, runner: Any) -> None:
    """Run the model on what is in the shared memory, and leave the outputs there."""
    import numpy as np

    from edgeinfer.device.runtime.delegates.worker.messages import (
        DONE,
        FAILED,
        MAX_MESSAGE,
        MEMORY,
        RUN,
        number_of,
        numbered,
    )
    from edgeinfer.device.runtime.delegates.worker.shared_tensors import map_tensors

    message, descriptors, _, _ = socket.recv_fds(supervisor, MAX_MESSAGE, 1)
    if message[:1] != MEMORY:
        return
    tensors = map_tensors(descriptors[0], [*runner.inputs, *runner.outputs])
    os.close(descriptors[0])
    inputs, outputs = tensors[: len(runner.inputs)], tensors[len(runner.inputs) :]
    # What the delegate says from here on has no reader, and a month of it would fill the memory.
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    os.close(devnull)
    while True:
        message = supervisor.recv(MAX_MESSAGE)
        number = number_of(message)
        if message[:1] != RUN or number is None:
            return
        try:
            for shared, output in zip(outputs, runner.invoke(inputs), strict=True):
                np.copyto(shared, output)
        except Exception as error:
            # The runtime's, or an output whose size changed: the supervisor ends this process.
            supervisor.send(numbered(FAILED, number, str(getattr(error, "got", error))))
        else:
            supervisor.send(numbered(DONE, number))


if __name__ == "__main__":
    main()
