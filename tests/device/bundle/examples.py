"""A small valid manifest and its members, for tests that damage them."""

from __future__ import annotations

from edgeinfer.device.bundle.manifest import GoldenFrame, ModelManifest, Variant
from edgeinfer.device.decoding import Decoder
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.types import TensorSpec

MEMBERS = {
    "variants/cpu.tflite": b"not a real model",
    "golden/frame-000.png": b"not a real picture",
    "golden/cpu.input.raw": bytes(12),
    "golden/cpu.output.builtin.raw": bytes(2),
}


def manifest() -> ModelManifest:
    return ModelManifest(
        name="example",
        labels=("cat", "dog's \N{DOG FACE}"),
        preprocess=PreprocessSpec(size=(2, 2)),
        decoder=Decoder(activation="softmax"),
        variants={
            "cpu": Variant(
                file="variants/cpu.tflite",
                precision="int8",
                input=TensorSpec(
                    name="in", shape=(1, 2, 2, 3), dtype="int8", scale=0.5, zero_point=-1
                ),
                output=TensorSpec(name="out", shape=(1, 2), dtype="int8", scale=0.25),
                output_tolerance=0.5,
                golden_input="golden/cpu.input.raw",
                golden_outputs={"builtin": "golden/cpu.output.builtin.raw"},
            )
        },
        golden=(GoldenFrame(file="golden/frame-000.png", label="cat"),),
        metrics={"test.int8.top1": 0.5},
        provenance={"seed": "0"},
    )
