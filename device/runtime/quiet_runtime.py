"""The runtimes without words of their own.

"INFO: Created TensorFlow Lite XNNPACK delegate for CPU." comes from native code, straight to
stderr, when a process first uses XNNPACK. No setting of ai-edge-litert's turns it off. So a tiny
model is opened before any other, by `silenced`; from then on the runtime has said its line.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from types import ModuleType

from edgeinfer.device.core.silenced import silenced

_PACKED = bytes.fromhex(
    "78da958f3b0a80400c449f9f424464410b0f61e715c4cad2c3285858787027bb2a6221b8cb2324331948034c"
    "c3d841494d4a46a189530789b0aeb51a41e4159b3939f15ed32b8276d59af08a3bd19da9b08a4dec22168de8"
    "3ffcdc5ac8be987ffa97b3f29a879ddc5f6449f963df3dfcefbd4ca4fec301a9c706fc"
)
"""One float32 value through RELU, as tests/device/tflite_examples.py builds it; a test compares."""

_quiet: set[str] = set()


def quiet_runtime(module: ModuleType) -> None:
    """Have an imported runtime, `...interpreter`, say its line where nobody sees it.

    Threads that are here at once open the tiny model several times: each waits for the line.
    """
    if module.__name__ in _quiet:
        return

    def open_tiny_model() -> None:
        # One that cannot even open this is told of when it opens the user's model.
        with suppress(Exception):
            module.Interpreter(model_content=tiny_float_model(), num_threads=1).allocate_tensors()

    silenced(open_tiny_model)
    _quiet.add(module.__name__)


def tiny_float_model() -> bytes:
    """Return the model's file."""
    return zlib.decompress(_PACKED)
