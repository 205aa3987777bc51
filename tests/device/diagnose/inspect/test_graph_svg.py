"""The drawing as XML: every operator is there, whatever the names hold, and large graphs end."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.inspect import graph_svg
from edgeinfer.device.diagnose.inspect.graph_svg import draw_graph
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.graph_examples import Step, constant, image, model

SVG = "{http://www.w3.org/2000/svg}"


def residual() -> TfliteModel:
    tensors = [
        image(1, 8, 8, 3, name="x"),
        constant(4, 3, 3, 3),
        image(1, 8, 8, 4, name="a"),
        image(1, 8, 8, 4, name="b"),
    ]
    steps: list[Step] = [
        ("CONV_2D", [0, 1], [2]),
        ("my-op", [2], [3]),
        ("ADD", [2, 3], [3]),
    ]
    return model(tensors, steps, inputs=[0], outputs=[3])


def test_every_box_names_operator_shape_dtype_and_work() -> None:
    root = ElementTree.fromstring(draw_graph(residual(), name="residual.tflite"))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == [
        "residual.tflite",
        "3 operators, 6,912 MACs, activations up to 512 bytes",
        *("input", "x", "1 x 8 x 8 x 3  int8"),
        *("0  CONV_2D", "1 x 8 x 8 x 4  int8", "6,912 MACs"),
        *("1  my-op", "1 x 8 x 8 x 4  int8", "peak memory"),
        *("2  ADD", "1 x 8 x 8 x 4  int8"),
        *("output", "b", "1 x 8 x 8 x 4  int8"),
    ]
    kinds = [rect.get("class") for rect in root.iter(f"{SVG}rect")]
    assert kinds == [None, "end", "macs", "custom", "plain", "end"]
    # Input to 0, 0 to 1, 0 to 2 past 1, 1 to 2, 2 to output; one in the arrow's own definition.
    assert len(list(root.iter(f"{SVG}path"))) == 5 + 1


@given(st.text(max_size=400), st.text(max_size=400))
def test_names_may_hold_anything(first: str, second: str) -> None:
    tensors = [image(1, name=first), image(2, name=second)]
    drawing = draw_graph(model(tensors, [(first, [0], [1])], inputs=[0], outputs=[1]), name=second)
    root = ElementTree.fromstring(drawing)
    assert len(list(root.iter(f"{SVG}rect"))) == 4
    for element in root.iter(f"{SVG}text"):
        assert len(element.text or "") <= (60 if element.get("class") in ("title", "note") else 31)


def test_a_model_without_anything() -> None:
    root = ElementTree.fromstring(draw_graph(model([], []), name="empty"))
    assert [text.text for text in root.iter(f"{SVG}text")] == [
        "empty",
        "0 operators, 0 MACs, activations up to 0 bytes",
    ]


def test_a_graph_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_svg, "MAX_ITEMS", 4)
    with pytest.raises(ModelError, match=r"cannot be drawn: 5 boxes, expected at most 4"):
        draw_graph(residual(), name="x")


@pytest.mark.parametrize(
    "name", ["deeplabv3_mnv2_dm05_pascal_quant", "mobilenet_v2_1.0_224_quant", "split_concat"]
)
def test_real_models(shared_data: Path, name: str) -> None:
    path = shared_data / "coral" / f"{name}.tflite"
    content = read_tflite(path.read_bytes(), subject=name)
    root = ElementTree.fromstring(draw_graph(content, name=path.name))
    boxes = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class")]
    ends = len(content.inputs) + len(content.outputs)
    assert len(boxes) == len(content.subgraphs[0].operators) + ends
    places = {(rect.get("x"), rect.get("y")) for rect in boxes}
    assert len(places) == len(boxes)
