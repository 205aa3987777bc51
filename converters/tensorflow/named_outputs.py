"""Several outputs of a `.tflite`, in the model's own order and under its own names.

TensorFlow's converter sorts outputs as it likes and calls them StatefulPartitionedCall:0, :1; which
is which is only in the file's signature.
"""

from __future__ import annotations

from collections.abc import Sequence


def with_named_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Return a model whose outputs are in the order of their names, and called so.

    Runs in a process that has TensorFlow, whose own classes rewrite the file.

    Args:
        content: a `.tflite` with one signature.
        names: the signature's outputs in the wanted order. One alone is left as it is.

    Raises:
        ValueError: the signature has other outputs, or there is none.
    """
    if len(names) < 2:
        return content
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    (signature,) = model.signatureDefs
    graph = model.subgraphs[signature.subgraphIndex]
    places = {_text(item.name): item.tensorIndex for item in signature.outputs}
    if set(places) != set(names):
        raise ValueError(f"the outputs are {', '.join(places)}, expected {', '.join(names)}")
    graph.outputs = [places[name] for name in names]
    signature.outputs.sort(key=lambda item: names.index(_text(item.name)))
    taken = {_text(tensor.name) for tensor in graph.tensors}
    for name, place in places.items():
        # One tensor may be two outputs, and an inner one may have the name.
        if name not in taken and list(places.values()).count(place) == 1:
            graph.tensors[place].name = name.encode()
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
