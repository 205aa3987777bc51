"""Picture: an output of one number, or of red, green and blue, for each place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.picture.guess import guess_picture
from edgeinfer.device.tasks.picture.prediction import OutputPicture
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task


class PictureTask(Task):
    """A picture or a map of a picture, such as depth, or the same picture enlarged."""

    name: ClassVar[str] = "picture"
    first_schema: ClassVar[int] = 3
    may_have: ClassVar[frozenset[str]] = frozenset({"picture"})
    has_places: ClassVar[bool] = True

    def check(self, said: Said) -> None:
        """Refuse labels."""
        super().check(said)
        if said.labels:
            raise ValueError("task 'picture' needs no labels")

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output that is not a picture."""
        shape = outputs[0].shape
        if len(shape) not in (3, 4) or shape[0] != 1 or shape[3:] not in ((), (1,), (3,)):
            raise ValueError(f"output shape is {shape}, expected (1, rows, columns[, 1 or 3])")

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the output into a picture."""
        output, spec, placing = outputs[0], said.decoder.picture, partial(place, preprocess)
        width, height = preprocess.size
        values_range = None if spec is None else (spec.low, spec.high)

        def decode(tensors: Sequence[NDArray[np.generic]]) -> OutputPicture:
            values = output.dequantize(tensors[0])[0]
            return OutputPicture(
                values=values[..., 0] if values.shape[2:] == (1,) else values,
                range=values_range,
                box=(0.0, 0.0, float(width), float(height)),
                size=preprocess.size,
                placing=placing,
            )

        return decode

    def rows(self, said: Said) -> Rows:
        """Return which values are black and white."""
        spec = said.decoder.picture
        shown = "the lowest and highest" if spec is None else f"{spec.low:g} and {spec.high:g}"
        return [*super().rows(said), ("black, white", shown)]

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a picture is to be read."""
        return guess_picture(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return none: a picture has no classes; the refusal of given ones is `check`'s."""
        return (found or () if given else ()), None


TASK = PictureTask()
