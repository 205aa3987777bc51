"""What a worker process costs a frame: the same model on the same kernels, here and in a worker.

    python -m tests.benchmarks.loop.worker_cost

The reference delegate claims nothing, so that the runtime computes as it does in process; what is
left is the way there and back: copies through shared memory, two messages, two wake-ups.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.diagnose.benchmark.subject import made_up_inputs
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.spec import delegate_spec
from edgeinfer.device.runtime.runner import Runner
from tests.benchmarks.measure import (
    MOBILENET_V1_SMALL,
    MOBILENET_V2,
    SAMPLE_BUNDLE,
    Row,
    interleaved,
    machine,
    ratio,
    seconds_per_call,
    table,
)
from tests.system.reference_delegate.build import build, c_compiler

CALLS = 300
"""Inferences in a turn; its median is the turn's figure."""


def measure(name: str, model: bytes, library: Path, *, repeats: int) -> Row:
    """Compare an inference through a worker with one in process, turn by turn."""
    here = Runner(model, subject=name)
    spec = delegate_spec(str(library), [("claim", "none")])
    with DelegateRunner(model, spec, subject=name) as worker:
        tensors = made_up_inputs(here.inputs)
        figures = interleaved(
            {
                "here": lambda: seconds_per_call(lambda: here.invoke(tensors), CALLS),
                "worker": lambda: seconds_per_call(lambda: worker.invoke(tensors), CALLS),
            },
            repeats,
        )
    extra_us = [
        1e6 * (there - here) for there, here in zip(figures["worker"], figures["here"], strict=True)
    ]
    size = sum(tensor.nbytes for tensor in tensors)
    return Row(
        what=f"a worker's cost a frame: {name}, {size:,} bytes in",
        figure=f"{statistics.median(extra_us):.0f} us ({min(extra_us):.0f} to {max(extra_us):.0f})",
        compared_with=f"in process {1e6 * statistics.median(figures['here']):.0f} us",
        ratio=ratio(figures["worker"], figures["here"]),
    )


def rows(repeats: int = 9) -> list[Row]:
    """Return this benchmark's part of the table."""
    compiler = c_compiler()
    if compiler is None:
        return []
    with open_bundle(SAMPLE_BUNDLE) as bundle:
        models: list[tuple[str, bytes]] = [("fashion-mnist", bundle.member("variants/cpu.tflite"))]
    models += [
        (path.stem, path.read_bytes())
        for path in (MOBILENET_V1_SMALL, MOBILENET_V2)
        if path.is_file()
    ]
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder) / "libreference_delegate.so", compiler)
        return [measure(name, model, library, repeats=repeats) for name, model in models]


def main(wanted: Sequence[Row]) -> None:
    """Print the rows and where they were measured."""
    print(f"{machine()}\n")
    print(table(wanted))


if __name__ == "__main__":
    main(rows())
