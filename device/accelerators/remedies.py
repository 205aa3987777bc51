"""What a model's author can do about operators that stay on the CPU."""

from __future__ import annotations

from edgeinfer.device.accelerators.mapping import MappedOp, OpMapping

_BY_OP = {
    "HARD_SWISH": "use ReLU6 in place of hard-swish (MobileNetV3 has a `minimalistic` form)",
    "LEAKY_RELU": "use ReLU, or PReLU with shared_axes=[1, 2], in place of LeakyReLU",
    "ELU": "use ReLU or ReLU6 in place of ELU",
    "GELU": "use ReLU or ReLU6 in place of GELU",
    "RESIZE_BILINEAR": "resize by 2 in steps, to smaller sizes, or in what follows the model",
    "RESIZE_NEAREST_NEIGHBOR": "resize by 2 in steps, to smaller sizes, or use a transposed "
    "convolution",
    "ARG_MAX": "leave ARG_MAX out and take the largest output in what follows the model",
    "TRANSPOSE": "export it with channels last, for a smaller picture, or transpose in what "
    "follows the model",
    "SOFTMAX": "leave SOFTMAX out and compute it in what follows the model",
    "TFLite_Detection_PostProcess": "nothing to do: it belongs on the CPU, at the end",
    "PosenetDecoderOp": "nothing to do: it belongs on the CPU, at the end",
}
_QUANTIZE = "quantize it: integers from input to output (--precision int8 or uint8)"
_EIGHT_BITS = "quantize activations to 8 bits (--precision int8)"
_FIXED = "export it with fixed shapes and a batch of 1"
_BY_REASON = (
    ("works on float", _QUANTIZE),
    ("slow: float", _QUANTIZE),
    ("weights with float", _QUANTIZE),
    ("works on int16", _EIGHT_BITS),
    ("reads int16", _EIGHT_BITS),
    ("writes int16", _EIGHT_BITS),
    ("scales", "give dense layers one scale (convert --per-tensor-dense)"),
    ("the batch of", "export it with a batch of 1"),
    ("shape of a tensor varies", _FIXED),
    ("computed, not constant", _FIXED),
    ("no graph of dynamic sizes", _FIXED),
    ("no batch that changes", _FIXED),
    ("is newer than the compiler knows", "convert it with an older TensorFlow"),
)
_MOST = 4


def remedy(op: MappedOp) -> str:
    """Return what helps with one operator; empty where nothing general does."""
    by_reason = next((text for words, text in _BY_REASON if words in op.reason), "")
    if by_reason or op.target != "cpu" or op.supported:
        return by_reason
    return _BY_OP.get(op.op, "")


def remedies(mapping: OpMapping) -> list[str]:
    """Return what helps, for the first operators first, each once."""
    texts = dict.fromkeys(text for op in mapping.ops if (text := remedy(op)))
    return list(texts)[:_MOST]
