"""The variant for the NPU of the i.MX 8M Plus, through the VX delegate."""

from __future__ import annotations

from edgeinfer.converters.targets.delegate import DelegateTarget

VX_TOLERANCE_STEPS = 4
"""How many quantization steps the NPU's outputs may differ from the CPU's. Twice the
tolerance of other CPU kernels: the NPU rounds differently, which users saw from the first
convolution on (VeriSilicon/tflite-vx-delegate, issue 210). An estimate: none was available."""


class VxTarget(DelegateTarget):
    """The NPU, which takes the CPU's file."""

    name = "vx"
    tolerance_steps = VX_TOLERANCE_STEPS


TARGET = VxTarget()
