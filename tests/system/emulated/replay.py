"""Run on each machine that is compared: prints hashes of what the device package computes there.

    python replay.py tensors BUNDLE FRAMES.npz [IMPLEMENTATION ...]
        input tensors: of the bundle's golden frames, and of frames in many layouts, prepared in
        many ways; by numpy and with each instruction set that the native library has here, or by
        those named. A frame's name in the archive begins with its format.
    python replay.py outputs BUNDLE
        outputs for the bundle's golden inputs

It needs numpy and the installed edgeinfer, nothing of the tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.pixel_formats import PixelFormat
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.preprocess.native_library import load_kernels
from edgeinfer.device.runtime.runner import Runner, installed_runtimes

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
    # What is new comes last: the dtypes of those before it, whose hashes are noted, stay.
    "region, center-crop": PreprocessSpec(
        size=(97, 113), crop="center-crop", region=(0.333333, 0.101, 0.5, 0.777)
    ),
}
DTYPES: dict[TensorDtype, tuple[float, int]] = {
    "uint8": (0.0078125, 128),
    "int8": (0.018658, -14),
    "float32": (0.0, 0),
}
"""Scale and zero point of the input tensors, by dtype."""


INSTRUCTION_SETS = ("avx2", "neon", "portable")

Hashes = dict[str, str]


def implementations() -> list[str]:
    """Return what can prepare frames here: `numpy`, and the native library's instruction sets."""
    found = ["numpy"]
    kernels = load_kernels()
    if kernels is None:
        return found
    for name in INSTRUCTION_SETS:
        with suppress(ValueError):
            kernels.use_instruction_set(name)
            found.append(name)
    return found


def hash_tensors(frames: dict[str, NDArray[np.uint8]], names: list[str]) -> dict[str, Hashes]:
    """Return the SHA-256 of the frames' input tensors: case to implementation to hash.

    Every frame in every geometry; the first frame in every dtype too, which the others take in
    turn: what a pixel value becomes has nothing to do with where it came from.
    """
    hashes = {}
    for index, (frame, pixels) in enumerate(frames.items()):
        pixel_format = next(known for known in get_args(PixelFormat) if frame.startswith(known))
        for turn, (name, spec) in enumerate(SPECS.items(), start=index):
            for dtype in DTYPES if index == 0 else [list(DTYPES)[turn % len(DTYPES)]]:
                scale, zero_point = DTYPES[dtype]
                tensor = TensorSpec(
                    name="input",
                    shape=(1, *spec.shape),
                    dtype=dtype,
                    scale=scale,
                    zero_point=zero_point,
                )
                hashes[f"{frame}, {name}, {dtype}"] = {
                    n: _prepare(n, spec, tensor, [pixels], pixel_format) for n in names
                }
    return hashes


def hash_golden(path: Path, names: list[str]) -> Hashes:
    """Return the SHA-256 of the golden frames' input tensors, by implementation."""
    with open_bundle(path) as bundle:
        frames = [pixels for pixels, _ in read_golden(bundle)]
        spec, tensor = bundle.manifest.preprocess, bundle.manifest.variants["cpu"].input
        return {name: _prepare(name, spec, tensor, frames, "rgb") for name in names}


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


def _prepare(
    implementation: str,
    spec: PreprocessSpec,
    tensor: TensorSpec,
    frames: list[NDArray[np.uint8]],
    pixel_format: PixelFormat,
) -> str:
    kernels = load_kernels()
    if implementation != "numpy" and kernels is not None:
        kernels.use_instruction_set(implementation)
    preprocessor = Preprocessor(spec, tensor, native=implementation != "numpy")
    tensors = [preprocessor.tensor(pixels, pixel_format) for pixels in frames]
    return hashlib.sha256(b"".join(array.tobytes() for array in tensors)).hexdigest()


def main(what: str, bundle: str, frames: str = "", *names: str) -> None:
    """Print the hashes or outputs as JSON."""
    if what == "outputs":
        print(json.dumps(read_outputs(Path(bundle))))
    else:
        chosen = list(names) or implementations()
        golden = {"golden frames": hash_golden(Path(bundle), chosen)}
        with np.load(frames) as archive:
            print(json.dumps(golden | hash_tensors(dict(archive), chosen)))


if __name__ == "__main__":
    main(*sys.argv[1:])
