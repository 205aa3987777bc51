"""Reads `.tflite` files without a runtime, so that a damaged one is refused before it is loaded.

The runtimes trust their input: of the bytes they are handed, a wrong index may end the process.
Whatever `read_tflite` returns has every index within range (see `safety/checks.py`).

Source: the TensorFlow Lite schema, version 3 (tensorflow/lite/schema/schema.fbs); field numbers
below are the order of the fields in its tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import TFLITE_IDENTIFIER
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError, Kind, Table
from edgeinfer.device.tflite.metadata.flexbuffer import read_numbers
from edgeinfer.device.tflite.model import (
    ELEMENT_BITS,
    Metadata,
    Operator,
    OperatorCode,
    Quantization,
    Signature,
    Subgraph,
    Tensor,
    TfliteModel,
)
from edgeinfer.device.tflite.op_options import read_later_options, read_options
from edgeinfer.device.tflite.safety.checks import check_model
from edgeinfer.device.tflite.weights_outside import (
    BUFFER_FIELDS,
    MODEL_BUFFERS,
    OPTIONS_FIELDS,
    Placed,
    check_alignment,
    placed,
)

SCHEMA_VERSION = 3

# The fields of BuiltinOptions that are vectors, by the union's number: ConcatEmbeddings, Reshape,
# Squeeze, VarHandle, Bucketize.
_LISTS_IN_OPTIONS = {3: (1, 2), 17: (0,), 30: (0,), 111: (0, 1), 115: (0,)}
# Operators whose options (BuiltinOptions of this number, field 0) say how many outputs they have.
_COUNTS_OUTPUTS = {"SPLIT": 35, "SPLIT_V": 79, "UNPACK": 64}
# Operators that divide by a stride or step by a window: the options' number, and the fields.
_SIZES_IN_OPTIONS = {
    "CONV_2D": (1, (1, 2)),
    "DEPTHWISE_CONV_2D": (2, (1, 2)),
    "AVERAGE_POOL_2D": (5, (1, 2, 3, 4)),
    "MAX_POOL_2D": (5, (1, 2, 3, 4)),
    "L2_POOL_2D": (5, (1, 2, 3, 4)),
    "TRANSPOSE_CONV": (49, (1, 2)),
    "CONV_3D": (106, (1, 2, 3)),
    "CONV_3D_TRANSPOSE": (106, (1, 2, 3)),
}
# ... and those that may be left out: the options' number, the fields, and the least that kernels
# take, which stands for them where they are left out.
_LEAST_IN_OPTIONS = {
    "CONV_2D": (1, (4, 5), 1),
    "DEPTHWISE_CONV_2D": (2, (5, 6), 1),
    "CONV_3D": (106, (5, 6, 7), 1),
    "CONV_3D_TRANSPOSE": (106, (5, 6, 7), 1),
    "LOCAL_RESPONSE_NORMALIZATION": (13, (0,), 0),
}
# Custom operators whose options decide how a model's answers are read.
_NUMBERS_IN_OPTIONS = {"TFLite_Detection_PostProcess"}
# The union SparseIndexVector: Int32Vector, Uint16Vector, Uint8Vector.
_SPARSE_INDEX_KINDS: dict[int, Kind] = {1: "i", 2: "H", 3: "B"}
_Item = TypeVar("_Item")
_NEXT_STEP = "fetch or convert the model again"
_DTYPES = tuple(ELEMENT_BITS)
_CUSTOM = BUILTIN_OPS.index("CUSTOM")


def read_tflite(data: bytes, *, subject: str) -> TfliteModel:
    """Return what a `.tflite` file contains; `data` may be followed by anything, such as a ZIP.

    Args:
        data: the whole file.
        subject: what errors are about, such as the file's name.

    Raises:
        ModelError: it is not a TensorFlow Lite model, or a damaged one, or one that keeps its
            weights in other files.
    """
    buffer = FlatBuffer(data)
    if buffer.identifier() != TFLITE_IDENTIFIER:
        raise ModelError(
            subject, got="is not a TensorFlow Lite model", next_step="choose a .tflite file"
        )
    try:
        model = _model(buffer.root())
        check_model(model)
    except FlatbufferError as error:
        raise ModelError(
            subject, got=f"is a damaged TensorFlow Lite model: {error}", next_step=_NEXT_STEP
        ) from error
    return model


def _pick(items: Sequence[_Item], index: int, who: str, what: str) -> _Item:
    """Return the item that `who` refers to by `index`."""
    if index >= len(items):
        raise FlatbufferError(f"{who}: {what} {index} is none of {len(items)}")
    return items[index]


def _model(root: Table) -> TfliteModel:
    version = root.integer(0, "I")
    if version != SCHEMA_VERSION:
        raise FlatbufferError(f"its schema version is {version}, expected {SCHEMA_VERSION}")
    if root.tables(9):
        raise FlatbufferError("its weights are in other files, which edgeinfer does not read")
    codes = tuple(_operator_code(table) for table in root.tables(1))
    # Buffer 0 is empty by convention; the least of models leave it out.
    buffers = [placed(table, BUFFER_FIELDS) for table in root.tables(MODEL_BUFFERS)]
    buffers = buffers or [Placed(memoryview(b""), 0)]
    return TfliteModel(
        schema_version=version,
        description=root.string(3),
        operator_codes=codes,
        subgraphs=tuple(_subgraph(table, codes, buffers) for table in root.tables(2)),
        metadata=tuple(
            Metadata(
                name=table.string(0),
                data=_pick(buffers, table.integer(1, "I"), "metadata", "buffer").data,
            )
            for table in root.tables(6)
        ),
        signatures=tuple(_signature(table) for table in root.tables(7)),
    )


def _operator_code(table: Table) -> OperatorCode:
    # Files from before there were 128 operators have the old field alone; newer files fill both,
    # the old one only as far as a byte goes.
    code = max(table.integer(0, "b"), table.integer(3, "i"))
    if code < 0:
        raise FlatbufferError(f"an operator's number is {code}")
    custom = code == _CUSTOM
    if custom:
        name = table.string(1)
    else:
        name = BUILTIN_OPS[code] if code < len(BUILTIN_OPS) else f"UNKNOWN_{code}"
    return OperatorCode(op=name, version=table.integer(2, "i", 1), custom=custom)


def _subgraph(table: Table, codes: tuple[OperatorCode, ...], buffers: list[Placed]) -> Subgraph:
    return Subgraph(
        name=table.string(4),
        tensors=tuple(_tensor(item, buffers) for item in table.tables(0)),
        inputs=table.integers(1),
        outputs=table.integers(2),
        operators=tuple(_operator(item, codes) for item in table.tables(3)),
    )


def _tensor(table: Table, buffers: list[Placed]) -> Tensor:
    # The runtimes' Python packages raise UnicodeDecodeError at such a name, whenever they return
    # it.
    name = table.text(3, "tensor's name")
    code = table.integer(1, "b")
    if not 0 <= code < len(_DTYPES):
        raise FlatbufferError(f"tensor '{name}': its dtype has the unknown number {code}")
    buffer = table.integer(2, "I")
    if table.integer(10, "I"):
        raise FlatbufferError(f"tensor '{name}': its bytes are in another file")
    found = _pick(buffers, buffer, f"tensor '{name}'", "buffer")
    check_alignment(found, ELEMENT_BITS[_DTYPES[code]], subject=f"tensor '{name}'")
    return Tensor(
        name=name,
        shape=table.integers(0),
        shape_signature=table.integers(7),
        dtype=_DTYPES[code],
        quantization=_quantization(table.table(4)),
        buffer=buffer,
        data=found.data,
        variable=bool(table.integer(5, "B")),
        sparse=_is_sparse(table.table(6)),
    )


def _is_sparse(table: Table | None) -> bool:
    """Return whether the tensor is sparse; follow the lists that a runtime would expand it with."""
    if table is None:
        return False
    table.integers(0)
    table.integers(1)
    for dimension in table.tables(2):
        for type_field, value_field in ((2, 3), (4, 5)):
            kind, values = dimension.union(type_field, value_field)
            if values is not None and kind in _SPARSE_INDEX_KINDS:
                values.integers(0, _SPARSE_INDEX_KINDS[kind])
    return True


def _quantization(table: Table | None) -> Quantization | None:
    """Return the scales; a table that has only the trained minimum and maximum has none."""
    scales = table.floats(2) if table else ()
    if table is None or not scales:
        return None
    return Quantization(
        scales=scales, zero_points=table.integers(3, "q"), axis=table.integer(6, "i")
    )


def _operator(table: Table, codes: tuple[OperatorCode, ...]) -> Operator:
    code = _pick(codes, table.integer(0, "I"), "an operator", "operator code")
    outputs = table.integers(2)
    union, options = table.union(3, 4)
    _check_options(code.op, union, options, len(outputs))
    later = read_later_options(code.op, *table.union(11, 12))
    # Runtimes read these too, and old ones do not check them.
    placed(table, OPTIONS_FIELDS)
    table.raw(7)
    return Operator(
        op=code.op,
        version=code.version,
        custom=code.custom,
        inputs=table.integers(1),
        outputs=outputs,
        intermediates=table.integers(8),
        options=read_options(code.op, union, options) | later | _custom_options(code, table),
    )


def _custom_options(code: OperatorCode, table: Table) -> dict[str, int]:
    """Return the whole numbers among a custom operator's options.

    What cannot be read is left out: an operator's options may be in any form.
    """
    if not code.custom or code.op not in _NUMBERS_IN_OPTIONS:
        return {}
    try:
        numbers = read_numbers(table.raw(5))
    except FlatbufferError:
        return {}
    return {name: int(value) for name, value in numbers.items() if isinstance(value, int)}


def _check_options(op: str, kind: int, options: Table | None, outputs: int) -> None:
    """Refuse options of which the kernels are known to crash."""
    if options is not None:
        for field in _LISTS_IN_OPTIONS.get(kind, ()):
            options.raw(field)
    if op in _COUNTS_OUTPUTS:
        said = options.integer(0, "i") if options and kind == _COUNTS_OUTPUTS[op] else None
        if said != outputs:
            raise FlatbufferError(f"{op} has {outputs} outputs, its options say {said}")
    if op in _SIZES_IN_OPTIONS:
        wanted, fields = _SIZES_IN_OPTIONS[op]
        if kind != wanted or options is None:
            raise FlatbufferError(f"{op} has no options of its kind")
        if min(options.integer(field, "i") for field in fields) < 1:
            raise FlatbufferError(f"{op} has a stride or window below 1")
    if op in _LEAST_IN_OPTIONS and options is not None:
        wanted, fields, least = _LEAST_IN_OPTIONS[op]
        if kind == wanted and min(options.integer(f, "i", least) for f in fields) < least:
            raise FlatbufferError(f"{op} has a dilation or radius below {least}")


def _signature(table: Table) -> Signature:
    def arguments(field: int) -> tuple[tuple[str, int], ...]:
        return tuple(
            (item.text(0, "signature's argument"), item.integer(1, "I"))
            for item in table.tables(field)
        )

    return Signature(
        name=table.text(2, "signature's name"),
        subgraph=table.integer(4, "I"),
        inputs=arguments(0),
        outputs=arguments(1),
    )
