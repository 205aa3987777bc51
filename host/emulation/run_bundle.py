"""Test a bundle on an emulated board: `verify`, then the camera loop, as a board runs them."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.device.core.processes import signal_name
from edgeinfer.host.emulation.userland import EmulatedBoard, guest_environment

_STOPPED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals with which someone ends a program on purpose."""
_KEYS = ("detections", "areas")
"""Keys under which answers without a single label have their labels, see `to_json`."""


@dataclass(frozen=True, kw_only=True)
class EmulationResult:
    """The result.

    Attributes:
        board: the emulated board's name.
        system: its system's name.
        cpu: the emulated processor.
        emulator: with its version.
        runtime: the TFLite runtime with its version.
        verified: whether the golden vectors gave the expected outputs there.
        frames: how many were answered; None if the loop did not run.
        labels: how many answers had each label, or how many objects.
        exit_code: of the command that ended it, as on a board.
    """

    board: str
    system: str
    cpu: str
    emulator: str
    runtime: str
    verified: bool
    frames: int | None = None
    labels: Mapping[str, int] = field(default_factory=dict)
    exit_code: int = 0


def try_bundle(
    board: EmulatedBoard,
    bundle: Path,
    *,
    run_options: Sequence[str] | None,
    as_json: bool = False,
    waiting: Callable[[str], Any] = lambda text: None,
    starting: Callable[[], Any] = lambda: None,
) -> EmulationResult:
    """Run `verify`, and if it succeeds `run`; their output goes to this process's streams.

    Args:
        board: where.
        bundle: what.
        run_options: options of `edgeinfer run` without the model's; None to verify only.
        as_json: let both print JSON.
        waiting: called with what it waits for, and with "" when there is output to read.
        starting: called before the loop starts, which prints nothing for a few seconds.

    Raises:
        EmulationError: a program of the board crashed, which must not happen on a board.
    """
    result = functools.partial(
        EmulationResult,
        board=board.board.name,
        system=board.system.name,
        cpu=board.cpu,
        emulator=board.emulator.title,
        runtime=board.runtime,
    )
    json_option = ["--json"] if as_json else []
    waiting("verifying; emulated programs are slow")
    code = _run(board, ["verify", bundle, *json_option], before_output=lambda: waiting(""))
    if code or run_options is None:
        return result(verified=not code, exit_code=code)
    starting()
    with tempfile.TemporaryDirectory() as scratch:
        answers = Path(scratch, "answers.jsonl")
        outputs = ["--output", f"json:{answers}"]
        if not any(option.split("=")[0] == "--output" for option in run_options):
            outputs += ["--output", "json" if as_json else "terminal"]
        code = _run(board, ["run", "--model", bundle, *run_options, *outputs])
        frames, labels = read_answers(answers)
    return result(verified=True, frames=frames, labels=labels, exit_code=code)


def read_answers(path: Path) -> tuple[int, dict[str, int]]:
    """Return the number of answers in a file of JSON lines, and their labels, most frequent first.

    An unfinished line of a killed loop is ignored.
    """
    frames, labels = 0, Counter[str]()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0, {}
    for line in lines:
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if "summary" in answer:
            continue
        frames += 1
        labels.update(_labels(answer))
    return frames, dict(labels.most_common())


def _labels(answer: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(answer.get("label"), str):
        yield answer["label"]
        return
    for key in _KEYS:
        for thing in answer.get(key) or []:
            if isinstance(thing, dict) and isinstance(thing.get("label"), str):
                yield thing["label"]


def _run(
    board: EmulatedBoard,
    arguments: Sequence[object],
    before_output: Callable[[], Any] | None = None,
) -> int:
    """Run an edgeinfer command there and return its exit code.

    Args:
        board: where.
        arguments: the command's.
        before_output: if given, the command's output is kept until it ends, and this is
            called first.

    Raises:
        EmulationError: it was ended by a signal that nobody sent.
    """
    held = subprocess.PIPE if before_output else None
    with subprocess.Popen(
        board.command(*arguments),
        env=guest_environment(os.environ),
        stdout=held,
        stderr=held,
        text=True,
        errors="replace",
    ) as process:
        with _signals_for(process):
            stdout, stderr = process.communicate()
        if before_output:
            before_output()
            _pass_on(stdout, 1)
            _pass_on(stderr, 2)
    if process.returncode >= 0:
        return process.returncode
    number = -process.returncode
    if number in _STOPPED:
        return 128 + number
    raise EmulationError(
        f"{arguments[0]} on the emulated {board.board.name}",
        got=f"was ended by {signal_name(number)} in {board.emulator.title}",
        expected="a program that ends by itself",
        next_step="emulators have bugs that boards do not have: try a newer qemu, or another "
        "--system or --runtime",
    )


def _pass_on(text: str, descriptor: int) -> None:
    """Write the kept output to this process's stdout or stderr."""
    with open(descriptor, "w", encoding="utf-8", closefd=False) as stream:
        stream.write(text)


@contextmanager
def _signals_for(process: subprocess.Popen[str]) -> Iterator[None]:
    """Let signals end the program, not this process; the terminal itself sends it Ctrl-C."""

    def forward(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    # Functions, because the program would also ignore signals that are ignored here.
    handlers = {
        signal.SIGINT: lambda number, frame: None,
        signal.SIGTERM: forward,
        signal.SIGHUP: forward,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
