"""The process that opens a model before any other does, and may crash.

`first_opening.py` starts it, as
`python -m edgeinfer.device.runtime.first_opening_child DESCRIPTOR PARENT JOB`, and judges how it
ends: with 0, with 3 and a line of JSON on stdout where the runtime refused the model, or any other
way. It says "builtin" with the 0 where XNNPACK refused the model and the built-in kernels ran it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from edgeinfer.device.core.processes import end_with_parent

_REFUSED = 3
_NEXT_STEP = "fetch or convert the model again"
_LONG_S = 0.5
"""A model that takes longer is run once; others on more inputs."""


def main() -> None:
    """Open the model, run it, end."""
    end_with_parent(int(sys.argv[2]))
    # A crash is expected here; its memory on a small card helps nobody.
    _set_limit(resource.RLIMIT_CORE, 0, 0)
    job = json.loads(sys.argv[3])
    # Through its name, which gives a separate position.
    with open(f"/proc/self/fd/{sys.argv[1]}", "rb") as stream:
        content = stream.read()
    os.close(int(sys.argv[1]))
    refusal = try_model(content, job)
    if refusal is not None and "by_xnnpack" in refusal and job["kernels"] is None:
        # What the built-in kernels say tells more, where they refuse it too.
        refusal = try_model(content, {**job, "kernels": "builtin"})
        if refusal is None:
            print("builtin", flush=True)
    if refusal is not None:
        print(json.dumps(refusal), flush=True)
    # Not through the libraries' own endings, some of which crash.
    os._exit(0 if refusal is None else _REFUSED)


def try_model(content: bytes, job: dict[str, Any]) -> dict[str, str] | None:
    """Open and run a model within the job's limits; return why it was refused, or None."""
    from edgeinfer.device.core.errors import ModelError
    from edgeinfer.device.runtime.runner import Runner, runtime_version, xnnpack_refuses

    runtime_version(job["runtime"])  # imported before the limits count
    _limit(job["most_bytes"], job["most_cpu_s"])
    try:
        runner = Runner(
            content,
            subject=job["subject"],
            threads=job["threads"],
            runtime=job["runtime"],
            kernels=job["kernels"],
        )
        _run(runner)
        del runner  # freeing its memory is where overruns are found
    except ModelError as error:
        return error.to_dict() | ({"by_xnnpack": "yes"} if xnnpack_refuses(error) else {})
    except MemoryError:
        limit = f"{job['most_bytes'] / 2**20:,.0f} MiB"
        return {
            "got": f"takes more memory than its tensors say (more than {limit})",
            "next_step": _NEXT_STEP,
        }
    return None


def _limit(most_bytes: int, most_cpu_s: int) -> None:
    """Limit what this process takes from here on."""
    with open("/proc/self/status") as stream:
        data = next(line for line in stream if line.startswith("VmData:"))
    most = int(data.split()[1]) * 1024 + most_bytes
    _set_limit(resource.RLIMIT_DATA, most, most)
    used = int(time.process_time()) + 1
    _set_limit(resource.RLIMIT_CPU, used + most_cpu_s, used + most_cpu_s + 5)


def _set_limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit where this process may; a service that may not has its own limits."""
    with contextlib.suppress(OSError, OverflowError, ValueError):
        resource.setrlimit(kind, (soft, hard))


def _run(runner: Any) -> None:
    """Run the model on zeros, and a quick one on the ends of the range and on noise too.

    Raises:
        ModelError: it failed on all of them. One input may be wrong for a model, not every one; and
            a runtime that gets no memory says no more than that it failed.
    """
    from edgeinfer.device.core.errors import ModelError

    failure: ModelError | None = None
    ran = False
    for tensors in _inputs(runner.inputs):
        start = time.monotonic()
        try:
            runner.invoke(tensors)
            ran = True
        except ModelError as error:
            failure = error
        if ran and time.monotonic() - start > _LONG_S:
            break
    if failure is not None and not ran:
        raise ModelError("", got=f"cannot be run: {failure.got}", next_step=_NEXT_STEP) from failure


def _inputs(specs: Sequence[Any]) -> Iterator[list[Any]]:
    import numpy as np

    yield [np.zeros(spec.shape, spec.dtype) for spec in specs]
    generator = np.random.default_rng(0)
    lowest, highest, noise = [], [], []
    for spec in specs:
        dtype = np.dtype(spec.dtype)
        if dtype.kind in "iu":
            bounds = np.iinfo(dtype)
            low, high = int(bounds.min), int(bounds.max)
            noise.append(generator.integers(low, high, spec.shape, dtype, endpoint=True))
        else:
            low, high = (0, 1) if dtype.kind == "b" else (-256, 256)
            noise.append(generator.normal(0, 1, spec.shape).astype(dtype))
        lowest.append(np.full(spec.shape, low, dtype))
        highest.append(np.full(spec.shape, high, dtype))
    yield lowest
    yield highest
    yield noise


if __name__ == "__main__":
    main()
