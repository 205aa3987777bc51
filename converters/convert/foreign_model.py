"""What only the user knows about someone else's model, and what its graph says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.convert.adopt.adopt import unique_labels
from edgeinfer.converters.quantize.float16_weights import with_float32_weights
from edgeinfer.device.models.plain_content import plain_content
from edgeinfer.device.models.plain_tflite import PlainModel, describe_plain
from edgeinfer.device.pictures.model_image import Channels, CropPolicy
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions


@dataclass(frozen=True, kw_only=True)
class ForeignModel:
    """What edgeinfer must know about a model that was made by another program.

    Examples:
        >>> foreign = edgeinfer.ForeignModel(pictures=Path("photos"), input_range="0..1")
        >>> edgeinfer.convert("mobilenet.keras", "mobilenet.edgebundle", foreign=foreign)

    Attributes:
        pictures: a folder of pictures like those that the model will see on the board. If they are
            in folders whose names are the model's labels, the accuracy decides whether the
            converted model is good enough; else its agreement with the float model does.
        labels: the names of the classes, in the order of the model's output. None takes the names
            in the file, or numbers them.
        input_range: the range of the pixels that the model takes: "0..255", "0..1", "-1..1", or
            "imagenet" for ImageNet's mean and deviation. None takes what the model states, as a
            Rescaling layer at its beginning does; if nothing states it, the model is refused.
        mean: instead of `input_range`: the input of the model is (pixel - mean) / std, with pixels
            from 0 to 255. One number, or one each for red, green and blue.
        std: see `mean`.
        channels: the colour channels of the model's input and their order: "rgb", "bgr" or "grey".
            None means "rgb", or "grey" if the input has one channel.
        crop: what happens to pictures of another aspect ratio: "stretch", "center-crop" or
            "letterbox", see `PreprocessSpec`. None takes what models of its form take.
        task: what the model predicts, such as "value", if its outputs do not tell.
        input_size: (width, height) in pixels of the input of a model that takes pictures of any
            size.
        signature: which signature of a `.tflite` is converted, if it has several.
        region: the part of each picture that the model sees, see `PreprocessSpec`. None is all of
            it.
        unit: the unit of a model of task "value".
        min_score: objects or people that score less are left out, 0 to 1.
        iou: of objects of one class that overlap more, only the one with the highest score is
            kept, 0 to 1. Only for models that leave this to the program.
        min_agreement: how much of the float model's answers the converted model must keep, 0 to 1.
            If no repair helps, `convert` raises an `AccuracyError`. It decides even if the pictures
            have labels. By default repairs are tried below 0.95, and a model is refused if even the
            upper end of the 95 % interval of its agreement is below 0.9. 0 also converts a model
            whose answers nothing can compare.
        trust_lambda: names of the layers of a Keras file whose Python code may run, because you
            trust who made it. Without it such a file is refused: loading it would run the code.

    Raises:
        ValueError: `min_agreement` is not a number from 0 to 1.
    """

    pictures: Path
    labels: tuple[str, ...] | None = None
    input_range: str | None = None
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    channels: Channels | None = None
    crop: CropPolicy | None = None
    task: str | None = None
    input_size: tuple[int, int] | None = None
    signature: str | None = None
    region: Region | None = None
    unit: str | None = None
    min_score: float | None = None
    iou: float | None = None
    min_agreement: float | None = None
    trust_lambda: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an impossible share."""
        if self.min_agreement is not None and not 0 <= self.min_agreement <= 1:
            raise ValueError(f"min_agreement is {self.min_agreement}, expected 0 to 1")

    def opening(self) -> OpenOptions:
        """Return the same for `Model.open`: how a plain `.tflite` is read."""
        return OpenOptions(
            runtime="ai-edge-litert",
            labels=self.labels,
            input_range=self.input_range,
            mean=_numbers(self.mean),
            std=_numbers(self.std),
            channels=self.channels,
            crop=self.crop,
            task=self.task,
            input_size=self.input_size,
            signature=self.signature,
            region=self.region,
            unit=self.unit,
            min_score=self.min_score,
            iou=self.iou,
        )


def describe_foreign(file: bytes, model: ForeignModel, *, subject: str) -> tuple[bytes, PlainModel]:
    """Return a float `.tflite` as it can be quantized, and what it predicts and how it is fed.

    It is read as a board reads it.

    Args:
        file: the file's bytes, whole.
        model: what the user says of it.
        subject: its name, for errors.

    Returns:
        The model as it runs, with float32 weights; and its description, in which no label occurs
        twice.

    Raises:
        ModelError: no task of edgeinfer reads such a model, nothing states the range of its input,
            or the labels do not fit it.
        UsageError: an option does not fit the model.
    """
    options = model.opening()
    content, graph = plain_content(file, options, subject=subject)
    with closing(open_on_cpu(content, options, subject=subject, graph=graph)) as runner:
        plain = describe_plain(
            *(file, runner.graph, runner.inputs, runner.outputs, options), subject=subject
        )
    said = replace(plain.said, labels=unique_labels(plain.said.labels))
    return with_float32_weights(content, subject=subject), replace(plain, said=said)


def _numbers(value: float | Sequence[float] | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    return (float(value),) if isinstance(value, (int, float)) else tuple(map(float, value))
