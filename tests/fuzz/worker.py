"""A process that makes the attempts `run` asks for: see there.

`python -m tests.fuzz.worker TARGET SEED FIRST END PROGRESS FAULTS`: the number of the current
attempt is in the file PROGRESS, and each fault is a line of FAULTS.
"""

from __future__ import annotations

import json
import mmap
import signal
import sys
import traceback

from tests.fuzz.run import GO_ON, MOST_FAULTS, Target, load_target
from tests.support.peak_memory import peak_mib


class LimitError(Exception):
    """An attempt took too much."""


def main() -> int:
    """Make the attempts; return the exit code."""
    name, seed, first, end, progress, faults = sys.argv[1:]
    target = load_target(name)
    make = target.inputs(int(seed))
    signal.signal(signal.SIGPROF, lambda *_: _give_up(target))
    with open(progress, "r+b") as file, mmap.mmap(file.fileno(), 8) as counter:
        before_mib, found = peak_mib(), 0
        for number in range(int(first), int(end)):
            counter[:] = number.to_bytes(8, "little")
            trace = _attempt(target, make(number))
            grown_mib = peak_mib() - before_mib
            grown_too_much = grown_mib > target.memory_limit_mib
            if trace is None and grown_too_much:
                trace = f"took {grown_mib:,} MiB of memory"
            if trace is not None:
                with open(faults, "a") as stream:
                    stream.write(json.dumps((number, trace)) + "\n")
                found += 1
                if found == MOST_FAULTS or grown_too_much:
                    return GO_ON
    return 0


def _attempt(target: Target, data: bytes) -> str | None:
    """Return how an attempt failed; None for a good one."""
    signal.setitimer(signal.ITIMER_PROF, target.cpu_limit_s)
    try:
        target.attempt(data)
    except Exception:
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _give_up(target: Target) -> None:
    raise LimitError(f"an attempt took over {target.cpu_limit_s:.3g} s of processor time")


if __name__ == "__main__":
    sys.exit(main())
