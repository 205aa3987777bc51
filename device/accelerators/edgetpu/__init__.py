"""What the Edge TPU takes of a model, and why not the rest: predicted, and by its compiler."""

from edgeinfer.device.accelerators.edgetpu.mapping import EdgeTpuMapping as EdgeTpuMapping
from edgeinfer.device.accelerators.edgetpu.mapping import map_model as map_model
from edgeinfer.device.accelerators.mapping import MappedOp as MappedOp
