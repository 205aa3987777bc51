"""Run on each machine that is compared: prints hashes of what the device package computes there.

    python replay.py tensors BUNDLE FRAME.npy   input tensors: of the bundle's golden frames, and
                                                of one frame prepared in many ways
    python replay.py outputs BUNDLE             outputs for the bundle's golden inputs

It needs numpy and the installed edgeinfer, nothing of the tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.bundle.reader import open_bundle
from edgeinfer.device.model import read_golden
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime import Runner, installed_runtimes
from edgeinfer.device.types import Pixels, TensorDtype, TensorSpec

SIZE = (224, 224)
SPECS = {
    "area": PreprocessSpec(size=SIZE),
    "area, odd size, ImageNet": PreprocessSpec(
        size=(197, 113), mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    "bilinear": PreprocessSpec(size=SIZE, resize="bilinear"),
    "letterbox": PreprocessSpec(size=SIZE, crop="letterbox", pad_value=114),
    "center-crop, bgr": PreprocessSpec(size=SIZE, crop="center-crop", channels="bgr"),
    "grey": PreprocessSpec(size=(28, 28), channels="grey", mean=(72.9,), std=(90.0,)),
    "grey, narrower and taller": PreprocessSpec(
        size=(160, 800), channels="grey", mean=(0.0,), std=(255.0,)
    ),
}
DTYPES: dict[TensorDtype, tuple[float, int]] = {
    "uint8": (0.0078125, 128),
    "int8": (0.018658, -14),
    "float32": (0.0, 0),
}
"""Scale and zero point of the input tensors, by dtype."""


Hashes = dict[str, str]


def hash_tensors(frame: Pixels) -> dict[str, Hashes]:
    """Return the SHA-256 of the frame's input tensors: case to implementation to hash."""
    hashes = {}
    for name, spec in SPECS.items():
        for dtype, (scale, zero_point) in DTYPES.items():
            tensor = TensorSpec(
                name="input",
                shape=(1, *spec.shape),
                dtype=dtype,
                scale=scale,
                zero_point=zero_point,
            )
            hashes[f"{name}, {dtype}"] = _both(spec, tensor, [frame])
    return hashes


def hash_golden(path: Path) -> Hashes:
    """Return the SHA-256 of the golden frames' input tensors, by implementation."""
    with open_bundle(path) as bundle:
        frames = [pixels for pixels, _ in read_golden(bundle)]
        return _both(bundle.manifest.preprocess, bundle.manifest.variants["cpu"].input, frames)


def read_outputs(path: Path) -> dict[str, str]:
    """Return the outputs for the golden inputs, by kernel family, as hexadecimal bytes."""
    found: dict[str, str] = {}
    with open_bundle(path) as bundle:
        variant = bundle.manifest.variants["cpu"]
        inputs = np.frombuffer(bundle.member(variant.golden_input), variant.input.dtype)
        for runtime in installed_runtimes():
            runner = Runner(bundle.member(variant.file), subject=str(path), runtime=runtime)
            outputs = [runner.invoke([x])[0] for x in inputs.reshape(-1, *variant.input.shape)]
            found[runner.kernels] = b"".join(output.tobytes() for output in outputs).hex()
    return found


def _both(spec: PreprocessSpec, tensor: TensorSpec, frames: list[Pixels]) -> Hashes:
    hashes = {}
    for implementation in ("native", "numpy"):
        preprocessor = Preprocessor(spec, tensor, native=implementation == "native")
        hashes[implementation] = _sha256([preprocessor.tensor(pixels) for pixels in frames])
    return hashes


def _sha256(arrays: list[NDArray[np.generic]]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def main(what: str, bundle: str, *frames: str) -> None:
    """Print the hashes or outputs as JSON."""
    if what == "outputs":
        print(json.dumps(read_outputs(Path(bundle))))
    else:
        golden = {"golden frames": hash_golden(Path(bundle))}
        print(json.dumps(golden | hash_tensors(np.load(frames[0]))))


if __name__ == "__main__":
    main(*sys.argv[1:])
