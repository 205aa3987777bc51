"""How to feed and read a plain `.tflite` model of images that brings no manifest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.guess_task import Guess, guess_task
from edgeinfer.device.models.guess_task import ends_in_probabilities as ends_in_probabilities
from edgeinfer.device.models.labels import (
    fit_labels,
    is_background,
    labels_in_file,
    labels_in_model,
    named,
)
from edgeinfer.device.models.tflite_metadata import ModelMetadata, TensorMetadata, read_metadata
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.runner import ModelRunner
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Said

_TASKS = "a classifier, detector, segmenter, PoseNet or embedding of single images"


@dataclass(frozen=True, kw_only=True)
class ThirdPartyModel:
    """What was worked out from the model file alone.

    Attributes:
        task: what a prediction is.
        labels: the classes; empty where the model has none, or does not say how many.
        preprocess: how frames become the input.
        decoder: how the outputs become predictions.
        notes: what was guessed, for people, a sentence each.
    """

    task: str
    labels: tuple[str, ...]
    preprocess: PreprocessSpec
    decoder: Decoder
    notes: tuple[str, ...]


def describe_third_party(
    content: bytes, runner: ModelRunner, *, subject: str, labels: tuple[str, ...] | None = None
) -> ThirdPartyModel:
    """Work out task, labels, preprocessing and decoding of a model of images.

    TFLite Metadata is believed; without it the task is guessed (`guess_task.py`) and the notes say
    so. A quantized input covers pixel values 0 to 255 by its own range (pixel p becomes the p-th
    quantized value); a float input is taken to be (p - 127.5) / 127.5, as the models of Keras
    Applications' MobileNet family want it. Frames are stretched to the input's size.

    Args:
        content: the file's bytes.
        runner: the model, loaded.
        subject: the file's name, for errors.
        labels: the classes, where the user names them.

    Raises:
        ModelError: edgeinfer does not decode such a model, its metadata is damaged, or the
            labels do not fit it.
    """
    metadata = read_metadata(runner.graph, subject=subject)
    if len(runner.inputs) != 1:
        raise _no_task(subject, runner)
    source = runner.inputs[0]
    if len(source.shape) != 4 or source.shape[0] != 1 or source.shape[3] not in (1, 3):
        raise ModelError(
            subject, got=f"input shape is {source.shape}", expected="(1, height, width, 1 or 3)"
        )
    guess = guess_task(runner.graph, runner.inputs, runner.outputs, metadata)
    if guess is None:
        raise _no_task(subject, runner)
    names, labels_note = _labels(content, labels, guess, metadata, subject)
    try:
        task, said = find_task(guess.task), Said(labels=names, decoder=guess.decoder)
        task.check(said)
        task.check_outputs(said, runner.outputs)
    except ValueError as error:
        raise ModelError(subject, got=str(error), next_step="see `edgeinfer inspect`") from error
    about = metadata.inputs[0] if metadata is not None and metadata.inputs else None
    preprocess = _preprocess(source, about, subject)
    notes = [f"taken for {guess.reason}"] if guess.reason else []
    if source.dtype.startswith("float") and (about is None or not about.std):
        notes.append("pixels p are fed as (p - 127.5) / 127.5: the model does not say how it wants")
    return ThirdPartyModel(
        task=guess.task,
        labels=names,
        preprocess=preprocess,
        decoder=guess.decoder,
        notes=(*notes, *([labels_note] if labels_note else [])),
    )


def _no_task(subject: str, runner: ModelRunner) -> ModelError:
    outputs = ", ".join(str(output.shape) for output in runner.outputs)
    inputs = ", ".join(str(source.shape) for source in runner.inputs)
    return ModelError(
        subject,
        got=f"inputs are {inputs} and outputs {outputs}",
        expected=_TASKS,
        next_step="see `edgeinfer inspect`",
    )


def _labels(
    content: bytes,
    given: tuple[str, ...] | None,
    guess: Guess,
    metadata: ModelMetadata | None,
    subject: str,
) -> tuple[tuple[str, ...], str | None]:
    """Return the labels, and what was done to make them fit."""
    if guess.task == "embedding":
        return (), None
    found = given or _own_labels(content, guess, metadata, subject)
    if found is None:
        # Keypoints have names without a file.
        if guess.task == "pose":
            return (), None
        names = tuple(f"class {index}" for index in range(guess.classes or 0))
        return names, "classes have numbers only: --labels FILE names them"
    if guess.classes is not None:
        return fit_labels(found, guess.classes, subject=subject)
    if guess.task == "segmentation" and "" in found:
        found = found[: found.index("")]  # below an empty line are remarks
    if (given or guess.skips_background) and guess.task == "detection" and is_background(found[0]):
        return named(found[1:]), f"the label '{found[0]}' is not a class of a detector"
    return named(found), None


def _own_labels(
    content: bytes, guess: Guess, metadata: ModelMetadata | None, subject: str
) -> tuple[str, ...] | None:
    """Return the labels that the file carries: those of the metadata, else any that it has."""
    if metadata is not None and guess.labels_output < len(metadata.outputs):
        names = metadata.outputs[guess.labels_output].label_files
        labels = labels_in_file(content, names, subject=subject)
        if labels is not None:
            return labels
    return labels_in_model(content, subject=subject)


def _preprocess(source: TensorSpec, about: TensorMetadata | None, subject: str) -> PreprocessSpec:
    _, height, width, depth = source.shape
    mean: tuple[float, ...] = (127.5,)
    std: tuple[float, ...] = (127.5,)
    quantized = source.dtype in ("uint8", "int8") and source.scale > 0
    if quantized:
        lowest = 0 if source.dtype == "uint8" else -128
        mean, std = (float(source.zero_point - lowest),), (1.0 / source.scale,)
    if about is not None and about.std:
        said = about.mean or (0.0,), about.std
        if not quantized or _says_more(source, *said):
            mean, std = said
    try:
        return PreprocessSpec(
            size=(width, height),
            channels="rgb" if depth == 3 else "grey",
            mean=_per_channel(mean, depth),
            std=_per_channel(std, depth),
        )
    except ValueError as error:
        raise ModelError(subject, got=str(error), next_step="see `edgeinfer inspect`") from error


def _says_more(source: TensorSpec, mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Return whether a normalization feeds a quantized input with other values than pixels.

    It does not where pixel p becomes the p-th quantized value all the same, two steps more or less,
    and where the input cannot hold what it gives: then it is about the float model, and
    TensorFlow's own library, too, feeds 8-bit inputs with pixels as they are.
    """
    bounds = np.iinfo(source.dtype)
    differs = False
    for m, s in zip(_per_channel(mean, 3), _per_channel(std, 3), strict=True):
        for pixel in (0, 255):
            value = (pixel - m) / s / source.scale + source.zero_point - bounds.min
            if not -2 <= value <= 257:
                return False
            differs |= abs(value - pixel) > 2
    return differs


def _per_channel(values: tuple[float, ...], depth: int) -> tuple[float, ...]:
    """Return a number for each channel; one alone counts for all."""
    return values * depth if len(values) == 1 else values[:depth]
