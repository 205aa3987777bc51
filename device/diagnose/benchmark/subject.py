"""What is measured: a model that takes frames, or any other that a runtime runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import is_bundle, read_model_file
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.diagnose.benchmark.report import StageTimes, percentiles
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.open_runner import open_plain
from edgeinfer.device.models.plain_content import plain_content
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.preprocess.jpeg_reduction import decode_for
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tflite.reader import read_tflite

_WARM_UP = 3
"""Runs that are not counted: caches and the runtime's memory fill in the first."""

MIN_RUNS = 20
"""Fewest runs counted, however slow the model is."""

_MAX_RUNS = 100_000


class Subject(Closing):
    """A model opened for measuring.

    Args:
        path: a bundle, or a `.tflite` of any task that a runtime runs.
        options: how it is opened; the CPU never answers instead of a delegate.

    Raises:
        BundleError: the bundle is damaged or of another version.
        DelegateError: a required delegate does not work.
        ModelError: the file is not a model, or one that the runtime refuses.
        MissingExtraError: no runtime is installed.

    Attributes:
        model: None where edgeinfer knows no way from a frame to the model's input.
        note: why not.
        runner: what runs the model.
        choice: which variant runs and why; None for a plain `.tflite` on the CPU.
        content: the `.tflite`'s bytes; of a bundle, the CPU variant's.
        tensors: made-up inputs, one for each of the runner's.
        cpu_tensors: the same for `content`.
    """

    def __init__(self, path: Path, options: OpenOptions) -> None:
        options = replace(options, substitute=False)
        self.model: Model | None = None
        self.note: str | None = None
        try:
            self.model = Model.open(path, options)
            self.runner, self.choice = self.model.runner, self.model.choice
            self.content = _content(path, options)
        except ModelError as error:
            if is_bundle(path):
                raise
            # A detector's file, say: what the runtime takes can still be timed.
            try:
                self.content = _content(path, options)
                self.runner, self.choice = open_plain(self.content, options, subject=str(path))
            except ModelError:
                raise error from None
            self.note = f"only inference was timed: {error.got}"
            if error.expected:
                self.note += f", expected {error.expected}"
        self.tensors = made_up_inputs(self.runner.inputs)
        self.cpu_tensors = self.tensors
        if self.choice is not None and self.choice.variant != "cpu":
            graph = read_tflite(self.content, subject=str(path))
            self.cpu_tensors = made_up_inputs([tensor.spec() for tensor in graph.inputs])

    def close(self) -> None:
        """Close the file, and end a delegate's worker."""
        self.runner.close()
        if self.model is not None:
            self.model.close()

    def time_stages(
        self, frames: list[Frame], *, seconds: float
    ) -> tuple[int, tuple[StageTimes, ...]]:
        """Time each stage of the way from a frame to an answer.

        Args:
            frames: taken in turn; where the model takes no frames, made-up inputs are.
            seconds: how long; at least `MIN_RUNS` runs.

        Returns:
            How many runs were counted, and the stages. `decode` is there for JPEG frames only.
        """
        if self.model is None:
            return self._time_invoke(seconds)
        model, spec = self.model, self.model.preprocessor.spec
        tensor = model.preprocessor.empty()
        jpeg = frames[0].format == "jpeg"
        stamps: list[tuple[int, int, int, int, int]] = []
        now, end = time.perf_counter_ns, 0
        for number in range(_MAX_RUNS):
            frame = frames[number % len(frames)]
            if number == _WARM_UP:
                stamps.clear()
                end = now() + round(seconds * 1e9)
            begin = now()
            pixels, pixel_format = frame.pixels, frame.format
            if pixel_format == "jpeg":
                pixels, pixel_format = decode_for(spec, pixels), "bgr"
            decoded = now()
            model.preprocessor.tensor(pixels, pixel_format, out=tensor)
            prepared = now()
            outputs = [self.runner.invoke([one]) for one in model.preprocessor.inputs(tensor)]
            invoked = now()
            for one in outputs:
                model.decode(one)
            stamps.append((begin, decoded, prepared, invoked, now()))
            if len(stamps) >= MIN_RUNS and number > _WARM_UP and stamps[-1][-1] >= end:
                break
        steps = np.diff(np.asarray(stamps, np.int64), axis=1)
        decode, preprocess, invoke, postprocess = (column.tolist() for column in steps.T)
        return len(stamps), (
            *([percentiles("decode", decode)] if jpeg else []),
            percentiles("preprocess", preprocess),
            percentiles("invoke", invoke),
            percentiles("postprocess", postprocess),
            percentiles("whole", steps.sum(axis=1).tolist()),
        )

    def _time_invoke(self, seconds: float) -> tuple[int, tuple[StageTimes, ...]]:
        for _ in range(_WARM_UP):
            self.runner.invoke(self.tensors)
        times_ns: list[int] = []
        end = time.perf_counter_ns() + round(seconds * 1e9)
        while len(times_ns) < _MAX_RUNS:
            begin = time.perf_counter_ns()
            self.runner.invoke(self.tensors)
            times_ns.append(time.perf_counter_ns() - begin)
            if len(times_ns) >= MIN_RUNS and begin >= end:
                break
        return len(times_ns), (percentiles("invoke", times_ns),)


def made_up_inputs(specs: Sequence[TensorSpec]) -> list[NDArray[Any]]:
    """Return a tensor for each input: seeded bytes for integers, 0 to 1 for real numbers."""
    generator = np.random.default_rng(0)
    inputs: list[NDArray[Any]] = []
    for spec in specs:
        dtype = np.dtype(spec.dtype)
        if dtype.kind == "f":
            inputs.append(generator.random(spec.shape).astype(dtype))
        elif dtype.itemsize == 1 and dtype.kind in "iu":
            bounds = np.iinfo(dtype)
            inputs.append(generator.integers(bounds.min, bounds.max + 1, spec.shape).astype(dtype))
        else:
            # Wider integers are often indices or sizes: 0 and 1 are the least likely to be refused.
            inputs.append(generator.integers(0, 2, spec.shape).astype(dtype))
    return inputs


def _content(path: Path, options: OpenOptions) -> bytes:
    if is_bundle(path):
        with open_bundle(path) as bundle:
            return bundle.member(bundle.manifest.main_variant.file)
    return plain_content(read_model_file(path), options, subject=str(path)).content
