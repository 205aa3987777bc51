"""What each operator takes and gives: how many tensors, of which types and ranks.

Kernels of the runtimes trust much of this: one that is given another type writes beyond its output,
and one that is given too few inputs reads what is not there. The table tells what they handle; it
holds no operator that handles strings or hash tables, which no image model needs.

An operator has one signature or several, such as `f f f? -> f`: inputs, an arrow, outputs. A tensor
is a set of letters, one for each type that it may have (`LETTERS`), or `*` for any; `T` stands for
one type, the same in all places, out of the set before the colon. Behind it may be

- `@4`, `@3-4`, `@1+`: its rank, or the range of it;
- `#1`, `#2`: how many elements it has; `#r`: as many as the first tensor of data has dimensions;
- `!`: what the model is fed must not decide its values: a size or an axis that depends on a picture
  could not be tried before that picture comes;
- `?`: it may be left out; `...`: it stands for one or more.

Sources: the definitions of the operators in the TensorFlow Lite dialect of TensorFlow 2.21
(tensorflow/compiler/mlir/lite/ir/tfl_ops.td) say what converters write; the kernels of LiteRT 2.3
and TensorFlow Lite 2.14 what they check, seen by running generated models (tests/fuzz).
"""

from __future__ import annotations

LETTERS: dict[str, str] = {
    "f": "float32",
    "h": "float16",
    "d": "float64",
    "g": "bfloat16",
    "i": "int32",
    "I": "uint32",
    "l": "int64",
    "L": "uint64",
    "s": "int16",
    "S": "uint16",
    "b": "int8",
    "B": "uint8",
    "4": "int4",
    "2": "int2",
    "o": "bool",
    "c": "complex64",
    "C": "complex128",
    "r": "resource",
}
"""The types that the table names, a letter for each."""

_ANY = "fhdgiIlLsSbBo42cC"
_PLAIN = "fhilsbBoI"

# Operators that share their signatures are on one line.
_TABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Element by element, one tensor.
    ("ABS", ("fhsib: T -> T",)),
    ("CEIL COS FLOOR ROUND SIN SQUARE", ("fh: T -> T",)),
    ("FAKE_QUANT", ("f -> f",)),
    ("ELU", ("fhb: T -> T",)),
    ("EXP LOG RSQRT SQRT", ("fhbs: T -> T",)),
    ("NEG", ("fhilsb: T -> T",)),
    ("SIGN", ("fdi: T -> T",)),
    ("ZEROS_LIKE", ("filbBs: T -> T",)),
    ("LOGICAL_NOT", ("o -> o",)),
    ("LOGISTIC TANH RELU LEAKY_RELU", ("fhbBs: T -> T",)),
    ("RELU6 RELU_N1_TO_1 RELU_0_TO_1 HARD_SWISH GELU", ("fhbBs: T -> T",)),
    ("SOFTMAX", ("fhbBs: T@1+ -> T", "bB@1+ -> s")),
    ("LOG_SOFTMAX", ("fbB: T@1+ -> T",)),
    ("L2_NORMALIZATION", ("fbB: T@1+ -> T",)),
    ("LOCAL_RESPONSE_NORMALIZATION L2_POOL_2D", ("f@4 -> f",)),
    ("COMPLEX_ABS REAL IMAG", ("c -> f", "C -> d")),
    # Between types.
    ("CAST", ("fhdgiIlsSbBo4c -> fhdgiIlsSbBoc4",)),
    ("BITCAST", (f"{_ANY} -> {_ANY}",)),
    ("DEQUANTIZE", ("bBshg42 -> f",)),
    ("QUANTIZE", ("fbBsi -> bBsi4",)),
    ("DENSIFY", ("fhb: T -> T",)),
    # Element by element, two tensors.
    ("ADD SUB", ("fhsilbB: T T -> T",)),
    ("MUL", ("fhsilbBIc: T T -> T", "s s -> bB")),
    ("DIV", ("fhisbB: T T -> T",)),
    ("MAXIMUM MINIMUM", ("fhilsbB: T T -> T",)),
    ("POW", ("fi: T T -> T",)),
    ("SQUARED_DIFFERENCE", ("fhib: T T -> T",)),
    ("FLOOR_DIV FLOOR_MOD", ("fbsil: T T -> T",)),
    ("ATAN2", ("fhd: T T -> T",)),
    ("PRELU", ("fhbBs: T T -> T",)),
    ("LOGICAL_AND LOGICAL_OR", ("o o -> o",)),
    ("BITWISE_XOR RIGHT_SHIFT", ("bBsSiI: T T -> T",)),
    ("EQUAL NOT_EQUAL", ("ofhsilbB: T T -> o",)),
    ("GREATER GREATER_EQUAL LESS LESS_EQUAL", ("fhsilbB: T T -> o",)),
    ("ADD_N", ("fi: T... -> T",)),
    ("SELECT SELECT_V2", ("ofhdsilbBISLc: o T T -> T",)),
    ("STABLEHLO_ADD STABLEHLO_MULTIPLY", ("ofhdsilbBISL: T T -> T",)),
    ("STABLEHLO_MAXIMUM STABLEHLO_MINIMUM", ("ofhdsilbBISL: T T -> T",)),
    # Convolutions and products: float, hybrid, 8 bits, 16 by 8 bits.
    (
        "CONV_2D DEPTHWISE_CONV_2D",
        (
            "f@4 f@4 f? -> f",
            "f@4 bB4@4 f? -> f",
            "b@4 b4@4 i? -> b",
            "B@4 B@4 i? -> B",
            "s@4 b4@4 il? -> s",
        ),
    ),
    (
        "TRANSPOSE_CONV",
        (
            "i@1#4! f@4 f@4 f? -> f",
            "i@1#4! b@4 f@4 f? -> f",
            "i@1#4! b@4 b@4 i? -> b",
            "i@1#4! B@4 B@4 i? -> B",
            "i@1#4! b@4 s@4 il? -> s",
        ),
    ),
    ("CONV_3D", ("f@5 f@5 f? -> f",)),
    ("CONV_3D_TRANSPOSE", ("i@1#5! f@5 f@5 f? -> f",)),
    (
        "FULLY_CONNECTED",
        (
            "f@1+ f@2 f? -> f",
            "f@1+ bB42@2 f? -> f",
            "b@1+ b42@2 i? -> b",
            "B@1+ B@2 i? -> B",
            "B@1+ B@2 i? -> s",
            "B@1+ B@2 i? -> s B",
            "s@1+ b4s@2 il? -> s",
        ),
    ),
    (
        "BATCH_MATMUL",
        (
            "f@2-5 f@2-5 -> f",
            "f@2-5 b@2-5 -> f",
            "b@2-5 b@2-5 -> bi",
            "s@2-5 s@2-5 -> s",
        ),
    ),
    ("AVERAGE_POOL_2D MAX_POOL_2D", ("fhbBs: T@4 -> T",)),
    # Along axes.
    ("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD", ("fhilbBs: T i@0-1! -> T",)),
    ("REDUCE_ANY REDUCE_ALL", ("o i@0-1! -> o",)),
    ("ARG_MAX ARG_MIN", ("ofibB@1+ il#1! -> il",)),
    ("CUMSUM", ("fil: T i#1! -> T",)),
    ("TOPK_V2", ("fsilbB: T@1+ is#1! -> T is",)),
    ("REVERSE_V2", ("fhsilbBo: T@1+ i@1#1! -> T",)),
    ("REVERSE_SEQUENCE", ("filsB: T@2+ il@1! -> T",)),
    # Shapes.
    ("RESHAPE", (f"{_ANY}: T i@1!? -> T",)),
    ("SQUEEZE", (f"{_ANY}: T -> T",)),
    ("EXPAND_DIMS", (f"{_ANY}: T il#1! -> T",)),
    ("TRANSPOSE", ("fhdsilbBISLo4c: T@0-8 i@1#r! -> T",)),
    ("SHAPE", ("* -> il",)),
    ("RANK", ("* -> i",)),
    ("BROADCAST_ARGS", ("il: T@1! T@1! -> T",)),
    ("BROADCAST_TO", ("fhsilbBoISLc: T@0-8 il@1! -> T",)),
    ("TILE", ("fhdsilbBoI4c: T il@1#r! -> T",)),
    ("PAD", ("fhilsbBo: T@0-5 bsil@2! -> T",)),
    ("PADV2", ("fhilsbBo: T@0-5 bsil@2! T#1 -> T",)),
    ("MIRROR_PAD", ("fhilsbBo: T il@2! -> T",)),
    ("SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND", ("fhilsbB: T@3-4 i@1! i@2! -> T",)),
    ("SPACE_TO_DEPTH DEPTH_TO_SPACE", ("fhilsbB: T@4 -> T",)),
    # Parts of tensors, and tensors of parts.
    ("CONCATENATION", (f"{_PLAIN}4: T... -> T",)),
    ("PACK", ("fhsilbBoI: T... -> T",)),
    ("UNPACK", ("fhsilbBo: T@1+ -> T...",)),
    ("SPLIT", ("fhsilbB: i#1! T@1+ -> T...",)),
    ("SPLIT_V", ("fhsilbB: T@1+ il@1! i#1! -> T...",)),
    ("SLICE", (f"{_PLAIN}: T@0-5 il@1#r! il@1#r! -> T",)),
    ("STRIDED_SLICE", (f"{_PLAIN}: T@0-8 i@1! i@1! i@1! -> T",)),
    ("GATHER", ("fhsilbBo4: T@1+ sil -> T",)),
    ("GATHER_ND", ("fhsilbBo: T@1+ sil@1+ -> T",)),
    ("SCATTER_ND", ("fhilbBo: i@1+ T i@1! -> T",)),
    ("SPARSE_TO_DENSE", ("filbB: il@0-2 il@1! T@0-1 T#1 -> T",)),
    ("DYNAMIC_UPDATE_SLICE", ("ofhsilb: T T il@1#r! -> T",)),
    ("EMBEDDING_LOOKUP", ("fbB4: i@1 T@2+ -> T", "i@1 bB4@2+ -> f")),
    ("SEGMENT_SUM", ("fi: T@1+ i@1 -> T",)),
    (
        "UNSORTED_SEGMENT_SUM UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN",
        ("fi: T@1+ i i#1! -> T",),
    ),
    ("WHERE", ("ofilbBI -> l",)),
    ("UNIQUE", ("fsilbB: T@1 -> T il",)),
    ("ONE_HOT", ("filobB: il i#1! T#1 T#1 -> T",)),
    ("MATRIX_DIAG", ("fsilbB: T@1+ -> T",)),
    ("MATRIX_SET_DIAG", ("fsilbB: T@2+ T@1+ -> T",)),
    # Numbers out of nothing.
    ("FILL", ("fhilosb: il@1! T#1 -> T",)),
    ("RANGE", ("fil: T#1! T#1! T#1! -> T",)),
    ("RANDOM_UNIFORM RANDOM_STANDARD_NORMAL", ("i@1! -> f",)),
    ("MULTINOMIAL", ("f@2 i#1! -> il",)),
    ("BUCKETIZE", ("fdil -> i",)),
    ("RFFT2D", ("f@2+ i@1#2! -> c",)),
    # Pictures and boxes.
    ("RESIZE_BILINEAR", ("fhbBs: T@4 i@1#2! -> T",)),
    ("RESIZE_NEAREST_NEIGHBOR", ("fhibBs: T@4 i@1#2! -> T",)),
    ("NON_MAX_SUPPRESSION_V4", ("f@2 f@1 i#1! f#1 f#1 -> i i",)),
    ("NON_MAX_SUPPRESSION_V5", ("f@2 f@1 i#1! f#1 f#1 f#1 -> i f i",)),
    # Recurrent cells: which inputs are left out is up to the kernels, which check sizes.
    (
        "LSTM",
        (
            "f@2 f@2 f@2 f@1 f@2 -> f f f f",
            "B@2 B@2 B@2 i@1 s@2 -> B s B s",
            *(
                f"{x} {'fb? ' * 11}{'fi? ' * 4}fb? fi? fbs fbs{tail} -> {x}"
                for x in ("f", "b", "s")
                for tail in ("", " fs?" * 4)
            ),
        ),
    ),
    (
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        tuple(
            f"{x}@2+ {'fb? ' * 8}{'fbs? ' * 3}{'fi? ' * 4}fb? fi? fbs fbs{tail} -> {x}"
            for x in ("f", "b")
            for tail in ("", " fbs?" * 4)
        ),
    ),
    (
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        tuple(
            f"f@3 {'fb? ' * 11}{'f? ' * 4}fb? f? {'fb? ' * 11}{'f? ' * 4}fb? f? "
            f"f f f f {'fb? ' * 9}-> {outputs}"
            for outputs in ("f", "f f")
        ),
    ),
    ("RNN", ("f@2 fbB@2 fbB@2 f@1 f@2 -> f",)),
    ("UNIDIRECTIONAL_SEQUENCE_RNN", ("f@3 fbB@2 fbB@2 f@1 f@2 -> f",)),
    (
        "BIDIRECTIONAL_SEQUENCE_RNN",
        tuple(
            f"f@3 fbB@2 fbB@2 f@1 f@2 fbB@2 fbB@2 f@1 f@2 f@3? fbB? fbB? -> {outputs}"
            for outputs in ("f", "f f")
        ),
    ),
    ("SVDF", ("f@2 fbB@2 f@2 f? f@2 -> f", "b@2 b@2 sb@2 i? sb@2 -> b")),
    # Graphs within graphs, and what remains after an inference; subgraphs.py checks the graphs.
    ("IF", ("o#1 *... -> *...", "o#1 -> *...")),
    ("WHILE", ("*... -> *...",)),
    ("STABLEHLO_COMPOSITE", ("*... -> *...", "-> *...")),
    ("CALL_ONCE", ("->",)),
    ("VAR_HANDLE", ("-> r",)),
    ("READ_VARIABLE", (f"r -> {_ANY}",)),
    ("ASSIGN_VARIABLE", (f"r {_ANY} ->",)),
    # The custom operators that both runtimes have and image models use.
    ("TFLite_Detection_PostProcess", ("fbB@3 fbB@3 fbB@2 -> f f f f",)),
    ("Convolution2DTransposeBias", ("f@4 f@4 f@1 -> f",)),
)

UNCOVERED_CUSTOM_OPS = frozenset(
    ["AudioSpectrogram", "MaxPoolingWithArgmax2D", "MaxUnpooling2D", "Mfcc", "NumericVerify"]
)
"""Custom operators that the runtimes have and the table does not; others they refuse by name."""

SIGNATURES: dict[str, tuple[str, ...]] = {
    op: signatures for ops, signatures in _TABLE for op in ops.split()
}
"""The signatures of each operator that is covered, in the notation above."""
