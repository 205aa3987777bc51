"""How to feed and read a plain `.tflite` image classifier that brings no manifest."""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.decode import Decoder
from edgeinfer.device.errors import ModelError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime import ModelRunner
from edgeinfer.device.tflite_file import labels_in_model
from edgeinfer.device.tflite_types import TfliteModel
from edgeinfer.device.types import TensorSpec

_PASS_THROUGH = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE"}


@dataclass(frozen=True, kw_only=True)
class ThirdPartyModel:
    """What was worked out from the model file alone."""

    labels: tuple[str, ...]
    preprocess: PreprocessSpec
    decoder: Decoder


def describe_third_party(
    content: bytes, runner: ModelRunner, *, subject: str, labels: tuple[str, ...] | None = None
) -> ThirdPartyModel:
    """Work out labels, preprocessing and decoding of an image classifier.

    A quantized input covers pixel values 0 to 255 by its own range (pixel p becomes the p-th
    quantized value); a float input is taken to be (p - 127.5) / 127.5, as the models of Keras
    Applications' MobileNet family want it. Frames are stretched to the input's size.

    Args:
        content: the file's bytes.
        runner: the model, loaded.
        subject: the file's name, for errors.
        labels: the classes, where the user names them.

    Raises:
        ModelError: it is no classifier of single images, or the labels do not fit it.
    """
    if len(runner.inputs) != 1 or len(runner.outputs) != 1:
        raise ModelError(
            subject,
            got=f"has {len(runner.inputs)} inputs and {len(runner.outputs)} outputs",
            expected="an image classifier with one of each",
            next_step="see `edgeinfer inspect`",
        )
    source, output = runner.inputs[0], runner.outputs[0]
    if len(source.shape) != 4 or source.shape[0] != 1 or source.shape[3] not in (1, 3):
        raise ModelError(
            subject, got=f"input shape is {source.shape}", expected="(1, height, width, 1 or 3)"
        )
    if len(output.shape) != 2 or output.shape[0] != 1 or output.shape[1] < 2:
        raise ModelError(
            subject,
            got=f"output shape is {output.shape}",
            expected="(1, classes): an image classifier",
            next_step="see `edgeinfer inspect`",
        )
    return ThirdPartyModel(
        labels=_labels(content, labels, output.shape[1], subject),
        preprocess=_preprocess(source),
        decoder=Decoder(activation="none" if ends_in_probabilities(runner.graph) else "softmax"),
    )


def ends_in_probabilities(model: TfliteModel) -> bool:
    """True where the first output comes from a softmax or logistic op."""
    graph = model.subgraphs[0]
    wanted = graph.outputs[0]
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            if operator.op not in _PASS_THROUGH:
                return operator.op in {"SOFTMAX", "LOGISTIC"}
            if not operator.inputs:
                return False
            wanted = operator.inputs[0]
    return False


def _labels(
    content: bytes, labels: tuple[str, ...] | None, classes: int, subject: str
) -> tuple[str, ...]:
    found = labels or labels_in_model(content, subject=subject)
    if found is None:
        return tuple(f"class {index}" for index in range(classes))
    if len(found) != classes:
        raise ModelError(
            subject,
            got=f"{len(found)} labels for {classes} outputs",
            expected="as many labels as outputs",
            next_step="give the matching file with --labels",
        )
    return found


def _preprocess(source: TensorSpec) -> PreprocessSpec:
    _, height, width, depth = source.shape
    mean, std = 127.5, 127.5
    if source.dtype in ("uint8", "int8") and source.scale > 0:
        lowest = 0 if source.dtype == "uint8" else -128
        mean, std = float(source.zero_point - lowest), 1.0 / source.scale
    return PreprocessSpec(
        size=(width, height),
        channels="rgb" if depth == 3 else "grey",
        mean=(mean,) * depth,
        std=(std,) * depth,
    )
