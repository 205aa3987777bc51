"""Descriptions of hostile models: whatever can be read can be printed."""

from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.inspect.description import describe_tflite
from edgeinfer.device.diagnose.inspect.graph_svg import draw_graph
from tests.device.tflite_examples import dense_model, encode


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 2**16), st.integers(0, 2**32 - 1) | st.integers(0, 40)),
        max_size=2,
    )
)
def test_what_can_be_read_can_be_printed(changes: list[tuple[int, int]]) -> None:
    data = bytearray(encode(dense_model()))
    for place, word in changes:
        struct.pack_into("<I", data, place % (len(data) // 4) * 4, word)
    try:
        description = describe_tflite(bytes(data), name="hostile\n.tflite")
    except ModelError:
        return
    lines = [*description.lines(), *description.operator_lines()]
    assert all(line.isprintable() for line in lines)
    assert lines[0] == f"hostile\\n.tflite: {len(data):,} bytes"
    assert json.loads(json.dumps(description.to_json(), allow_nan=False))["kind"] == "tflite"
    assert ElementTree.fromstring(draw_graph(description.model, name=description.name)) is not None
