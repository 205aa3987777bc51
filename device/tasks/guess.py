"""What a plain `.tflite` shows of itself, and what a task reads from that."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.model_image import CropPolicy
from edgeinfer.device.preprocess.layout import LayoutError, read_form
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tflite.metadata.export_metadata import ExportMetadata
from edgeinfer.device.tflite.metadata.tflite_metadata import ModelMetadata, TensorMetadata
from edgeinfer.device.tflite.model import Operator, Subgraph, TfliteModel

_PASS_THROUGH = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST"}
_PROBABILITIES = {"SOFTMAX", "LOGISTIC"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a plain model shows of itself.

    Attributes:
        graph: the model as it runs.
        inputs: its inputs' specs.
        outputs: its outputs' specs, in the order in which the runtime gives them.
        metadata: its TFLite Metadata, or None.
        export: what an exporter wrote behind the model, or None.
        output_names: a name for each output, which the signature of the model gives it; empty
            where it has none.
        wanted: the user said that it is this task. What else could be guessed does not count then.
    """

    graph: TfliteModel
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: ModelMetadata | None = None
    export: ExportMetadata | None = None
    output_names: tuple[str, ...] = ()
    wanted: bool = False

    @property
    def said(self) -> tuple[TensorMetadata, ...]:
        """What the TFLite Metadata says of the outputs; empty where there is none."""
        return self.metadata.outputs if self.metadata is not None else ()

    def behind(self, output: int = 0) -> Operator | None:
        """Return what computes an output, without the operators that only pass it on."""
        return behind_output(self.graph, output)

    def pools_classes(self) -> bool:
        """Return whether the first output is the mean, over all places, of a number a class.

        It is where a 1 x 1 convolution makes it that gives fewer channels than it takes: networks
        without a dense layer (NiN, SqueezeNet) end so. Features, too, are means over all places,
        of the many channels that a last convolution gives.
        """
        graph, pool = self.graph.subgraphs[0], self.behind()
        if pool is None or pool.op not in ("MEAN", "AVERAGE_POOL_2D") or not pool.inputs:
            return False
        made = _made_by(graph, pool.inputs[0])
        if made is None or made.op != "CONV_2D" or len(made.inputs) < 2:
            return False
        kernel = graph.tensors[made.inputs[1]].shape
        return len(kernel) == 4 and kernel[1:3] == (1, 1) and kernel[0] < kernel[3]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a model does.

    Attributes:
        task: what a prediction is.
        decoder: how its outputs are to be read.
        value: what it measures, if it measures something.
        classes: how many labels it needs; None where that is not known.
        labels: the labels, where what was read states them.
        labels_output: which output the labels of the TFLite Metadata belong to.
        skips_background: class 0 is the first that is one, whatever a label file begins with.
        crop: how pictures of another aspect ratio are prepared, where that is known.
        pad_value: pixel value of the border of "letterbox", 0 to 255.
        input_range: a name of `preprocess.input_range.RANGES`: which numbers the makers of models
            of this form feed; None where they differ.
        reason: why, for people; empty where it was not a guess.
    """

    task: str
    decoder: Decoder = field(default_factory=Decoder)
    value: ValueSpec | None = None
    classes: int | None = None
    labels: tuple[str, ...] = ()
    labels_output: int = 0
    skips_background: bool = False
    crop: CropPolicy | None = None
    pad_value: int = 0
    input_range: str | None = None
    reason: str = ""


class AmbiguousError(Exception):
    """A model's outputs may be two things, and nothing tells which.

    Attributes:
        got: what they are.
        choices: what the user may say, as an imperative.
    """

    def __init__(self, got: str, choices: str) -> None:
        super().__init__(f"{got}; {choices}")
        self.got = got
        self.choices = choices


def image_size(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the (width, height) of an image input, whatever the order of its axes; None of others.

    >>> image_size((1, 3, 480, 640))
    (640, 480)
    """
    try:
        return read_form(shape).size
    except LayoutError:
        return None


def behind_output(model: TfliteModel, output: int = 0) -> Operator | None:
    """Return the operator that computes an output, those that only pass it on left out."""
    graph = model.subgraphs[0]
    if output >= len(graph.outputs):
        return None
    return _made_by(graph, graph.outputs[output])


def _made_by(graph: Subgraph, tensor: int) -> Operator | None:
    """Return what computes a tensor, the operators that only pass it on left out."""
    wanted = tensor
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            if operator.op not in _PASS_THROUGH:
                return operator
            if not operator.inputs:
                return None
            wanted = operator.inputs[0]
    return None


def is_probability(operator: Operator | None) -> bool:
    """Return whether an operator gives probabilities."""
    return operator is not None and operator.op in _PROBABILITIES


def gives_probabilities(shown: Shown, output: int = 0) -> bool:
    """Return whether an output is made of probabilities.

    Either a softmax or logistic operator gives it; or an accelerator's operator hides what does,
    and the output has the quantization that TensorFlow Lite fixes for these two: steps of 1/256
    from 0.
    """
    behind = shown.behind(output)
    if behind is None or not behind.custom:
        return is_probability(behind)
    tensor = shown.outputs[output]
    lowest = {"uint8": 0, "int8": -128}.get(tensor.dtype)
    return tensor.scale == 1 / 256 and tensor.zero_point == lowest


def ends_in_probabilities(model: TfliteModel) -> bool:
    """Return whether the first output comes from a softmax or logistic operator."""
    return is_probability(behind_output(model))
