"""A process's start to its first prediction, and its largest memory, against a bare script.

The first opening of a model on an installation is next to the later ones, see `first_opening.py`.
"""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measure import CLIP, MOBILENET_V2, Row, interleaved, ratio

BARE = """
import sys
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
frame = cv2.VideoCapture(sys.argv[2]).read()[1]
size = tuple(int(side) for side in source["shape"][2:0:-1])
rgb = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
scale, zero_point = source["quantization"]
quantized = np.round((rgb / 127.5 - 1) / scale + zero_point).astype(source["dtype"])
interpreter.set_tensor(source["index"], quantized[None])
interpreter.invoke()
print(interpreter.get_tensor(sink["index"]).argmax(), flush=True)
"""
OURS = """
import sys
import edgeinfer.device

for prediction in edgeinfer.device.open(sys.argv[1], camera=sys.argv[2]):
    print(prediction.label, flush=True)
    break
"""
PEAK = """
import re
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""


def installed_environ() -> dict[str, str]:
    """Return the environment without what would have every process compile our sources again.

    An installed package has its compiled code next to it; an editable one writes it at first use,
    unless PYTHONDONTWRITEBYTECODE forbids it.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def start_s(command: list[str], cache: Path | None = None) -> float:
    """Return the time until a new process prints its first line.

    Args:
        command: what is started.
        cache: where it keeps which models it has opened; None takes the user's own.
    """
    environ = installed_environ()
    if cache is not None:
        environ["XDG_CACHE_HOME"] = str(cache)
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        elapsed = time.perf_counter() - start
        process.stdout.read()
    assert line, command
    assert process.returncode == 0, command
    return elapsed


def first_start_s(command: list[str]) -> float:
    """Return the same of an installation that has opened no model before."""
    with tempfile.TemporaryDirectory() as folder:
        return start_s(command, Path(folder))


def peak_mib(code: str, arguments: list[str]) -> float:
    """Return a script's largest resident memory."""
    command = [sys.executable, "-c", code + PEAK, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1]) / 1024


def rows(repeats: int = 11, model: Path = MOBILENET_V2, clip: Path = CLIP) -> list[Row]:
    """Return this benchmark's part of the table."""
    if not (model.is_file() and clip.is_file()):
        return []
    arguments = [str(model), str(clip)]
    program = [str(Path(sys.executable).parent / "edgeinfer"), "run", "--json", "--max-frames", "1"]
    commands = {
        "bare script": [sys.executable, "-c", BARE, *arguments],
        "three lines of Python": [sys.executable, "-c", OURS, *arguments],
        "edgeinfer run": [*program, "--model", arguments[0], "--camera", arguments[1]],
    }
    for command in commands.values():
        start_s(command)  # once before: files come into the cache, sources are compiled
    contenders = {name: functools.partial(start_s, c) for name, c in commands.items()}
    contenders["first opening"] = functools.partial(first_start_s, commands["edgeinfer run"])
    times = interleaved(contenders, repeats)
    bare, ours = (
        statistics.median(peak_mib(code, arguments) for _ in range(3)) for code in (BARE, OURS)
    )
    found = [
        Row(
            what=f"start to first prediction: {name}",
            figure=f"{1e3 * statistics.median(times[name]):.0f} ms",
            compared_with=f"bare script {1e3 * statistics.median(times['bare script']):.0f} ms",
            ratio=ratio(times[name], times["bare script"]),
            wanted="1.5 or less",
        )
        for name in list(commands)[1:]
    ]
    first, later = times["first opening"], times["edgeinfer run"]
    opening = Row(
        what="edgeinfer run, a model never opened here before",
        figure=f"{1e3 * statistics.median(first):.0f} ms",
        compared_with=f"opened before {1e3 * statistics.median(later):.0f} ms",
        ratio=ratio(first, later),
    )
    memory = Row(
        what="largest resident memory",
        figure=f"{ours:.0f} MiB",
        compared_with=f"bare script {bare:.0f} MiB",
        ratio=f"{ours - bare:+.0f} MiB",
        wanted="+40 MiB or less",
    )
    return [*found, opening, memory]
