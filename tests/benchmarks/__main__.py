"""All comparisons as one table.

    python -m tests.benchmarks [--only NAME ...]

It takes about ten minutes; `--only distillation` takes hours, and runs only where it is named.
Ratios are medians of interleaved repeats with the smallest and the largest; models, clips and
photographs are those of ../shared/data, and what is not there is left out.
EDGEINFER_MEDIAPIPE_PYTHON names the Python of an environment with mediapipe, EDGEINFER_TEACHER a
run of `edgeinfer train` to distil from, EDGEINFER_DETECTOR a detector's bundle.
"""

from __future__ import annotations

import argparse
import sys

from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess.native_library import load_kernels
from tests.benchmarks import (
    cold_start,
    decoding,
    detectors,
    import_time,
    kernel,
    mjpeg,
)
from tests.benchmarks.loop import endurance, followed, frame_cost, loop_rate, worker_cost
from tests.benchmarks.measure import SAMPLE_BUNDLE, machine, table
from tests.benchmarks.training import distillation
from tests.benchmarks.training import input as training_input

BENCHMARKS = {
    "loop": loop_rate.rows,
    "cost": frame_cost.rows,
    "followed": followed.rows,
    "kernel": kernel.rows,
    "decoding": decoding.rows,
    "detectors": detectors.rows,
    "mjpeg": mjpeg.rows,
    "start": cold_start.rows,
    "import": import_time.rows,
    "endurance": endurance.rows,
    "worker": worker_cost.rows,
    "training": training_input.rows,
}

LONG = {"distillation": distillation.rows}
"""Those that train for hours."""


def main() -> None:
    """Print the table."""
    known = BENCHMARKS | LONG
    parser = argparse.ArgumentParser(description="edgeinfer compared with what others do.")
    parser.add_argument("--only", nargs="+", choices=sorted(known), default=list(BENCHMARKS))
    rows = []
    for name in parser.parse_args().only:
        print(f"{name} ...", file=sys.stderr)
        rows += known[name]()
    kernels = load_kernels()
    with Model.open(SAMPLE_BUNDLE) as sample:
        runtime = sample.runner.description
    print(f"{machine()}; {runtime}, {kernels.instruction_set if kernels else 'numpy'} kernels\n")
    print(table(rows))


if __name__ == "__main__":
    main()
