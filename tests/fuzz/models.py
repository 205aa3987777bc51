"""Opens generated and mutated models as edgeinfer does, and counts the processes that they end.

    python -m tests.fuzz.models one-operator --attempts 200000
    python -m tests.fuzz.models mutated --attempts 20000

Each model that the tables let pass is tried in a separate process, by the code that the first
opening runs in its child, and only then opened and run, on other inputs, in another process, which
stands for the command's own: its death is a fault. Both are forks of processes that have imported
the runtime, since starting a Python for each would take days: the first of one that was started
with the C library's checks of the heap, as the child is, the second of one without.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.runtime import first_opening, first_opening_child
from edgeinfer.device.runtime.runner import Runner, RuntimeName, installed_runtimes, runtime_version
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.safety.operators import uncovered_operators
from tests.device.tflite_examples import dense_model, encode
from tests.fuzz import one_operator
from tests.fuzz.moved import moved_outside
from tests.fuzz.mutate import mutate
from tests.support.checkout import ROOT

_SHARED = ROOT.parent / "shared" / "data"
_LARGEST_SEED = 1 << 20
_WALL_S = 60.0


def one_operator_models(seed: int, first: int) -> Iterator[tuple[int, bytes]]:
    """Yield generated models of one operator, with their numbers."""
    number = first
    while True:
        yield number, one_operator.generate(Random(f"one operator {seed} {number}"))
        number += 1


def mutated_models(seed: int, first: int) -> Iterator[tuple[int, bytes]]:
    """Yield mutations of real models, with their numbers."""
    paths = sorted(_SHARED.rglob("*.tflite"))
    seeds = [path.read_bytes() for path in paths if path.stat().st_size <= _LARGEST_SEED]
    seeds.append(encode(dense_model()))
    number = first
    while True:
        random = Random(f"mutated {seed} {number}")
        model = random.choice(seeds)
        if random.random() < 0.3:
            model = moved_outside(model, random, faults=0.2)
        yield number, mutate_structure(model, random)
        number += 1


def mutate_structure(data: bytes, random: Random) -> bytes:
    """Return `data` with edits, most of them where the structure is and not the weights.

    The converters put weights before the tables or behind them: a random 32-bit number that is
    small is likely to be an offset, a length, a shape or an index.
    """
    if random.random() < 0.3:
        return mutate(data, random)
    changed = bytearray(data)
    view = np.frombuffer(data, "<i4", len(data) // 4)
    small = np.flatnonzero(np.abs(view) < 4096)
    for _ in range(random.randint(1, 6)):
        place = int(random.choice(small)) * 4 + random.randrange(4)
        changed[place] = random.choice((0, 1, 2, 3, 4, 9, 127, 128, 255, random.randrange(256)))
    return bytes(changed)


class TrialServer:
    """A process that tries models in separate forks, as the child of a first opening does.

    Args:
        runtime: which runtime.
    """

    def __init__(self, runtime: RuntimeName) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.fuzz.models", "serve", "--runtime", runtime],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **first_opening.heap_checks()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def try_model(self, content: bytes, job: dict[str, Any]) -> str:
        """Return how the trial of a model ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        header = json.dumps({**job, "size": len(content)}).encode() + b"\n"
        self._process.stdin.write(header + content)
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode().strip()
        assert answer, "the server ended"
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve() -> None:
    """Try the models that come on stdin, and answer how each ended."""
    while header := sys.stdin.buffer.readline():
        job = json.loads(header)
        content = sys.stdin.buffer.read(job["size"])
        # Bound by default arguments: the fork runs it immediately.
        end = _in_a_fork(
            lambda content=content, job=job: first_opening_child.try_model(content, job) is None  # type: ignore[misc]
        )
        print(end, flush=True)


def judge(content: bytes, runtime: RuntimeName, server: TrialServer) -> tuple[str, str]:
    """Return what became of a model, in a word, and a detail."""
    try:
        graph = read_tflite(content, subject="fuzzed")
        uncovered = uncovered_operators(graph)
    except EdgeinferError as error:
        return "refused by the tables", str(error)
    if uncovered:
        return "not covered", " ".join(uncovered)
    op = " ".join(sorted({step.op for step in graph.subgraphs[0].operators})[:1])
    needed = first_opening.needed_bytes(graph)
    if needed > 2**30:
        return "too large", op
    job: dict[str, Any] = {
        **first_opening.limits(graph),
        "subject": "fuzzed",
        "threads": 1,
        "runtime": runtime,
        "kernels": None,
    }
    end = server.try_model(content, job)
    if end != "well":
        return f"trial {end}", op
    end = _in_a_fork(lambda: _open_and_run(content, runtime))
    return ("runs", op) if end in ("well", "refused") else (f"MAIN {end}", op)


def _open_and_run(content: bytes, runtime: RuntimeName) -> bool:
    try:
        runner = Runner(content, subject="fuzzed", runtime=runtime)
        generator = np.random.default_rng(7)
        for _ in range(2):
            tensors = []
            for spec in runner.inputs:
                count = int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize
                raw = generator.bytes(count)
                dtype = np.dtype(spec.dtype)
                if dtype.kind == "b":
                    raw = bytes(byte & 1 for byte in raw)
                tensors.append(np.frombuffer(raw, dtype).reshape(spec.shape))
            runner.invoke(tensors)
        del runner
    except EdgeinferError:
        return False
    usage = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in usage.splitlines() if line.startswith("VmHWM"))
    if peak > 2**20:
        os._exit(9)
    return True


def _in_a_fork(act: Callable[[], bool]) -> str:
    pid = os.fork()
    if pid == 0:
        code = 5
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            signal.alarm(int(_WALL_S))
            code = 0 if act() else 3
        except MemoryError:
            code = 9
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return signal.Signals(-code).name
    return {0: "well", 3: "refused", 9: "took over 1 GiB"}.get(code, f"ended with {code}")


def main() -> int:
    """Run; return 1 where a main process died."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.models")
    parser.add_argument("kind", choices=["one-operator", "mutated", "serve"])
    parser.add_argument("--attempts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--runtime", choices=installed_runtimes())
    parser.add_argument("--show", default="MAIN", help="outcomes to list, by their beginning")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs of what is listed")
    options = parser.parse_args()
    runtime: RuntimeName = options.runtime or installed_runtimes()[0]
    runtime_version(runtime)
    if options.kind == "serve":
        serve()
        return 0
    server = TrialServer(runtime)
    make = one_operator_models if options.kind == "one-operator" else mutated_models
    outcomes: Counter[str] = Counter()
    slowest_s = 0.0
    for number, content in make(options.seed, options.first):
        if number >= options.first + options.attempts:
            break
        start = time.perf_counter()
        outcome, detail = judge(content, runtime, server)
        slowest_s = max(slowest_s, time.perf_counter() - start)
        outcomes[outcome] += 1
        if outcome.startswith((options.show, "MAIN")):
            print(f"{number}: {outcome}: {detail}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.kind}_{number}.tflite").write_bytes(content)
    server.close()
    for outcome, count in outcomes.most_common():
        print(f"{count:8} {outcome}")
    print(f"slowest {slowest_s:.1f} s")
    return int(any(outcome.startswith("MAIN") for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
