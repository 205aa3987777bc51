"""What only the user knows about someone else's model, checked with the file and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.cameras.files.labelled import image_paths
from edgeinfer.device.core.errors import ConversionError, DataError, ModelError
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.preprocess.spec import Channels, CropPolicy
from edgeinfer.device.tflite.model import TfliteModel

COMPARED_PICTURES = 2000
"""The decisions are compared on at most this many pictures."""


@dataclass(frozen=True, kw_only=True)
class ForeignModel:
    """What edgeinfer must know about a model that was made by another program.

    Examples:
        >>> foreign = edgeinfer.ForeignModel(pictures=Path("photos"), crop="center-crop")
        >>> edgeinfer.convert("mobilenet.keras", "mobilenet.edgebundle", foreign=foreign)

    Attributes:
        pictures: a folder of pictures like those that the model will see on the board. They need no
            labels.
        labels: the names of the classes, in the order of the model's output. None numbers them.
        channels: the colour channels of the model's input and their order: "rgb", "bgr" or "grey".
            None means "rgb", or "grey" if the input has one channel.
        crop: what happens to pictures of another aspect ratio: "stretch", "center-crop" or
            "letterbox", see `PreprocessSpec`.
        mean: what is subtracted from the pixel values (0 to 255) before they enter the model.
        std: what the difference is then divided by. mean=0, std=1 keeps the pixel values.
        min_agreement: share of the pictures on which the INT8 model must decide the same as the
            float model, 0 to 1. If no repair helps, `convert` raises an `AccuracyError`.
    """

    pictures: Path
    labels: tuple[str, ...] | None = None
    channels: Channels | None = None
    crop: CropPolicy = "stretch"
    mean: float = 127.5
    std: float = 127.5
    min_agreement: float = 0.0


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


def foreign_pictures(
    folder: Path, calibration_images: int, *, seed: int
) -> tuple[list[Sample], list[Sample]]:
    """Return the calibration pictures and others to compare on, a seeded draw.

    Raises:
        DataError: the folder is missing or contains no images.
    """
    if not folder.is_dir():
        raise DataError(folder, got="is not a folder", expected="a folder of images")
    paths = list(image_paths(folder))
    if not paths:
        raise DataError(
            folder, got="contains no images", expected="pictures like those it will see"
        )
    order = np.random.default_rng(seed).permutation(len(paths))
    samples = [Sample(source=str(paths[i].resolve())) for i in order]
    count = min(calibration_images, max(1, len(samples) // 2))
    return samples[:count], (samples[count:] or samples)[:COMPARED_PICTURES]


def require_contrast(folder: Path, spec: PreprocessSpec, samples: Sequence[Sample]) -> None:
    """Refuse pictures that all give the model the same constant input.

    Raises:
        DataError: names their folder.
    """
    preprocessor = Preprocessor(spec)
    low, high = 255, 0
    for sample in samples:
        image = preprocessor.image(read_sample(sample.source, spec))
        low, high = min(low, int(image.min())), max(high, int(image.max()))
        if high > low:
            return
    raise DataError(
        folder,
        got="every picture is a single colour",
        expected="pictures like those that the model will see",
    )
