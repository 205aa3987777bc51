"""One preprocessing for host and device: PreprocessSpec says what, Preprocessor does it."""

from edgeinfer.device.preprocess.preprocessor import Preprocessor, normalize_table, tensor_table
from edgeinfer.device.preprocess.spec import PreprocessSpec

__all__ = ["PreprocessSpec", "Preprocessor", "normalize_table", "tensor_table"]
