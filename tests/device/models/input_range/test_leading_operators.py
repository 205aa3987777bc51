"""Which range of pixels the first operators of a graph fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.models.input_range.leading_operators import fitting_range, read_leading
from edgeinfer.device.tflite.model import Quantization, Tensor
from tests.device.graph_examples import Step, image, model

Numbers = tuple[float, ...]


def constant(values: Numbers, dtype: str = "float32") -> Tensor:
    data = np.array(values, dtype).tobytes()
    shape = (len(values),) if len(values) > 1 else ()
    return Tensor(name="c", shape=shape, dtype=dtype, data=memoryview(data))


def graph_of(*steps: tuple[str, Numbers], swapped: bool = False) -> str | None:
    """Return the range of a graph of these operators and a convolution."""
    tensors = [image(1, 8, 8, 3, dtype="float32")]
    made: list[Step] = []
    current = 0
    for op, values in steps:
        if values:
            tensors.append(constant(values))
            inputs = [current, len(tensors) - 1]
            inputs = inputs[::-1] if swapped else inputs
        else:
            inputs = [current]
        tensors.append(image(1, 8, 8, 3, dtype="float32"))
        made.append((op, inputs, [len(tensors) - 1]))
        current = len(tensors) - 1
    tensors.append(image(1, 8, 8, 3, dtype="float32"))
    made.append(("CONV_2D", [current], [len(tensors) - 1]))
    graph = model(tensors, made, inputs=(0,), outputs=(len(tensors) - 1,))
    return fitting_range(read_leading(graph.subgraphs[0]))


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((("MUL", (1 / 255,)),), "0..255"),
        ((("DIV", (255.0,)),), "0..255"),
        ((("MUL", (1 / 127.5,)), ("ADD", (-1.0,))), "0..255"),
        ((("SUB", (127.5,)), ("MUL", (1 / 127.5,))), "0..255"),
        ((("CAST", ()), ("MUL", (1 / 255,))), "0..255"),
        ((("SUB", tuple(255 * m for m in MEAN)), ("DIV", tuple(255 * s for s in STD))), "0..255"),
        ((("SUB", (103.9, 116.8, 123.7)),), "0..255"),
        ((("SUB", MEAN), ("DIV", STD)), "0..1"),
        ((("MUL", (2.0,)), ("SUB", (1.0,))), "0..1"),
        # A batch normalization of pixels, with a scale that was learned.
        ((("MUL", (0.012, 0.013, 0.011)), ("ADD", (-1.6, -1.7, -1.5))), "0..255"),
        # Nothing that tells: no operator, a factor alone, a constant that moves nothing away.
        ((), None),
        ((("MUL", (2.0,)),), None),
        ((("ADD", (0.0,)),), None),
        ((("DIV", (0.0,)),), None),
        ((("CONV_2D", ()), ("MUL", (1 / 255,))), None),
    ],
)
def test_the_usual_normalizations(steps: tuple[tuple[str, Numbers], ...], expected: str) -> None:
    assert graph_of(*steps) == expected


def test_a_constant_may_come_first() -> None:
    assert graph_of(("MUL", (1 / 255,)), swapped=True) == "0..255"
    # 255 - x, then divided.
    assert graph_of(("SUB", (255.0,)), ("MUL", (1 / 255,)), swapped=True) == "0..255"


def test_what_is_used_twice_is_not_followed() -> None:
    tensors = [image(1, 8, 8, 3), constant((1 / 255,)), image(1, 8, 8, 3), image(1, 8, 8, 3)]
    steps: list[Step] = [("MUL", [0, 1], [2]), ("CONV_2D", [0], [3])]
    graph = model(tensors, steps, inputs=(0,), outputs=(3,)).subgraphs[0]
    assert read_leading(graph).operators == ()


def test_integers_stand_for_real_constants() -> None:
    factor = Tensor(
        name="c", shape=(), dtype="int8", data=memoryview(b"\x7f"),
        quantization=Quantization(scales=(3.0757e-05,), zero_points=(-128,)),
    )  # fmt: skip
    tensors = [image(1, 8, 8, 3), factor, image(1, 8, 8, 3)]
    graph = model(tensors, [("MUL", [0, 1], [2])], inputs=(0,), outputs=(2,)).subgraphs[0]
    assert read_leading(graph).factor == pytest.approx([2 / 255], rel=1e-3)


def test_constants_of_16_bits_are_read_behind_their_operator() -> None:
    """As TensorFlow's converter writes weights of float16: (pixel - mean) / std."""
    constants = [constant(values, "float16") for values in ((120.0, 118.0, 100.0), (1 / 58,))]
    tensors = [image(1, 8, 8, 3, dtype="float32"), *constants]
    tensors += [image(1, 1, 1, 3, dtype="float32"), image(1, 1, 1, 1, dtype="float32")]
    tensors += [image(1, 8, 8, 3, dtype="float32")] * 2
    steps: list[Step] = [
        ("DEQUANTIZE", [1], [3]),
        ("DEQUANTIZE", [2], [4]),
        ("SUB", [0, 3], [5]),
        ("MUL", [5, 4], [6]),
    ]
    graph = model(tensors, steps, inputs=(0,), outputs=(6,)).subgraphs[0]
    assert fitting_range(read_leading(graph)) == "0..255"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["MUL", "ADD", "SUB", "DIV", "CAST", "RESHAPE"]),
            st.lists(st.floats(allow_nan=True, width=32), max_size=5).map(tuple),
        ),
        max_size=14,
    )
)
def test_any_operators_give_a_range_or_none(steps: list[tuple[str, Numbers]]) -> None:
    assert graph_of(*steps) in ("0..255", "0..1", "-1..1", None)
