"""One preprocessing for host and device: PreprocessSpec says what, Preprocessor does it."""

from edgeinfer.device.preprocess.placement import Placement, place
from edgeinfer.device.preprocess.preprocessor import Preprocessor
from edgeinfer.device.preprocess.spec import PreprocessSpec
from edgeinfer.device.preprocess.table import PIXEL_DTYPES, normalize_table, tensor_table

__all__ = [
    "PIXEL_DTYPES",
    "Placement",
    "PreprocessSpec",
    "Preprocessor",
    "normalize_table",
    "place",
    "tensor_table",
]
