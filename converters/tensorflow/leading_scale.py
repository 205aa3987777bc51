"""Keeps a model's own first scaling visible in the `.tflite` that is made of it.

TensorFlow's converter multiplies one number by which all pixels are scaled, as Rescaling(1/255)
does, into the weights of the convolution behind it. The answers stay the same, but nothing in the
file says any longer that the model takes pixels from 0 to 255. A number for each channel it leaves
where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_PASSED = ("Identity", "Cast", "Placeholder")
_SHIFTS = ("Sub", "AddV2", "Add", "BiasAdd")
_SCALES = ("Mul", "RealDiv")


def with_visible_scale(function: Any) -> Callable[[Any], dict[str, Any]] | None:
    """Return a function that scales each channel by a separate number, all equal.

    Runs in a process that has TensorFlow.

    Args:
        function: a concrete function from one image, (1, H, W, C), to a dict of the outputs.

    Returns:
        The same function of constants alone; None where it does not begin by scaling all channels
        by one number.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    if not any(node.op in _SCALES for node in nodes):
        return None
    try:
        frozen = convert_variables_to_constants_v2(function)
    except Exception:  # of many kinds; such a model is converted as it is, without the hint
        return None
    graph = frozen.graph.as_graph_def()
    (image,) = frozen.inputs
    start = image.op.name
    scales = _leading_scales({node.name: node for node in graph.node}, start)
    if not scales:
        return None
    for node, place in scales:
        number = node.input[place]
        node.input[place] = f"{node.name}/each_channel"
        each = graph.node.add(name=node.input[place], op="Const")
        each.attr["dtype"].CopyFrom(node.attr["T"])
        value = tf.make_ndarray(_constants(graph)[number].attr["value"].tensor)
        each.attr["value"].tensor.CopyFrom(
            tf.make_tensor_proto(value.reshape(1).repeat(image.shape[-1]))
        )
    results = [tensor.name for tensor in frozen.outputs]
    names = sorted(function.structured_outputs)

    def visible(picture: Any) -> dict[str, Any]:
        found = tf.graph_util.import_graph_def(graph, {start: picture}, results, name="")
        return dict(zip(names, found, strict=True))

    return visible


def _constants(graph: Any) -> dict[str, Any]:
    return {node.name: node for node in graph.node if node.op == "Const"}


def _leading_scales(nodes: Mapping[str, Any], start: str) -> list[tuple[Any, int]]:
    """Return the first nodes that scale by one number, each with the place of that number."""
    found: list[tuple[Any, int]] = []
    current = start
    while True:
        users = [
            node
            for node in nodes.values()
            if any(name.split(":")[0] == current for name in node.input)
        ]
        if len(users) != 1:
            return found
        (node,) = users
        if node.op in _SCALES:
            place = _single(node, nodes)
            if place is not None:
                found.append((node, place))
        elif node.op not in (*_PASSED, *_SHIFTS):
            return found
        current = node.name


def _single(node: Any, nodes: Mapping[str, Any]) -> int | None:
    """Return which of a node's inputs is one constant number; None for neither."""
    for place, name in enumerate(node.input):
        constant = nodes.get(name)
        if constant is not None and constant.op == "Const":
            sizes = [size.size for size in constant.attr["value"].tensor.tensor_shape.dim]
            return place if all(size == 1 for size in sizes) else None
    return None
