"""The variant for a GPU: float16, with golden outputs that its model gives on the CPU."""

from __future__ import annotations

from edgeinfer.converters.bundle.golden import make_golden
from edgeinfer.converters.bundle.write import FLOAT_TOLERANCE_SHARE
from edgeinfer.converters.quantize.litert import cast_float16
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.converters.targets.delegate import DelegateTarget
from edgeinfer.converters.targets.target import Draft, TargetOptions
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.tflite.reader import read_tflite

FLOAT16 = "a separate float16 file"

FLOAT16_STEP = 2.0**-11
"""The largest relative error of rounding to float16, which has 11 bits."""


class GpuTarget(DelegateTarget):
    """A GPU, which computes in floating point."""

    name = "gpu"
    step = "make the GPU's variant"
    tells_share = False

    def with_variant(self, draft: Draft, options: TargetOptions) -> Draft:
        """Return a bundle with a float16 variant.

        Raises:
            ConversionError: the model cannot be made float16, or a runtime could not load the
                result.
        """
        subject = f"{draft.manifest.name} for the GPU"
        content = cast_float16(draft.float32, subject=subject)
        require_loadable(content, subject=subject)
        model = read_tflite(content, subject=subject)
        golden = make_golden(
            *(content, draft.manifest.preprocess, draft.samples),
            task=draft.manifest.task,
            said=draft.manifest.said,
            known=False,  # the CPU variant's frames already have their labels
            variant=self.name,
        )
        operators = len(self.accelerator.map_model(model).ops)
        variant = Variant(
            file=f"variants/{self.name}.tflite",
            delegate=self.name,
            precision="float16",
            input=model.inputs[0].spec(),
            output=model.outputs[0].spec(),
            output_tolerance=gpu_tolerance(operators, golden.largest_outputs[0]),
            golden_input=golden.input_member,
            golden_outputs=golden.output_members,
        )
        added = {**golden.members, variant.file: content}
        return self.predicted(draft, model, variant, added, title=self.name, state=FLOAT16)


def gpu_tolerance(operators: int, largest_output: float) -> float:
    """Return how much a GPU's output may differ from the CPU's, in real units.

    GPUs may compute in float16. Each operator then rounds its result; if these errors add up and
    none cancels another, the sum is one rounding of the largest output for each operator. An
    estimate: no GPU was available. It is at least the tolerance of other CPUs.
    """
    rounded = operators * FLOAT16_STEP * largest_output
    return max(rounded, FLOAT_TOLERANCE_SHARE * largest_output)


TARGET = GpuTarget()
