"""The reader of `.tflite` files and the tables of operators; `tests.fuzz.models` opens them too."""

from __future__ import annotations

from random import Random

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.inspect.description import describe_tflite
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside
from tests.device.tflite.outside_examples import outside
from tests.device.tflite_examples import dense_model, encode
from tests.fuzz import one_operator


def seeds() -> list[bytes]:
    """Return a small model, with its weights inside of the FlatBuffer and outside."""
    return [encode(dense_model()), outside(encode(dense_model()))]


def generate(random: Random) -> bytes:
    """Return a model of one operator."""
    return one_operator.generate(random)


def attempt(data: bytes) -> None:
    """Read a model, tell what is in it as `inspect` does, and write what compilers are given."""
    try:
        told = describe_tflite(data, name="fuzzed.tflite")
        inside = with_buffers_inside(data, subject="fuzzed.tflite")
    except EdgeinferError:
        return
    assert read_tflite(inside, subject="rewritten") == told.model
