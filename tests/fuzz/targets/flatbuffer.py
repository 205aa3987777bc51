"""The reader of `.tflite` files."""

from __future__ import annotations

from edgeinfer.device.errors import EdgeinferError
from edgeinfer.device.tflite_file import read_tflite
from tests.device.tflite_examples import dense_model, encode


def seeds() -> list[bytes]:
    """Return a small model."""
    return [encode(dense_model())]


def attempt(data: bytes) -> None:
    """Read a model."""
    try:
        read_tflite(data, subject="fuzzed.tflite")
    except EdgeinferError:
        return
