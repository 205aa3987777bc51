"""What only the user knows about someone else's model, checked with the file and the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.preprocess.spec import Channels, CropPolicy
from edgeinfer.device.tflite.model import TfliteModel


@dataclass(frozen=True, kw_only=True)
class ForeignModel:
    """What edgeinfer must know about a model that was made by another program.

    Examples:
        >>> foreign = edgeinfer.ForeignModel(pictures=Path("photos"), crop="center-crop")
        >>> edgeinfer.convert("mobilenet.keras", "mobilenet.edgebundle", foreign=foreign)

    Attributes:
        pictures: a folder of pictures like those that the model will see on the board. If they are
            in folders whose names are the model's labels, the accuracy decides whether the
            converted model is good enough; else its agreement with the float model does.
        labels: the names of the classes, in the order of the model's output. None numbers them.
        channels: the colour channels of the model's input and their order: "rgb", "bgr" or "grey".
            None means "rgb", or "grey" if the input has one channel.
        crop: what happens to pictures of another aspect ratio: "stretch", "center-crop" or
            "letterbox", see `PreprocessSpec`.
        mean: what is subtracted from the pixel values (0 to 255) before they enter the model.
        std: what the difference is then divided by. mean=0, std=1 keeps the pixel values.
        min_agreement: how much of the float model's answers the converted model must keep, 0 to 1.
            If no repair helps, `convert` raises an `AccuracyError`. It decides even if the pictures
            have labels. By default repairs are tried below 0.95, and a model is refused if even the
            upper end of the 95 % interval of its agreement is below 0.9. 0 also converts a model
            whose answers nothing can compare.

    Raises:
        ValueError: `min_agreement` is not a number from 0 to 1.
    """

    pictures: Path
    labels: tuple[str, ...] | None = None
    channels: Channels | None = None
    crop: CropPolicy = "stretch"
    mean: float = 127.5
    std: float = 127.5
    min_agreement: float | None = None

    def __post_init__(self) -> None:
        """Refuse an impossible share."""
        if self.min_agreement is not None and not 0 <= self.min_agreement <= 1:
            raise ValueError(f"min_agreement is {self.min_agreement}, expected 0 to 1")


def foreign_preprocess(
    path: Path, graph: TfliteModel, model: ForeignModel, *, jpeg_reduction: JpegReduction
) -> PreprocessSpec:
    """Return how pictures become the input.

    Raises:
        ConversionError: the model is not a classifier of single images.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ConversionError(
            path,
            got=f"has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs",
            expected="an image classifier with one input and one output",
        )
    shape = graph.inputs[0].shape_signature or graph.inputs[0].shape
    if len(shape) != 4 or min(shape[1:]) < 1 or shape[3] not in (1, 3) or abs(shape[0]) != 1:
        raise ConversionError(
            path,
            got=f"its input is {shape}",
            expected="(1, height, width, 1 or 3) with fixed sizes",
        )
    channels = model.channels or ("grey" if shape[3] == 1 else "rgb")
    if (channels == "grey") != (shape[3] == 1):
        raise ConversionError(
            path, got=f"has {shape[3]} channels", expected=f"as many as {channels} has"
        )
    depth = shape[3]
    return PreprocessSpec(
        size=(shape[2], shape[1]),
        channels=channels,
        crop=model.crop,
        mean=(model.mean,) * depth,
        std=(model.std,) * depth,
        jpeg_reduction=jpeg_reduction,
    )


def foreign_labels(path: Path, graph: TfliteModel, model: ForeignModel) -> tuple[str, ...]:
    """Return the classes; numbers where the user names none.

    Raises:
        ConversionError: the output is not that of a classifier.
        ModelError: there are more or fewer labels than outputs.
    """
    shape = graph.outputs[0].shape
    if len(shape) != 2 or shape[1] < 2:
        raise ConversionError(path, got=f"its output is {shape}", expected="(1, classes)")
    if model.labels is None:
        return tuple(f"class {index}" for index in range(shape[1]))
    if len(model.labels) != shape[1]:
        raise ModelError(
            path,
            got=f"{len(model.labels)} labels for {shape[1]} outputs",
            expected="as many labels as outputs",
            next_step="give the matching file with --labels",
        )
    return model.labels
