"""The runtimes without their messages on stderr.

"INFO: Created TensorFlow Lite XNNPACK delegate for CPU." comes from native code, straight to
stderr, when a process first uses XNNPACK. No setting of ai-edge-litert's turns it off. So a tiny
model is opened before any other, by `silenced`; from then on the runtime has written its line.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from types import ModuleType

from edgeinfer.device.core.silenced import silenced

_PACKED = bytes.fromhex(
    "78da958fbd0a83301485bf58071129813af8100e8aaf503a75ecc3387470f0c13d37d1101c04130e37f7fc41"
    "3ae0f7f94ef0a4a5a4a211e3b5c143b0adb7e9c005c5382f27c16bfa8ba81db3259e2635fabd15fec222ac42"
    "2174c2fbc24fd262b7db73f370d33fc63719ef52a60e3fb2a63acbfbcc7fce5542192e6cd5d6075e"
)
"""One float32 value through RELU, as tests/device/tflite_examples.py builds it; a test compares."""

_quiet: set[str] = set()


def quiet_runtime(module: ModuleType) -> None:
    """Have an imported runtime, `...interpreter`, write its line where nobody sees it.

    Threads that are here at the same time open the tiny model several times: each waits for the
    line.
    """
    if module.__name__ in _quiet:
        return

    def open_tiny_model() -> None:
        # One that cannot even open this reports an error when it opens the user's model.
        with suppress(Exception):
            module.Interpreter(model_content=tiny_float_model(), num_threads=1).allocate_tensors()

    silenced(open_tiny_model)
    _quiet.add(module.__name__)


def tiny_float_model() -> bytes:
    """Return the model's file."""
    return zlib.decompress(_PACKED)
