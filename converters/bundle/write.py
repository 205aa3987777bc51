"""The last steps of every conversion: tolerances, provenance, and a bundle that was replayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from edgeinfer.converters.bundle.golden import GoldenVectors
from edgeinfer.device.core.errors import ConversionError, storage_error
from edgeinfer.device.core.tensors import Precision, TensorSpec
from edgeinfer.device.models.bundle.manifest import ModelManifest, Output, Variant
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.verify import VerifyReport, verify_bundle
from edgeinfer.device.runtime.runner import Runner

TOLERANCE_STEPS = 2
"""How many quantization steps an output may differ on another machine or runtime version.

XNNPACK gave identical outputs on x86-64 and arm64 when it was measured; other versions of it
round some layers by one step, which can add up to two at the output. The builtin kernels on ARM
round differently; `verify` allows for that.
"""

FLOAT_TOLERANCE_SHARE = 0.01
"""How much of the largest golden output a float output may differ on another machine."""

CPU_MEMBER = "variants/cpu.tflite"


@contextmanager
def manifest_errors(out: Path) -> Iterator[None]:
    """Turn a refused manifest into an error of one line.

    Raises:
        ConversionError: a manifest was refused.
    """
    try:
        yield
    except ValueError as error:
        raise ConversionError(
            out,
            got=f"cannot be made: {error}",
            next_step="change the model's labels, or its file's name",
        ) from error


def write_verified(
    out: Path, manifest: ModelManifest, members: dict[str, bytes]
) -> tuple[ModelManifest, VerifyReport]:
    """Write the bundle next to `out`, replay it, and only then give it its name."""
    candidate = out.with_name(f".{out.name}.candidate")
    try:
        manifest = write_bundle(candidate, manifest, members)
        verified = verify_bundle(candidate)
        candidate.replace(out)
    except OSError as error:
        raise storage_error(out, error) from error
    finally:
        candidate.unlink(missing_ok=True)
    return manifest, verified


def output_tolerance(output: TensorSpec, largest_output: float) -> float:
    """Return how much an output may differ elsewhere, in real units.

    Integer outputs: `TOLERANCE_STEPS`. Float outputs come from sums that other processors add up
    in another order, and with `dynamic` from activations that are rounded on the way: a hundredth
    of the largest golden output.
    """
    return (
        TOLERANCE_STEPS * output.scale if output.scale else FLOAT_TOLERANCE_SHARE * largest_output
    )


def cpu_variant(content: bytes, precision: Precision, golden: GoldenVectors) -> Variant:
    """Return what the manifest says of the model that runs on the CPU."""
    runner = Runner(content, subject="the converted model", kernels="builtin")
    tolerances = [
        output_tolerance(output, largest)
        for output, largest in zip(runner.outputs, golden.largest_outputs, strict=True)
    ]
    others = [
        Output(tensor=tensor, tolerance=tolerance)
        for tensor, tolerance in zip(runner.outputs[1:], tolerances[1:], strict=True)
    ]
    return Variant(
        file=CPU_MEMBER,
        precision=precision,
        input=runner.inputs[0],
        output=runner.outputs[0],
        output_tolerance=tolerances[0],
        golden_input=golden.input_member,
        golden_outputs=golden.output_members,
        more_outputs=tuple(others) or None,
    )


def tool_versions() -> dict[str, str]:
    """Return the versions that converted the model; the provenance already says what trained it."""
    found = {}
    for package in (
        "edgeinfer",
        "tensorflow",
        "tensorflow_cpu",
        "ai_edge_litert",
        "ai_edge_quantizer",
    ):
        with suppress(metadata.PackageNotFoundError):
            found[f"convert.{package}"] = metadata.version(package)
    return found
