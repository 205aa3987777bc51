"""The faults of cameras, delegates, outputs and clocks: how each begins and ends."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.v4l2_shim.steering import Steering

TIMEOUT_S = 1.0
"""How long the cameras of the table may be silent. The default, 5 s, would only take longer."""

DEADLINE_S = 0.5
"""How long the delegates of the table may take for a run."""

PIPE = "pipe"

LOAD_LIMIT_S = 10.0
"""How long they may take to load and run for the first time; they may also have a fault in it."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What faults are made with.

    Attributes:
        folder: where outputs write, on a separate file system.
        camera: steers the shim's camera.
        delegate: the reference delegate's control file.
        chance: decides how long a fault lasts.
        patience_s: how long a fault waits for a delegate to show it.
        readers: who reads the named pipe.
    """

    folder: Path
    camera: Steering
    delegate: Path
    chance: random.Random
    patience_s: float = 60.0
    readers: list[subprocess.Popen[bytes]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault.

    Attributes:
        name: as in the table.
        inject: begins and ends it; returns when a sound loop has what it needs again, by
            `time.monotonic`.
        pixel_format: what the camera sends.
        delegate: whether a delegate answers.
        output: the output with the fault, below the folder, with PIPE for a named pipe; then the
            loop is `edgeinfer run` itself, on a simulated camera.
        clock: whether the wall clock jumps all the time.
    """

    name: str
    inject: Callable[[Hands], float]
    pixel_format: str = "YUYV"
    delegate: bool = False
    output: str = ""
    clock: bool = False


def _camera(name: str, shortest_s: float, longest_s: float) -> Callable[[Hands], float]:
    def inject(hands: Hands) -> float:
        hands.camera.fault(name)
        time.sleep(hands.chance.uniform(shortest_s, longest_s))
        hands.camera.heal()
        return time.monotonic()

    return inject


def _unplug(hands: Hands) -> float:
    hands.camera.unplug()
    time.sleep(hands.chance.uniform(0.05, 1.5))
    # It may come back under another number.
    hands.camera.plug(hands.chance.choice(["/dev/video0", "/dev/video2", "/dev/video4"]))
    return time.monotonic()


def _delegate(*names: str) -> Callable[[Hands], float]:
    def inject(hands: Hands) -> float:
        for name in names:
            hands.delegate.write_text(name)
            deadline = time.monotonic() + hands.patience_s
            while hands.delegate.stat().st_size:  # the delegate empties it when the fault happens
                if time.monotonic() > deadline:
                    hands.delegate.write_text("")
                    raise TimeoutError(f"the delegate has not taken '{name}'")
                time.sleep(0.005)
        return time.monotonic()

    return inject


def _reader_dies(hands: Hands) -> float:
    for reader in hands.readers:
        reader.kill()
        reader.wait()
    died_at = time.monotonic()
    time.sleep(hands.chance.uniform(0.0, 0.5))
    start_reader(hands)
    return died_at


def start_reader(hands: Hands) -> None:
    """Let someone read the named pipe, which is made where there is none."""
    pipe = hands.folder / PIPE
    if not pipe.exists():
        os.mkfifo(pipe)
    command = ["cat", str(pipe)]
    hands.readers[:] = [subprocess.Popen(command, stdout=subprocess.DEVNULL)]


def _disk_fills(hands: Hands) -> float:
    filler = hands.folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(bytes(1 << 16)):
            pass
    full_at = time.monotonic()
    time.sleep(hands.chance.uniform(0.2, 1.0))
    filler.unlink()
    return full_at


def _clock_jumps(hands: Hands) -> float:
    time.sleep(hands.chance.uniform(0.15, 0.3))  # every 150 ms, see jumpclock.c
    return time.monotonic()


FAULTS = (
    Fault(name="unplug", inject=_unplug),
    Fault(name="freeze, silent", inject=_camera("silent", 1.1 * TIMEOUT_S, 2 * TIMEOUT_S)),
    Fault(name="freeze, old buffer", inject=_camera("repeat", 0.1, 2 * TIMEOUT_S)),
    Fault(name="hang in the driver", inject=_camera("hang", TIMEOUT_S, 3 * TIMEOUT_S)),
    Fault(name="truncated JPEG", inject=_camera("cut", 0.1, 1.5), pixel_format="MJPG"),
    Fault(name="wrong shape", inject=_camera("size", 0.1, 1.0)),
    Fault(name="short buffer", inject=_camera("short", 0.1, 1.0)),
    Fault(name="EIO", inject=_camera("eio", 0.05, 1.0)),
    Fault(name="delegate hangs", inject=_delegate("hang"), delegate=True),
    Fault(name="delegate crashes", inject=_delegate("crash"), delegate=True),
    Fault(name="crash at load", inject=_delegate("crash", "crash-load"), delegate=True),
    Fault(name="delegate fails", inject=_delegate("error"), delegate=True),
    Fault(name="output dies", inject=_reader_dies, output=f"json:{PIPE}"),
    Fault(name="full disk", inject=_disk_fills, output="csv:table.csv"),
    Fault(name="clock jumps", inject=_clock_jumps, clock=True),
)
