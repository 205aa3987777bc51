"""The NPU of NXP's i.MX 8M Plus, through the VX delegate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import OpMapping

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel


class Vx(Accelerator):
    """A VeriSilicon NPU."""

    name = "vx"
    device = "a VeriSilicon NPU"
    target = "the NPU (VX delegate)"
    library = "libvx_delegate.so"
    package = "it is part of the board vendor's system image (i.MX 8M Plus: NXP's Yocto Linux)"
    nodes = ("/dev/galcore",)

    def map_model(self, model: TfliteModel) -> OpMapping:
        """Predict what the delegate takes of a model."""
        from edgeinfer.device.accelerators.vx.rules import map_vx

        return map_vx(model)


ACCELERATOR = Vx()
