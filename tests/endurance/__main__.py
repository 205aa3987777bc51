"""The fault table: each fault many times at random moments, and what became of the loop.

    python -m tests.endurance MODEL LABELS [--times 200] [--only NAME ...]

MODEL is a `.tflite` classifier, LABELS its labels. The camera is the V4L2 shim, the delegate the
reference delegate, both built here; everything else is what runs on a board. All faults run side by
side, each in its own loop.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tests.endurance.disk import small_disk
from tests.endurance.faults import (
    DEADLINE_S,
    FAULTS,
    LOAD_LIMIT_S,
    PIPE,
    TIMEOUT_S,
    Fault,
    Hands,
    start_reader,
)
from tests.endurance.loop import WatchedLoop, run, watched
from tests.system.clock_shim.build import build_clock
from tests.system.reference_delegate.build import build, c_compiler
from tests.system.v4l2_shim.build import shim_environment
from tests.system.v4l2_shim.steering import Steering

FPS = 15
RECOVERY_LIMIT_S = 60.0


@dataclass(kw_only=True)
class Result:
    """What a fault's injections gave.

    Attributes:
        injected: how often it was.
        recoveries_s: how long each recovery took.
        ended: loops that ended, or did not answer again within the limit.
        stale: answers to pictures that were not new.
        answers: all answers.
        words: the last that a loop that ended said.
    """

    injected: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    ended: int = 0
    stale: int = 0
    answers: int = 0
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What was built for the table."""

    model: Path
    labels: Path
    camera: dict[str, str]
    delegate: Path
    clock: Path


def inject(fault: Fault, times: int, tools: Tools) -> Result:
    """Inject one fault again and again; a loop that ends is started again."""
    result = Result()
    chance = random.Random(fault.name)
    while result.injected < times:
        with tempfile.TemporaryDirectory() as temporary, small_disk(Path(temporary)) as disk:
            control = Path(temporary, "delegate")
            control.write_text("")
            camera = Steering(Path(temporary, "camera"))
            hands = Hands(folder=disk, camera=camera, delegate=control, chance=chance)
            loop = start(fault, tools, hands, Path(temporary, "stderr"))
            try:
                _inject(fault, times, loop, hands, result)
            finally:
                loop.close()
                for reader in hands.readers:
                    reader.kill()
                    reader.wait()
                result.stale += loop.stale
                result.answers += loop.answers
    return result


def start(fault: Fault, tools: Tools, hands: Hands, log: Path) -> WatchedLoop:
    """Start the loop that a fault is for."""
    if fault.output or fault.clock:
        shown = f"simulated:{tools.model.parent}"
        arguments = ["--model", tools.model, "--labels", tools.labels]
        arguments += ["--camera", shown, "--fps", FPS]
        if fault.output:
            kind, name = fault.output.split(":")
            if name == PIPE:
                start_reader(hands)
            arguments += ["--output", "json", "--output", f"{kind}:{hands.folder / name}"]
        return WatchedLoop(
            run(*arguments), {"LD_PRELOAD": str(tools.clock)} if fault.clock else {}, log
        )
    job = {
        "model": str(tools.model),
        "labels": str(tools.labels),
        "delegate": str(tools.delegate) if fault.delegate else None,
        "control": str(hands.delegate),
        "deadline_s": DEADLINE_S,
        "load_limit_s": LOAD_LIMIT_S,
        "timeout_s": TIMEOUT_S,
    }
    sends = {"FAKEV4L2_FORMATS": fault.pixel_format, "FAKEV4L2_FPS": str(FPS)}
    return WatchedLoop(watched(job), {**tools.camera, **hands.camera.environment, **sends}, log)


def _inject(fault: Fault, times: int, loop: WatchedLoop, hands: Hands, result: Result) -> None:
    """Inject until it was enough or the loop ends."""
    if loop.recovery_s(0, RECOVERY_LIMIT_S) is None:
        raise RuntimeError(f"{fault.name}: the loop never began\n{loop.last_words()}")
    while result.injected < times:
        time.sleep(hands.chance.uniform(0.05, 0.4))
        result.injected += 1
        recovery_s = loop.recovery_s(fault.inject(hands), RECOVERY_LIMIT_S)
        if recovery_s is None:
            result.ended += 1
            result.words = loop.last_words() or "\n".join(loop.warnings[-5:])
            return
        result.recoveries_s.append(recovery_s)


HEADER = (
    f"{'fault':20}{'injected':>9}{'ended':>7}{'stale':>7}{'answers':>9}"
    f"{'median s':>10}{'worst s':>9}"
)


def row(name: str, result: Result) -> str:
    """Return a result as a line of the table, and the last words of a loop that ended."""
    times = result.recoveries_s or [float("nan")]
    line = (
        f"{name:20}{result.injected:>9,}{result.ended:>7}{result.stale:>7}{result.answers:>9,}"
        f"{statistics.median(times):>10.2f}{max(times):>9.2f}"
    )
    return "\n".join([line, result.words]) if result.words else line


def fault_table(
    faults: Sequence[Fault], times: int, model: Path, labels: Path, compiler: Sequence[str]
) -> Iterator[tuple[str, Result]]:
    """Inject faults side by side, each in its own loop; yield what each gave."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tools = Tools(
            model=model,
            labels=labels,
            camera=shim_environment(folder, compiler),
            delegate=build(folder / "reference.so", list(compiler)),
            clock=build_clock(folder / "jumpclock.so", compiler),
        )
        with ThreadPoolExecutor(len(faults)) as pool:
            work = {pool.submit(inject, fault, times, tools): fault.name for fault in faults}
            for future in as_completed(work):
                yield work[future], future.result()


def main() -> None:
    """Print the table."""
    names = [fault.name for fault in FAULTS]
    parser = argparse.ArgumentParser(description="Each fault many times, at random moments.")
    parser.add_argument("model", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    arguments = parser.parse_args()
    compiler = c_compiler()
    if compiler is None:
        parser.error("there is no C compiler, with which camera and delegate are built")
    chosen = [fault for fault in FAULTS if fault.name in arguments.only]
    print(f"{arguments.times} times each, a camera of {FPS} frames a second")
    print(HEADER, flush=True)
    for name, result in fault_table(
        chosen, arguments.times, arguments.model, arguments.labels, compiler
    ):
        print(row(name, result), flush=True)


if __name__ == "__main__":
    main()
