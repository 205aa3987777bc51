"""Golden vectors: a few real frames with the tensors and outputs that they must give everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.registry import find_compared
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.core.tensors import KernelFamily, TensorSpec
from edgeinfer.device.models.bundle.manifest import GoldenFrame
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime.runner import Runner, installed_runtimes, xnnpack_refuses
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tasks.task import Said

MAX_SIDE = 640
"""Longer frames are scaled down to this side: a 12-megapixel PNG would be larger than the model."""

GOLDEN_FOLDER = "golden"


@dataclass(frozen=True, kw_only=True)
class GoldenVectors:
    """What goes into the bundle.

    Attributes:
        frames: the manifest's entries.
        input_member: where the expected inputs are.
        output_members: where the expected outputs are, for each kernel family.
        members: all content by member name.
        largest_outputs: the largest golden value of each output, in real units, without its sign.
    """

    frames: tuple[GoldenFrame, ...]
    input_member: str
    output_members: dict[KernelFamily, str]
    members: dict[str, bytes]
    largest_outputs: tuple[float, ...]


def choose_samples(
    samples: Sequence[Sample], count: int, task: ComparedTask | None = None
) -> list[Sample]:
    """Return `count` samples, the groups of the task's targets in turn, in the order given.

    Args:
        samples: the samples to choose from.
        count: how many.
        task: defines the groups; None takes the samples in their order.
    """
    queues: dict[Any, list[Sample]] = {}
    for sample in samples:
        group = 0 if task is None else task.group(sample.target)
        queues.setdefault(group, []).append(sample)
    chosen: list[Sample] = []
    for turn in range(count):
        chosen += [queue[turn] for _, queue in sorted(queues.items()) if turn < len(queue)]
        if len(chosen) >= count or turn >= max(map(len, queues.values()), default=0):
            break
    return chosen[:count]


def make_golden(
    model: bytes,
    preprocess: PreprocessSpec,
    samples: Sequence[Sample],
    *,
    task: str,
    said: Said,
    known: bool = True,
    variant: str = "cpu",
) -> GoldenVectors:
    """Compute the golden vectors of a model that runs on the CPU.

    Args:
        model: the `.tflite` bytes.
        preprocess: how frames become inputs.
        samples: the frames.
        task: what a prediction is.
        said: the description of the outputs.
        known: whether the samples' targets are the truth about the frames.
        variant: the variant's name, part of the member names.

    Raises:
        ConversionError: no frames, or no runtime that has both kernel families.
    """
    if not samples:
        raise ConversionError("golden frames", got="no samples", expected="at least one")
    runners = _runners(model)
    inputs, members = _inputs(preprocess, runners["builtin"].inputs[0], samples, variant)
    names = [name for name in members if name.endswith(".png")]
    input_member = _input_member(variant)
    output_members: dict[KernelFamily, str] = {}
    largest = [0.0] * len(runners["builtin"].outputs)
    for family, runner in runners.items():
        outputs = [
            find_task(task).repeatable(said, runner.invoke([values]), runner.outputs)
            for values in inputs
        ]
        output_members[family] = f"{GOLDEN_FOLDER}/{variant}.output.{family}.raw"
        members[output_members[family]] = _raw(outputs, runner.outputs)
        for index, spec in enumerate(runner.outputs):
            real = spec.dequantize(np.stack([frame[index] for frame in outputs]))
            largest[index] = max(largest[index], float(np.abs(real).max()))
    return GoldenVectors(
        frames=tuple(
            GoldenFrame(
                file=name,
                label=find_compared(task).truth(sample.target, said) if known else None,
            )
            for name, sample in zip(names, samples, strict=True)
        ),
        input_member=input_member,
        output_members=output_members,
        members=members,
        largest_outputs=tuple(largest),
    )


def make_golden_inputs(
    preprocess: PreprocessSpec, tensor: TensorSpec, samples: Sequence[Sample], *, variant: str
) -> tuple[tuple[GoldenFrame, ...], str, dict[str, bytes]]:
    """Return golden frames and inputs of a model that does not run here.

    Args:
        preprocess: how frames become inputs.
        tensor: the model's input.
        samples: the frames.
        variant: the variant's name, part of the member names.

    Returns:
        The frames, the member with the inputs, and all members.
    """
    _, members = _inputs(preprocess, tensor, samples, variant)
    frames = tuple(GoldenFrame(file=name) for name in members if name.endswith(".png"))
    return frames, _input_member(variant), members


def _input_member(variant: str) -> str:
    return f"{GOLDEN_FOLDER}/{variant}.input.raw"


def _inputs(
    preprocess: PreprocessSpec, tensor: TensorSpec, samples: Sequence[Sample], variant: str
) -> tuple[list[NDArray[np.generic]], dict[str, bytes]]:
    """Return the input tensor of each frame, and the members of frames and inputs."""
    pictures = [_bounded(read_sample(sample.source)) for sample in samples]
    members = {
        f"{GOLDEN_FOLDER}/frame-{index:03d}.png": encode_png(pixels)
        for index, pixels in enumerate(pictures)
    }
    preprocessor = Preprocessor(preprocess, tensor)
    inputs = [preprocessor.tensor(pixels) for pixels in pictures]
    members[_input_member(variant)] = _raw([[values] for values in inputs], [tensor])
    return inputs, members


def _runners(model: bytes) -> dict[KernelFamily, Runner]:
    """litert runs both families, bit-equal with tflite-runtime's builtin kernels.

    XNNPACK is left out where it refuses the model.
    """
    if "ai-edge-litert" not in installed_runtimes():
        raise ConversionError(
            "golden vectors",
            got="ai-edge-litert is not installed",
            expected="it on the workstation: it computes the outputs of both kernel families",
            next_step=add_packages("ai-edge-litert"),
        )
    runners: dict[KernelFamily, Runner] = {"builtin": _runner(model, "builtin")}
    try:
        runner = _runner(model, "xnnpack")
        runner.invoke([np.zeros(spec.shape, spec.dtype) for spec in runner.inputs])
        runners["xnnpack"] = runner
    except ModelError as error:
        # The built-in kernels run it everywhere then.
        if not xnnpack_refuses(error):
            raise
    return runners


def _runner(model: bytes, kernels: KernelFamily) -> Runner:
    return Runner(model, subject="the converted model", runtime="ai-edge-litert", kernels=kernels)


def _bounded(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= MAX_SIDE:
        return pixels
    size = (max(1, width * MAX_SIDE // longest), max(1, height * MAX_SIDE // longest))
    return Preprocessor(PreprocessSpec(size=size)).image(pixels)


def _raw(frames: Sequence[Sequence[NDArray[np.generic]]], specs: Sequence[TensorSpec]) -> bytes:
    """Return the frames in order, and for each frame its tensors in order, little-endian."""
    dtypes = [np.dtype(spec.dtype).newbyteorder("<") for spec in specs]
    return b"".join(
        np.ascontiguousarray(tensor, dtype).tobytes()
        for tensors in frames
        for tensor, dtype in zip(tensors, dtypes, strict=True)
    )
