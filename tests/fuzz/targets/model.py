"""The reader of `.tflite` files and the tables of operators; `tests.fuzz.models` opens them too."""

from __future__ import annotations

from random import Random

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.inspect.description import describe_tflite
from tests.device.tflite_examples import dense_model, encode
from tests.fuzz import one_operator


def seeds() -> list[bytes]:
    """Return a small model."""
    return [encode(dense_model())]


def generate(random: Random) -> bytes:
    """Return a model of one operator."""
    return one_operator.generate(random)


def attempt(data: bytes) -> None:
    """Read a model, and tell what is in it as `inspect` does."""
    try:
        describe_tflite(data, name="fuzzed.tflite")
    except EdgeinferError:
        return
