"""Processor time of the decoder of a YOLO, compared with an invoke of a classifier."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import CandidateSpec, Decoder
from edgeinfer.device.tasks.task import Said
from tests.benchmarks.measure import MOBILENET_V2, Row, interleaved, ratio
from tests.benchmarks.peers import open_interpreter

CLASSES, CANDIDATES = 80, 8400
SIZE = (640, 640)
SOME, ALL = 250, CANDIDATES
"""Candidates above the threshold: of a street with some thirty objects, and the worst case."""

Layout = Literal["channels-first", "channels-last"]


def candidates(above: int, layout: Layout) -> NDArray[np.float32]:
    """Return a model's output of which `above` candidates score 0.3 or more, the others less."""
    random = np.random.default_rng(0)
    values = random.random((1, 4 + CLASSES, CANDIDATES), np.float32)
    values[0, 2:4] *= 0.3
    values[0, 4:] *= 0.2
    surest = random.choice(CANDIDATES, above, replace=False)
    classes = random.integers(0, CLASSES, above)
    values[0, 4 + classes, surest] = 0.3 + 0.7 * random.random(above, np.float32)
    return values if layout == "channels-first" else values.swapaxes(1, 2).copy()


def decoder(above: int, layout: Layout) -> Callable[[], object]:
    """Return what decodes such an output once."""
    values = candidates(above, layout)
    spec = CandidateSpec(classes=CLASSES, layout=layout, unit="either")
    labels = tuple(map(str, range(CLASSES)))
    decode = make_decode(
        "detection",
        Said(labels=labels, decoder=Decoder(candidates=spec)),
        [TensorSpec(name="output0", shape=values.shape, dtype="float32")],
        PreprocessSpec(size=SIZE, crop="letterbox"),
    )
    return lambda: decode([values])


def measure(path: Path, above: int, layout: Layout, *, calls: int, repeats: int) -> Row:
    """Compare the decoder's processor time with an invoke's, one thread, in turns."""
    interpreter = open_interpreter(path.read_bytes())
    decode = decoder(above, layout)
    spent = interleaved(
        {
            "decoder": lambda: _spent_s(decode, calls),
            "invoke": lambda: _spent_s(interpreter.invoke, calls),
        },
        repeats,
    )
    return Row(
        what=f"decoder: {CANDIDATES:,} candidates of {CLASSES} classes, {layout}, {above:,} above "
        "the threshold",
        figure=f"{1e3 * statistics.median(spent['decoder']):.2f} ms",
        compared_with=f"invoke of {path.stem} {1e3 * statistics.median(spent['invoke']):.2f} ms",
        ratio=ratio(spent["decoder"], spent["invoke"]),
        wanted="1 or less",
    )


def _spent_s(step: Callable[[], object], calls: int) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    for _ in range(calls):
        step()
    return (time.process_time() - start) / calls


def rows(repeats: int = 9, calls: int = 40) -> list[Row]:
    """Return this benchmark's part of the table."""
    if not MOBILENET_V2.is_file():
        return []
    layouts: tuple[Layout, ...] = ("channels-first", "channels-last")
    return [
        measure(MOBILENET_V2, above, layout, calls=calls, repeats=repeats)
        for above in (SOME, ALL)
        for layout in layouts
    ]
