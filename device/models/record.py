"""Recording a bundle's golden outputs on the machine that has the accelerator."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeinfer.device.core.errors import BundleError, UsageError, storage_error
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.manifest import SIGNATURES
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.open_runner import open_variant
from edgeinfer.device.models.plain_options import NOT_GOLDEN, refuse_plain_options
from edgeinfer.device.models.verify import compare_frames, read_tensors
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.registry import find_task


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What was recorded.

    Attributes:
        bundle: the bundle that was written.
        variant: whose outputs they are.
        frames: how many frames were answered.
        runtime: runtime, version, kernels and delegate.
    """

    bundle: Path
    variant: str
    frames: int
    runtime: str

    def lines(self) -> list[str]:
        """Return the result for people."""
        return [
            f"{self.bundle}: {self.frames} frames answered by variant {self.variant} with "
            f"{self.runtime}",
            f"next: edgeinfer verify {self.bundle}",
        ]


def record_bundle(path: AnyPath, out: AnyPath, options: OpenOptions | None = None) -> Recorded:
    """Answer the golden frames and write a bundle with the answers.

    For a model that was compiled for an accelerator elsewhere: only a board that has the
    accelerator can answer. The inputs are compared bit for bit first, as `verify` does, and the CPU
    never answers instead.

    Args:
        path: the bundle.
        out: the bundle to write; it may be the same file.
        options: how it is opened.

    Raises:
        BundleError: the bundle is damaged or has no golden frames.
        DelegateError: the accelerator does not work, or failed again and again.
        StorageError: the bundle cannot be written.
        UsageError: the variant has its golden outputs already.
        VerificationError: an input differs.
    """
    path, out = Path(path), Path(out)
    options = options or OpenOptions()
    refuse_plain_options(options, subject=str(path), also=NOT_GOLDEN)
    with open_bundle(path) as bundle:
        manifest = bundle.manifest
        frames = [pixels for pixels, _ in read_golden(bundle)]
        if not frames:
            raise BundleError(
                path, got="has no golden frames", next_step="make it again with `edgeinfer adopt`"
            )
        opened = open_variant(bundle, replace(options, substitute=False))
        variant, name = opened.variant, opened.choice.variant
        with closing(opened.runner):
            kernels = opened.runner.kernels
            if kernels in variant.golden_outputs:
                raise UsageError(
                    "--record",
                    got=f"variant '{name}' has golden outputs for {kernels} kernels already",
                    expected="a variant without them",
                    next_step="compare with them: leave --record out",
                )
            (inputs,) = read_tensors(bundle, variant.golden_input, (variant.input,), len(frames))
            compare_frames(bundle, variant, frames, inputs)
            task = find_task(manifest.task)
            content = b"".join(
                np.ascontiguousarray(tensor, np.dtype(spec.dtype).newbyteorder("<")).tobytes()
                for values in inputs
                for tensor, spec in zip(
                    task.repeatable(manifest.said, opened.runner.invoke([values]), variant.outputs),
                    variant.outputs,
                    strict=True,
                )
            )
            runtime = opened.runner.description
        member = f"golden/{name}.output.{kernels}.raw"
        recorded = replace(variant, golden_outputs={**variant.golden_outputs, kernels: member})
        members = {
            known: bundle.member(known)
            for known in manifest.members
            if not known.startswith(SIGNATURES)
        }
        complete = replace(manifest, variants={**manifest.variants, name: recorded}, members={})
    try:
        write_bundle(out, complete, {**members, member: content})
    except OSError as error:
        raise storage_error(out, error) from error
    return Recorded(bundle=out, variant=name, frames=len(frames), runtime=runtime)
