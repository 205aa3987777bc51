"""The bytes of a plain `.tflite` as they run: with one signature, and an input of one size."""

from __future__ import annotations

from typing import NamedTuple

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tflite.edits.cut import without_pose_decoder
from edgeinfer.device.tflite.edits.fixed_size import with_input_shape
from edgeinfer.device.tflite.edits.one_signature import with_signature
from edgeinfer.device.tflite.metadata.export_metadata import read_export_metadata
from edgeinfer.device.tflite.model import Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

_MOST_SIDE = 4096
_DEPTHS = (1, 3, 4)


class PlainContent(NamedTuple):
    """What a runtime is to be given of a plain `.tflite`.

    Attributes:
        content: its bytes, those of the file where nothing had to be changed.
        graph: the same, read.
    """

    content: bytes
    graph: TfliteModel


def plain_content(file: bytes, options: OpenOptions, *, subject: str) -> PlainContent:
    """Return what a runtime is to be given of a plain `.tflite`.

    Coral's PoseNet decoder is cut off. Of several signatures the one that the user names becomes
    the model's main graph. An input of varying height and width gets the size that the user names,
    else the one that the file's exporter states.

    Args:
        file: its bytes.
        options: `signature` and `input_size` count.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is not a model, has several signatures and none is named, or has an input of
            any size and nothing states one.
        UsageError: `signature` or `input_size` does not fit the model.
    """
    running = _read(without_pose_decoder(file, subject=subject), subject)
    running = _one_signature(running, options.signature, subject)
    return _one_size(running, file, options.input_size, subject)


def _read(content: bytes, subject: str) -> PlainContent:
    return PlainContent(content, read_tflite(content, subject=subject))


def _one_signature(running: PlainContent, name: str | None, subject: str) -> PlainContent:
    names = [item.name for item in running.graph.signatures]
    listed = ", ".join(names)
    if name is None:
        if len(names) < 2:
            return running
        raise ModelError(
            subject,
            got=f"has {len(names)} signatures: {listed}",
            expected="the one that is to run",
            next_step=f"name it, such as --signature={names[0]}",
        )
    if name not in names:
        raise UsageError(
            "--signature",
            got=f"{subject} has no '{name}'",
            expected=f"one of {listed}" if names else "none, which it has",
        )
    if len(names) == 1:
        return running
    return _read(with_signature(running.content, name, subject=subject), subject)


def _one_size(
    running: PlainContent, file: bytes, size: tuple[int, int] | None, subject: str
) -> PlainContent:
    """Return the model with an input of one size.

    Args:
        running: the model as it runs so far.
        file: the whole file, with what an exporter wrote behind the model.
        size: (width, height) that the user names.
        subject: the file's name, for errors.
    """
    inputs = running.graph.inputs
    sides = _sides(inputs[0]) if len(inputs) == 1 else None
    if sides is None:
        if size is not None:
            raise UsageError(
                "--input-size",
                got=f"{subject} takes no single picture",
                expected="a model that does",
                next_step="leave the size out",
            )
        return running
    source = inputs[0]
    signature = source.shape_signature or source.shape
    if size is None and -1 in [signature[axis] for axis in sides]:
        export = read_export_metadata(file, subject=subject)
        size = None if export is None else export.size
        if size is None:
            raise ModelError(
                subject,
                got=f"its input {_shown(signature)} takes pictures of any size",
                expected="one size",
                next_step="name the size that it was trained with, such as --input-size=224x224",
            )
    if size is None:
        return running
    if not all(1 <= side <= _MOST_SIDE for side in size):
        raise UsageError(
            "input size", got=f"{size[0]}x{size[1]}", expected=f"sides from 1 to {_MOST_SIDE}"
        )
    shape = list(source.shape)
    for axis, side in zip(sides, size[::-1], strict=True):
        if signature[axis] not in (-1, side):
            raise UsageError(
                "--input-size",
                got=f"{size[0]}x{size[1]} is given for {subject}, whose input is "
                f"{_shown(signature)}",
                expected="its own size",
                next_step="leave the size out",
            )
        shape[axis] = side
    if tuple(shape) == source.shape and -1 not in source.shape_signature:
        return running
    return _read(with_input_shape(running.content, tuple(shape), subject=subject), subject)


def _sides(source: Tensor) -> tuple[int, int] | None:
    """Return which axes of an input are height and width, by the one that holds channels."""
    signature = source.shape_signature or source.shape
    if len(signature) != len(source.shape):
        return None
    first = len(signature) - 3
    if len(signature) == 4 or (len(signature) == 3 and signature[0] not in (1, -1)):
        if signature[first + 2] in _DEPTHS:
            return first, first + 1
        if signature[first] in _DEPTHS:
            return first + 1, first + 2
        return None
    if len(signature) in (2, 3):
        return len(signature) - 2, len(signature) - 1
    return None


def _shown(signature: tuple[int, ...]) -> str:
    return f"({', '.join('any' if size < 0 else str(size) for size in signature)})"
