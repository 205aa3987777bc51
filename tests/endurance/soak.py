"""A long run of `edgeinfer run` with every fault on: what it holds at the start and at the end.

    python -m tests.endurance.soak MODEL LABELS [--minutes 60]

One loop: the shim's camera, the reference delegate in its worker, a wall clock that jumps, and four
outputs, one into a named pipe, two onto a disk of 4 MB. Every second or so a fault happens, chosen
by chance. Memory, open files and threads of the loop and of its worker are printed each minute.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.endurance.disk import small_disk
from tests.endurance.faults import DEADLINE_S, FAULTS, PIPE, TIMEOUT_S, Hands, start_reader
from tests.endurance.loop import WatchedLoop, run
from tests.system.clock_shim.build import build_clock
from tests.system.reference_delegate.build import build, c_compiler
from tests.system.v4l2_shim.build import shim_environment
from tests.system.v4l2_shim.steering import Steering

FPS = 30
LONGEST_FAULT_S = 120.0
PATIENCE_S = 10.0
"""A delegate that hangs in its first run is away for a minute; other faults happen meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the loop and its children hold: memory (MiB), open files, threads, processes."""

    loop_mib: float
    children_mib: float
    files: int
    threads: int
    processes: int


def held(process: int) -> Held:
    """Look at a process and those that it started."""
    family = [process]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue  # it has ended meanwhile
        if parent == process:
            family.append(int(stat.parent.name))
    resident_mib = dict.fromkeys(family, 0.0)
    threads = files = 0
    for number in family:
        try:
            status = Path(f"/proc/{number}/status").read_text()
            files += len(list(Path(f"/proc/{number}/fd").iterdir()))
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        resident_mib[number] = int(fields.get("VmRSS", "0").split()[0]) / 1024
        threads += int(fields["Threads"])
    loop_mib = resident_mib.pop(process)
    return Held(
        loop_mib=loop_mib,
        children_mib=sum(resident_mib.values()),
        files=files,
        threads=threads,
        processes=len(family),
    )


def told(minute: float, loop: WatchedLoop, now: Held, faults: int) -> str:
    """Return a line of the table."""
    return (
        f"{minute:6.1f} min {loop.answers:>9,} answers {faults:>6,} faults "
        f"{now.loop_mib:>8.1f} MiB + {now.children_mib:>6.1f} of the delegate's worker "
        f"{now.files:>4} files {now.threads:>3} threads "
        f"{now.processes} processes"
    )


def main() -> None:
    """Run it and print what was held."""
    parser = argparse.ArgumentParser(description="A long run with every fault on.")
    parser.add_argument("model", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    compiler = c_compiler()
    if compiler is None:
        parser.error("there is no C compiler, with which camera and delegate are built")
    with tempfile.TemporaryDirectory() as temporary, small_disk(Path(temporary)) as disk:
        folder = Path(temporary)
        control = folder / "delegate"
        control.write_text("")
        chance = random.Random(arguments.seed)
        camera = Steering(folder / "camera")
        hands = Hands(
            folder=disk, camera=camera, delegate=control, chance=chance, patience_s=PATIENCE_S
        )
        environment = shim_environment(folder, compiler)
        clock = build_clock(folder / "jumpclock.so", compiler)
        environment["LD_PRELOAD"] += f":{clock}"
        environment |= {**camera.environment, "FAKEV4L2_FPS": str(FPS)}
        start_reader(hands)
        command = run(
            *("--camera", "--camera-timeout", TIMEOUT_S),
            *("--model", arguments.model, "--labels", arguments.labels),
            *("--delegate", build(folder / "reference.so", compiler)),
            *("--delegate-option", f"control={control}", "--delegate-deadline", DEADLINE_S),
            *("--delegate-restarts", 10**6, "--log-format", "json"),
            *("--output", "json", "--output", f"json:{disk / PIPE}"),
            *("--output", f"csv:{disk / 'table.csv'}", "--output-max-mb", 1),
            *("--output", f"stills:{disk / 'stills'}", "--record-max-mb", 1),
            *("--record-keep-free-mb", 1),
        )
        loop = WatchedLoop(command, environment, folder / "stderr")
        try:
            ended = _soak(loop, hands, arguments.minutes)
        finally:
            loop.close()
            for reader in hands.readers:
                reader.kill()
        print(
            f"{'the loop ended' if ended else 'the loop was there to the end'}; {loop.stale} stale"
        )
        if ended:
            print(loop.last_words())


def _soak(loop: WatchedLoop, hands: Hands, minutes: float) -> bool:
    """Inject faults until the time is over; return whether the loop ended."""
    faults = [f for f in FAULTS if not f.clock and f.pixel_format == "YUYV"]
    injected: Counter[str] = Counter()
    longest_s = dict.fromkeys((fault.name for fault in faults), 0.0)
    if loop.recovery_s(0, LONGEST_FAULT_S) is None:
        return True
    began, told_at = time.monotonic(), 0.0
    while time.monotonic() - began < 60 * minutes:
        if time.monotonic() >= told_at:
            told_at = time.monotonic() + 60
            line = told((time.monotonic() - began) / 60, loop, held(loop.pid), injected.total())
            print(line, flush=True)
        time.sleep(hands.chance.uniform(0.2, 1.5))
        fault = hands.chance.choice(faults)
        try:
            since = fault.inject(hands)
        except TimeoutError:
            continue  # the delegate is away
        injected[fault.name] += 1
        recovery_s = loop.recovery_s(since, LONGEST_FAULT_S)
        if recovery_s is None:
            return True
        longest_s[fault.name] = max(longest_s[fault.name], recovery_s)
    time.sleep(30)  # everything has come back by then
    print(told((time.monotonic() - began) / 60, loop, held(loop.pid), injected.total()))
    for fault in faults:
        print(f"{fault.name:20}{injected[fault.name]:>6}, worst {longest_s[fault.name]:6.2f} s")
    return False


if __name__ == "__main__":
    main()
