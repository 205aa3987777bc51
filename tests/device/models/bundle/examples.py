"""A small valid manifest and its members, for tests that damage them."""

from __future__ import annotations

from dataclasses import replace

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.bundle.manifest import GoldenFrame, ModelManifest, Output, Variant
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import (
    AnchorSpec,
    Decoder,
    DetectionSpec,
    GridSpec,
    KeypointsSpec,
    MultiLabelSpec,
    PictureSpec,
    PointsSpec,
    PoseSpec,
    ValueSpec,
)

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


def of_every_task() -> list[ModelManifest]:
    """Return a valid manifest for each task, and one with a variant for an accelerator."""
    plain = manifest()
    cpu = plain.variants["cpu"]
    vector = replace(cpu.output, shape=(1, 1))
    real = TensorSpec(name="out", shape=(1, 5, 4), dtype="float32")

    def of_outputs(*shapes: tuple[int, ...]) -> dict[str, Variant]:
        first, *others = (replace(real, shape=shape) for shape in shapes)
        more = tuple(Output(tensor=tensor, tolerance=0.1) for tensor in others)
        return {"cpu": replace(cpu, output=first, more_outputs=more or None)}

    second = replace(plain, schema_version=2, decoder=Decoder())
    third = replace(second, schema_version=3)
    return [
        plain,
        replace(plain, variants={**plain.variants, "edgetpu": replace(cpu, delegate="edgetpu")}),
        replace(
            plain,
            task="value",
            labels=(),
            value=ValueSpec(unit="bar", scale=0.1, offset=-1.0),
            variants={"cpu": replace(cpu, output=vector)},
        ),
        replace(second, task="embedding", labels=(), variants=of_outputs((1, 8))),
        replace(second, task="segmentation", variants=of_outputs((1, 3, 3, 2))),
        replace(
            second,
            task="detection",
            decoder=Decoder(detection=DetectionSpec()),
            variants=of_outputs((1, 5, 4), (1, 5), (1, 5), (1,)),
        ),
        replace(
            second,
            task="pose",
            labels=(),
            decoder=Decoder(pose=PoseSpec(stride=8.0, displacements=(2, 3))),
            variants=of_outputs((1, 3, 3, 17), (1, 3, 3, 34), (1, 3, 3, 32), (1, 3, 3, 32)),
        ),
        replace(third, decoder=Decoder(activation="binary"), variants=of_outputs((1, 1))),
        replace(third, decoder=Decoder(multi_label=MultiLabelSpec())),
        replace(
            third,
            task="multilabel",
            decoder=Decoder(
                activation="sigmoid", multi_label=MultiLabelSpec(min_scores=(0.25, 0.75))
            ),
        ),
        replace(
            third,
            task="value",
            value=ValueSpec(unit="", units=("deg", "%")),
            variants=of_outputs((1, 1), (1, 1)),
        ),
        replace(
            third,
            task="detection",
            decoder=Decoder(detection=DetectionSpec(classes_per_box=3)),
            variants=of_outputs((1, 6, 4), (1, 6), (1, 6), (1,)),
        ),
        replace(
            third,
            task="detection",
            labels=("face",),
            decoder=Decoder(anchors=AnchorSpec(strides=(1,), per_cell=(2,), points=("nose",))),
            variants=of_outputs((1, 8, 6), (1, 8, 1)),
        ),
        replace(
            third,
            schema_version=4,
            task="detection",
            labels=("cat", "dog"),
            decoder=Decoder(grids=GridSpec(strides=(1,), boxes=(0,), scores=(1,))),
            variants=of_outputs((1, 2, 2, 4), (1, 2, 2, 2)),
        ),
        replace(
            third,
            schema_version=4,
            task="points",
            labels=("cat", "dog"),
            decoder=Decoder(points=PointsSpec(stride=1)),
            variants=of_outputs((1, 2, 2, 2), (1, 2, 2, 2)),
        ),
        replace(
            third,
            task="pose",
            labels=(),
            decoder=Decoder(keypoints=KeypointsSpec(score=55)),
            variants=of_outputs((1, 6, 56)),
        ),
        replace(
            third,
            task="picture",
            labels=(),
            decoder=Decoder(picture=PictureSpec(low=-1.0, high=1.0)),
            variants=of_outputs((1, 4, 4, 3)),
        ),
    ]
