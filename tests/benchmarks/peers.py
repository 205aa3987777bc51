"""What others do with the same model, clip and processor: bare, by hand, and with MediaPipe Tasks.

python peers.py mediapipe MODEL CLIP     prints frames a second; runs in MediaPipe's own
                                         environment and needs nothing of edgeinfer
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def open_interpreter(model: bytes) -> Any:
    """Return ai-edge-litert's interpreter with one thread, ready to be invoked."""
    module = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = module.Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def bare_interpreter(model: bytes, *, invocations: int) -> Callable[[], float]:
    """Return what measures the interpreter's invocations a second, and nothing else."""
    interpreter = open_interpreter(model)

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(invocations):
            interpreter.invoke()
        return invocations / (time.perf_counter() - start)

    measure()
    return measure


def read_resize_invoke(model: bytes, clip: Path) -> Callable[[], float]:
    """Return what measures the loop that tutorials show: read, resize, quantize, invoke, argmax."""
    import cv2
    import numpy as np

    interpreter = open_interpreter(model)
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    size = (int(source["shape"][2]), int(source["shape"][1]))
    scale, zero_point = source["quantization"]

    def measure() -> float:
        capture, frames, start = cv2.VideoCapture(str(clip)), 0, time.perf_counter()
        while True:
            delivered, frame = capture.read()
            if not delivered:
                break
            rgb = cv2.cvtColor(cv2.resize(frame, size), cv2.COLOR_BGR2RGB)
            real = rgb.astype(np.float32) / 127.5 - 1.0
            quantized = np.round(real / scale + zero_point).astype(source["dtype"])
            interpreter.set_tensor(source["index"], quantized[None])
            interpreter.invoke()
            interpreter.get_tensor(sink["index"]).argmax()
            frames += 1
        capture.release()
        return frames / (time.perf_counter() - start)

    return measure


def mediapipe(python: Path, model: Path, clip: Path) -> Callable[[], float]:
    """Return what measures MediaPipe Tasks' ImageClassifier in video mode.

    Args:
        python: the interpreter of an environment that has the package mediapipe.
        model: a `.tflite`.
        clip: a video file.
    """
    command = [str(python), __file__, "mediapipe", str(model), str(clip)]

    def measure() -> float:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])

    return measure


def _run_mediapipe(model: str, clip: str) -> float:
    import cv2
    import mediapipe as mp  # type: ignore[import-not-found, unused-ignore]

    vision = mp.tasks.vision
    options = vision.ImageClassifierOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=model),
        running_mode=vision.RunningMode.VIDEO,
        max_results=1,
    )
    with vision.ImageClassifier.create_from_options(options) as classifier:
        capture, frames, start = cv2.VideoCapture(clip), 0, time.perf_counter()
        while True:
            delivered, frame = capture.read()
            if not delivered:
                break
            rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)
            classifier.classify_for_video(image, frames * 33)
            frames += 1
        return frames / (time.perf_counter() - start)


if __name__ == "__main__":
    assert sys.argv[1] == "mediapipe"
    print(_run_mediapipe(*sys.argv[2:]))
