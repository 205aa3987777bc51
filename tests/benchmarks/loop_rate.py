"""How near the camera loop comes to the bare interpreter.

    python -m tests.benchmarks.loop_rate [--seconds S] [--repeats N]

For each model and source three rates are taken, one thread each, in turn and several times over,
so that whatever else the machine does falls on all three:

    bare    invocations per second of the runtime's interpreter, its input set once, nothing else
    source  frames per second that the source delivers when nobody looks at them
    loop    frames per second that the real loop answers: capture, preprocessing, inference,
            decoding; each frame counts once

The loop can be no faster than the slower of the other two. The ratios are medians of the repeats'
own, with the smallest and the largest; beside the first stands the ratio of the two best rates,
which a machine that is busy with other work disturbs least.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edgeinfer.device.bundle.reader import open_bundle
from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.opening import open_camera
from edgeinfer.device.loop import run_loop
from edgeinfer.device.model import Model
from tests.conftest import ROOT

SHARED_DATA = Path(os.environ.get("EDGEINFER_SHARED_DATA", ROOT.parent / "shared" / "data"))
BUNDLE = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
THIRD_PARTY = SHARED_DATA / "coral" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
SIMULATED = "simulated"
UNLIMITED_FPS = 1e6
"""Above what any machine composes: the simulated camera then never waits."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Rates of one repeat, per second."""

    bare: float
    source: float
    loop: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A model on a source."""

    model: str
    source: str
    repeats: tuple[Rates, ...]

    def cells(self) -> tuple[str, ...]:
        """Return the table's cells: medians, and ratios with their spread."""

        def rate(of: Callable[[Rates], float]) -> str:
            return f"{statistics.median(map(of, self.repeats)):,.0f}"

        def ratio(of: Callable[[Rates], float]) -> str:
            ratios = [r.loop / of(r) for r in self.repeats]
            return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"

        return (
            self.model,
            self.source,
            rate(lambda r: r.bare),
            rate(lambda r: r.source),
            rate(lambda r: r.loop),
            ratio(lambda r: r.bare),
            f"{max(r.loop for r in self.repeats) / max(r.bare for r in self.repeats):.2f}",
            ratio(lambda r: min(r.bare, r.source)),
        )


HEADER = (
    *("model", "source", "bare/s", "source/s", "loop/s"),
    *("loop : bare", "best : best", "loop : slower of both"),
)


def measure(model_path: Path, source: str, *, seconds: float, repeats: int) -> Row:
    """Measure one model on one source.

    Args:
        model_path: a bundle or a `.tflite`.
        source: a video file, or `simulated`: the sample bundle's pictures moving past.
        seconds: how long each rate of a repeat is taken.
        repeats: how often.
    """
    with Model.open(BUNDLE) as sample, Model.open(model_path) as model:

        def opened() -> Camera:
            return open_camera(source, pictures=sample.golden_frames, fps=UNLIMITED_FPS)

        invoke = bare_interpreter(model_path, model)
        rates = []
        for _ in range(repeats):
            bare = rate_of(invoke, seconds)
            with opened() as camera:
                alone = rate_of(partial(_read, camera), seconds)
            with opened() as camera:
                summary = run_loop(camera, model, [], max_seconds=seconds)
            rates.append(Rates(bare=bare, source=alone, loop=summary.fps))
    name = source if source == SIMULATED else Path(source).name
    return Row(model=model_path.stem, source=name, repeats=tuple(rates))


def _read(camera: Camera) -> bool:
    return camera.read() is not None


def bare_interpreter(path: Path, model: Model) -> Callable[[], bool]:
    """Return what invokes an interpreter of the runtime that `model` uses, and nothing more."""
    if path.suffix == ".tflite":
        content = path.read_bytes()
    else:
        with open_bundle(path) as bundle:
            content = bundle.member(bundle.manifest.variants["cpu"].file)
    module = importlib.import_module(f"{model.runner.runtime.replace('-', '_')}.interpreter")
    interpreter = module.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (detail,) = interpreter.get_input_details()
    random = np.random.default_rng(0).integers(0, 256, detail["shape"])
    interpreter.set_tensor(detail["index"], random.astype(detail["dtype"]))

    def invoke() -> bool:
        interpreter.invoke()
        return True

    return invoke


def rate_of(step: Callable[[], bool], seconds: float) -> float:
    """Return how often a second `step` succeeds, over that time or until it returns False."""
    count, start = 0, time.perf_counter()
    while step():
        count += 1
        if time.perf_counter() - start >= seconds:
            break
    return count / (time.perf_counter() - start)


def pairs() -> Iterator[tuple[Path, str]]:
    """Yield the models and sources that are here."""
    clips = sorted(map(str, (SHARED_DATA / "video").glob("*.mp4")))
    for model in (BUNDLE, THIRD_PARTY):
        if model.is_file():
            yield from ((model, source) for source in (SIMULATED, *clips))


def machine() -> str:
    """Name the machine and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (
        f"{platform.machine()}, {names[0] if names else 'processor not named'}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {platform.platform(terse=True)}, "
        f"Python {platform.python_version()}"
    )


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table with aligned columns."""
    cells = [HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The camera loop against the bare interpreter.")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each rate of a repeat")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    rows = []
    for model, source in pairs():
        print(f"{model.name} on {source} ...", file=sys.stderr)
        rows.append(measure(model, source, seconds=options.seconds, repeats=options.repeats))
    with Model.open(BUNDLE) as sample:
        kernels = "native" if sample.preprocessor.is_native else "numpy"
        runtime = sample.runner.description
    print(machine())
    print(
        f"{runtime}, 1 thread, {kernels} preprocessing; medians of {options.repeats} interleaved "
        f"repeats of {options.seconds:g} s, ratios with smallest and largest\n"
    )
    print(table(rows))


if __name__ == "__main__":
    main()
