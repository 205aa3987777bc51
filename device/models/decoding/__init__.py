"""Output tensors to predictions: one module for each kind, and what a manifest says of them."""

from edgeinfer.device.models.decoding.make_decode import Decode, make_decode
from edgeinfer.device.models.decoding.spec import Decoder, DetectionSpec, PoseSpec, Task, ValueSpec

__all__ = [
    "Decode",
    "Decoder",
    "DetectionSpec",
    "PoseSpec",
    "Task",
    "ValueSpec",
    "make_decode",
]
