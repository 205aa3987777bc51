"""Replaying a bundle's golden vectors on this machine."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import BundleError, VerificationError, printable
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.models.bundle.reader import ModelBundle, open_bundle
from edgeinfer.device.models.open_runner import open_variant
from edgeinfer.device.models.plain_options import NOT_GOLDEN, refuse_plain_options
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import Preprocessor
from edgeinfer.device.preprocess.native_library import load_kernels
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import ModelRunner
from edgeinfer.device.tasks.registry import find_task

ARM = frozenset({"aarch64", "arm64", "armv7l", "armv8l"})
SPREADS = 2
"""How many times the difference of two kernel families a third one may differ from either."""


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What was replayed and how well it fitted.

    Attributes:
        name: the model's name.
        variant: which variant was replayed.
        variant_reason: why that one.
        frames: how many golden frames were replayed.
        implementations: which preprocessing was compared, bit for bit: `native`, `numpy`.
        runtime: runtime, version and kernels.
        machine: the processor's architecture.
        largest_difference: of any output from its golden one, in real units.
        tolerance: what was allowed.
    """

    name: str
    variant: str
    variant_reason: str
    frames: int
    implementations: tuple[str, ...]
    runtime: str
    machine: str
    largest_difference: float
    tolerance: float

    def lines(self) -> list[str]:
        """Return the report for people."""
        return [
            f"{printable(self.name)}: verified on {self.machine} with {self.runtime}",
            f"  variant: {self.variant} ({printable(self.variant_reason)})",
            f"  {self.frames} frames: input tensors bit-equal ({' and '.join(self.implementations)}"
            " preprocessing)",
            f"  outputs differ by at most {self.largest_difference:.3g} "
            f"(allowed {self.tolerance:.3g})",
        ]


def verify_bundle(path: AnyPath, options: OpenOptions | None = None) -> VerifyReport:
    """Replay the golden frames: input tensors bit for bit, outputs within the tolerance.

    Every implementation of the preprocessing that is present here is replayed. Where a delegate
    computes, the CPU never answers instead.

    Args:
        path: the bundle.
        options: how it is opened; None takes the best that is there.

    Raises:
        BundleError: the bundle is damaged or has no golden frames.
        DelegateError: a required delegate does not work, or it failed again and again.
        VerificationError: something differs, with what and where.
    """
    path = Path(path)
    options = options or OpenOptions()
    refuse_plain_options(options, subject=str(path), also=NOT_GOLDEN)
    with open_bundle(path) as bundle:
        frames = [pixels for pixels, _ in read_golden(bundle)]
        if not frames:
            raise BundleError(
                path, got="has no golden frames", next_step="make it again with `edgeinfer convert`"
            )
        opened = open_variant(bundle, replace(options, substitute=False))
        variant = opened.variant
        with closing(opened.runner):
            (tensors,) = read_tensors(bundle, variant.golden_input, (variant.input,), len(frames))
            implementations = compare_frames(bundle, variant, frames, tensors)
            difference, tolerance = _compare_outputs(bundle, variant, opened.runner, tensors)
            return VerifyReport(
                name=bundle.manifest.name,
                variant=opened.choice.variant,
                variant_reason=opened.choice.reason,
                frames=len(frames),
                implementations=implementations,
                runtime=opened.runner.description,
                machine=platform.machine(),
                largest_difference=difference,
                tolerance=tolerance,
            )


def compare_frames(
    bundle: ModelBundle, variant: Variant, frames: list[Pixels], golden: NDArray[np.generic]
) -> tuple[str, ...]:
    """Prepare the golden frames with each implementation that is here.

    Returns:
        The implementations.

    Raises:
        VerificationError: a value of an input tensor differs.
    """
    implementations = ("native", "numpy") if load_kernels() is not None else ("numpy",)
    for implementation in implementations:
        preprocessor = Preprocessor(
            bundle.manifest.preprocess, variant.input, native=implementation == "native"
        )
        _compare_inputs(bundle.path, implementation, preprocessor, frames, golden)
    return implementations


def read_tensors(
    bundle: ModelBundle, member: str, tensors: Sequence[TensorSpec], frames: int
) -> list[NDArray[np.generic]]:
    """Return for each tensor all frames' values, (frames, *shape).

    Raises:
        BundleError: the member has another size.
    """
    record = np.dtype(
        [
            (f"tensor {index}", np.dtype(tensor.dtype).newbyteorder("<"), tensor.shape)
            for index, tensor in enumerate(tensors)
        ]
    )
    content = bundle.member(member)
    expected = frames * record.itemsize
    if len(content) != expected:
        raise BundleError(
            bundle.path,
            got=f"member '{member}' has {len(content):,} bytes",
            expected=f"{expected:,} for {frames} frames",
        )
    records = np.frombuffer(content, record)
    return [
        records[name].astype(tensor.dtype)
        for name, tensor in zip(record.names or (), tensors, strict=True)
    ]


def _compare_inputs(
    path: Path,
    implementation: str,
    preprocessor: Preprocessor,
    frames: list[Pixels],
    golden: NDArray[np.generic],
) -> None:
    for index, (pixels, expected) in enumerate(zip(frames, golden, strict=True)):
        tensor = preprocessor.tensor(pixels)
        unequal = np.argwhere(tensor != expected)
        if len(unequal):
            place = tuple(int(i) for i in unequal[0])
            raise VerificationError(
                path,
                got=f"frame {index}, {implementation} preprocessing: {len(unequal):,} of "
                f"{tensor.size:,} input values differ, the first at {place} is {tensor[place]}",
                expected=f"{expected[place]}",
                next_step="report this: host and device must prepare frames in the same way",
            )


def _compare_outputs(
    bundle: ModelBundle, variant: Variant, runner: ModelRunner, tensors: NDArray[np.generic]
) -> tuple[float, float]:
    """Return the largest difference, of the output closest to its tolerance, and that tolerance."""
    member = variant.golden_outputs.get(runner.kernels)
    if member is None:
        raise VerificationError(
            bundle.path,
            got=f"has no golden outputs for {runner.kernels} kernels",
            expected=f"{sorted(variant.golden_outputs)}",
            next_step="use another runtime, or make the bundle again"
            if variant.golden_outputs
            else "record them on a board that has the accelerator: `edgeinfer verify --record`",
        )
    golden = read_tensors(bundle, member, variant.outputs, len(tensors))
    tolerances = _tolerances(bundle, variant, runner.kernels, golden)
    task, said = find_task(bundle.manifest.task), bundle.manifest.said
    # Of several outputs the one that comes closest to its own tolerance is reported.
    closest = (0.0, 0.0, variant.output_tolerance)
    for index, tensor in enumerate(tensors):
        outputs = task.repeatable(said, runner.invoke([tensor]), variant.outputs)
        for spec, tolerance, output, expected in zip(
            variant.outputs, tolerances, outputs, golden, strict=True
        ):
            errors = np.abs(spec.dequantize(output) - spec.dequantize(expected[index]))
            difference = float(errors.max())
            # Doubles of a product such as 3 * scale need not be exact: half a part in a million.
            if not difference <= tolerance * (1 + 1e-6):
                raise VerificationError(
                    bundle.path,
                    got=f"frame {index}: {_output_name(variant, spec)} differs by "
                    f"{difference:.6g} on {runner.description}",
                    expected=f"at most {tolerance:.6g}",
                    next_step="update the runtime, or make the bundle again",
                )
            share = difference / tolerance if tolerance else 0.0
            closest = max(closest, (share, difference, tolerance))
    return closest[1], closest[2]


def _tolerances(
    bundle: ModelBundle, variant: Variant, kernels: str, golden: list[NDArray[np.generic]]
) -> tuple[float, ...]:
    """Return how much each output may differ here, in real units.

    The builtin kernels on ARM are a separate family: tflite-runtime's round additions another
    way there than those on x86-64 that the golden outputs come from (seen under qemu-user; an
    EfficientNet-Lite0 was 5 steps away, a ResNet8 8, in both cases with the same labels). How far
    correct roundings take a model's outputs apart, its bundle shows: by what XNNPACK's and the
    builtin kernels' golden outputs differ in, 4 and 20 steps there. So much, `SPREADS` times, is
    allowed on ARM, where that is more than the bundle's own tolerance.
    """
    other = variant.golden_outputs.get("xnnpack")
    if kernels != "builtin" or platform.machine() not in ARM or other is None:
        return variant.tolerances
    others = read_tensors(bundle, other, variant.outputs, len(golden[0]))
    return tuple(
        max(tolerance, SPREADS * float(np.abs(spec.dequantize(a) - spec.dequantize(b)).max()))
        if spec.scale
        else tolerance
        for spec, tolerance, a, b in zip(
            variant.outputs, variant.tolerances, golden, others, strict=True
        )
    )


def _output_name(variant: Variant, spec: TensorSpec) -> str:
    return "an output" if variant.more_outputs is None else f"output '{spec.name}'"
