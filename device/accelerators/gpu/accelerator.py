"""A GPU, through TensorFlow Lite's GPU delegate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import OpMapping

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel


class Gpu(Accelerator):
    """Any GPU with OpenCL or OpenGL ES."""

    name = "gpu"
    device = "a GPU"
    target = "the GPU"
    library = "libtensorflowlite_gpu_delegate.so"
    package = "build it from TensorFlow Lite, with the external delegate's two functions"
    nodes = ("/dev/mali0", "/dev/kgsl-3d0", "/dev/dri/renderD128")
    group = "render"
    integer_only = False
    boardless = True

    def map_model(self, model: TfliteModel) -> OpMapping:
        """Predict what the delegate takes of a model."""
        from edgeinfer.device.accelerators.gpu.rules import map_gpu

        return map_gpu(model)


ACCELERATOR = Gpu()
