"""What a `.tflite` file contains, as plain values; `reader.py` reads them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import DTYPES, TensorDtype, TensorSpec

ELEMENT_BITS: dict[str, int | None] = {
    "float32": 32,
    "float16": 16,
    "int32": 32,
    "uint8": 8,
    "int64": 64,
    "string": None,
    "bool": 8,
    "int16": 16,
    "complex64": 64,
    "int8": 8,
    "float64": 64,
    "complex128": 128,
    "uint64": 64,
    "resource": None,
    "variant": None,
    "uint32": 32,
    "uint16": 16,
    "int4": 4,
    "bfloat16": 16,
    "int2": 2,
    "uint4": 4,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
}
"""Bits of one element, None where they vary, in the order of the schema's enum TensorType."""

OPTIONAL_TENSOR = -1
"""Among an operator's inputs, one that it does without."""


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """How a tensor's integers stand for real values: (q - zero_point) * scale.

    Attributes:
        scales: one, or one for each index along `axis`.
        zero_points: as many.
        axis: the dimension that the scales belong to, where there are several.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor of a subgraph.

    Attributes:
        name: as in the file; may be empty.
        shape: as the runtime first allocates it; a dimension that varies is 1 here.
        shape_signature: the same with -1 for a dimension that varies; empty where none does.
        dtype: a key of `ELEMENT_BITS`, more than a `TensorSpec` knows.
        quantization: None for a tensor of real values.
        buffer: the index of the buffer that holds a constant's bytes.
        data: a constant's bytes as they are in the file; empty for what is computed.
        variable: keeps its value from one inference to the next.
        sparse: `data` leaves out zeros.
    """

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...] = ()
    dtype: str
    quantization: Quantization | None = None
    buffer: int = 0
    data: memoryview = field(default=memoryview(b""), repr=False)
    variable: bool = False
    sparse: bool = False

    @property
    def elements(self) -> int:
        """How many elements the shape has."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int | None:
        """Bytes of the dense tensor; None for strings and handles."""
        bits = ELEMENT_BITS[self.dtype]
        return None if bits is None else (self.elements * bits + 7) // 8

    @property
    def scale(self) -> float:
        """The step of a tensor quantized as a whole; 0 where it is not, or per channel."""
        return self.quantization.scales[0] if self.quantization and not self.channels else 0.0

    @property
    def zero_point(self) -> int:
        """The integer that stands for 0.0 in a tensor quantized as a whole."""
        return self.quantization.zero_points[0] if self.quantization and not self.channels else 0

    @property
    def channels(self) -> int:
        """How many scales a tensor quantized per channel has; 0 for any other tensor."""
        count = len(self.quantization.scales) if self.quantization else 0
        return count if count > 1 else 0

    def spec(self) -> TensorSpec:
        """Return the tensor as an input or output of a model.

        Raises:
            ModelError: edgeinfer cannot feed or read its dtype, shape or quantization.
        """
        subject = f"tensor '{self.name}'"
        if self.dtype not in DTYPES:
            raise ModelError(
                subject, got=f"dtype is {self.dtype}", expected="one of " + ", ".join(DTYPES)
            )
        if self.channels:
            raise ModelError(
                subject,
                got=f"it has {self.channels} scales",
                expected="one scale on inputs and outputs",
            )
        if min(self.shape, default=1) < 1:
            raise ModelError(subject, got=f"shape is {self.shape}", expected="sizes from 1")
        return TensorSpec(
            name=self.name,
            shape=self.shape,
            dtype=cast(TensorDtype, self.dtype),
            scale=self.scale,
            zero_point=self.zero_point,
        )


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One step of a subgraph; tensors are indices into `Subgraph.tensors`, -1 for none.

    `options` are those that `op_options.py` knows, by name.
    """

    op: str
    version: int
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...] = ()
    options: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OperatorCode:
    """A kind of operator that the file declares: a runtime refuses the file if it lacks one."""

    op: str
    version: int
    custom: bool


@dataclass(frozen=True, kw_only=True)
class Subgraph:
    """A graph of operators, in the order in which they run; the first is the model's own."""

    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A named way to call a subgraph: (argument name, tensor index) of its inputs and outputs."""

    name: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A named block of bytes that no runtime needs."""

    name: str
    data: memoryview = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TfliteModel:
    """A `.tflite` file."""

    schema_version: int
    description: str
    operator_codes: tuple[OperatorCode, ...]
    subgraphs: tuple[Subgraph, ...]
    metadata: tuple[Metadata, ...]
    signatures: tuple[Signature, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that the model is fed."""
        return tuple(self.subgraphs[0].tensors[index] for index in self.subgraphs[0].inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors that the model answers with."""
        return tuple(self.subgraphs[0].tensors[index] for index in self.subgraphs[0].outputs)

    @property
    def op_counts(self) -> dict[tuple[str, int], int]:
        """How often each (operator, version) runs, over all subgraphs, the most frequent first."""
        counts = Counter(
            (operator.op, operator.version)
            for subgraph in self.subgraphs
            for operator in subgraph.operators
        )
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def custom_ops(self) -> tuple[str, ...]:
        """The custom operators that the file declares, in alphabetical order."""
        return tuple(sorted({code.op for code in self.operator_codes if code.custom}))

    @cached_property
    def _constants(self) -> tuple[Tensor, ...]:
        """One tensor for each buffer of constants: tensors may share one."""
        by_buffer = {
            tensor.buffer: tensor
            for subgraph in self.subgraphs
            for tensor in subgraph.tensors
            if len(tensor.data)
        }
        return tuple(by_buffer.values())

    @property
    def parameters(self) -> int:
        """How many numbers the constant tensors store: weights, biases, and a few shapes."""
        return sum(
            tensor.elements
            if not tensor.sparse
            else len(tensor.data) * 8 // (ELEMENT_BITS[tensor.dtype] or 8)
            for tensor in self._constants
        )

    @property
    def constant_bytes(self) -> int:
        """How many bytes the constant tensors take in the file."""
        return sum(len(tensor.data) for tensor in self._constants)

    @property
    def fully_integer(self) -> bool:
        """Whether no tensor holds real or complex numbers, so that integer hardware is enough."""
        return not any(
            tensor.dtype.startswith(("float", "bfloat", "complex"))
            for subgraph in self.subgraphs
            for tensor in subgraph.tensors
        )
