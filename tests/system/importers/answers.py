"""What a bundle's model answers to an input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edgeinfer.device.models.bundle.reader import open_bundle


def answers(bundle_path: Path, image: NDArray[np.float32]) -> tuple[NDArray[Any], str, str]:
    """Return the output of a float bundle's model, and the names of its input and output.

    Args:
        bundle_path: the bundle.
        image: (1, height, width, channels).
    """
    with open_bundle(bundle_path) as bundle:
        interpreter = Interpreter(model_content=bundle.member("variants/cpu.tflite"))
    interpreter.allocate_tensors()
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert tuple(given["shape"]) == image.shape
    interpreter.set_tensor(given["index"], np.ascontiguousarray(image))
    interpreter.invoke()
    return interpreter.get_tensor(wanted["index"]), given["name"], wanted["name"]
