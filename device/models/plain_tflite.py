"""How to feed and read a plain `.tflite` model of images that brings no manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.input_range.find import InputRange, find_input_range
from edgeinfer.device.preprocess import PIXEL_DTYPES, PreprocessSpec
from edgeinfer.device.preprocess.input_range import per_channel
from edgeinfer.device.preprocess.layout import InputForm, LayoutError, read_form
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.guess import AmbiguousError, Guess, Shown
from edgeinfer.device.tasks.labels import labels_in_file, labels_in_model
from edgeinfer.device.tasks.registry import UnknownTaskError, find_task, guess_task
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.metadata.export_metadata import NAMES, read_export_metadata
from edgeinfer.device.tflite.metadata.tflite_metadata import read_metadata
from edgeinfer.device.tflite.model import TfliteModel

_TASKS = "a model of single images that edgeinfer reads, listed in docs/models-in.md"


@dataclass(frozen=True, kw_only=True)
class PlainModel:
    """What was worked out from the model file and the user's options.

    Attributes:
        task: what a prediction is.
        said: how the outputs become predictions, with the labels.
        preprocess: how frames become the input.
        input_range: how pixels are fed, and what states it.
        notes: what was guessed, for people, a sentence each.
    """

    task: str
    said: Said
    preprocess: PreprocessSpec
    input_range: InputRange
    notes: tuple[str, ...]


def describe_plain(
    content: bytes,
    graph: TfliteModel,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    options: OpenOptions,
    *,
    subject: str,
) -> PlainModel:
    """Work out task, labels, preprocessing and decoding of a model of images.

    What the user says counts first, then what is written in and behind the file; without both
    the task is guessed by the tasks themselves, and the notes say so. How pixels are fed is never
    guessed, see `input_range/`.

    Args:
        content: the file's bytes, whole.
        graph: the model as it runs.
        inputs: its inputs' specs.
        outputs: its outputs' specs, in the order in which the runtime gives them.
        options: what the user says of the model.
        subject: the file's name, for errors.

    Raises:
        ModelError: edgeinfer does not decode such a model, its metadata is damaged, nothing states
            the range of its input, or the labels do not fit it.
        UsageError: an option does not fit the model.
    """
    shown = Shown(
        graph=graph,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        metadata=read_metadata(graph, subject=subject),
        export=read_export_metadata(content, subject=subject),
        output_names=_output_names(graph),
    )
    if len(shown.inputs) != 1:
        raise _no_task(subject, shown)
    source = shown.inputs[0]
    form = _form(source, options, subject)
    guess = _guess(shown, options, subject)
    task = find_task(guess.task)
    found = options.labels or guess.labels or _own_labels(content, guess, shown, subject)
    labels, labels_note = task.fit_labels(
        guess, found or None, given=options.labels is not None, subject=subject
    )
    said = Said(labels=labels, decoder=guess.decoder, value=guess.value)
    try:
        said = task.adjusted(said, options.answer)
        task.check(said)
        task.check_outputs(said, shown.outputs)
    except UsageError:
        raise
    except ValueError as error:
        raise ModelError(subject, got=str(error), next_step="see `edgeinfer inspect`") from error
    input_range = find_input_range(shown, guess, options, subject=subject)
    notes = [f"taken for {guess.reason}"] if guess.reason else []
    if form.layout == "hw":
        width, height = form.size
        notes.append(f"its input {source.shape} is taken for a grey picture of {width}x{height}")
    if not input_range.told:
        notes.append(f"pixels are fed as {_in_words(input_range)}: {input_range.reason}")
    return PlainModel(
        task=guess.task,
        said=said,
        preprocess=_preprocess(form, guess, input_range, options, subject),
        input_range=input_range,
        notes=(*notes, *([labels_note] if labels_note else [])),
    )


def _guess(shown: Shown, options: OpenOptions, subject: str) -> Guess:
    try:
        guess = guess_task(shown, options.task)
    except UnknownTaskError as error:
        raise UsageError("--task", got=str(error)) from error
    except AmbiguousError as error:
        raise ModelError(subject, got=error.got, next_step=error.choices) from error
    if guess is not None:
        return guess
    if options.task is None:
        raise _no_task(subject, shown)
    raise ModelError(
        subject,
        got=f"its outputs {_shapes(shown.outputs)} cannot be read as task '{options.task}'",
        next_step="leave the task out, or see `edgeinfer inspect`",
    )


def _form(source: TensorSpec, options: OpenOptions, subject: str) -> InputForm:
    """Return what the axes of the input are.

    Raises:
        ModelError: it takes no pictures, or not in numbers that pixels become.
    """
    try:
        form = read_form(source.shape)
    except LayoutError as error:
        raise ModelError(
            subject, got=error.got, expected=error.expected, next_step=error.next_step
        ) from error
    if form.depth == 4 and options.channels != "rgba":
        raise ModelError(
            subject,
            got="its input has 4 channels, and cameras give 3",
            expected="3 channels, or a fourth that may always be the same",
            next_step="if the fourth is opacity, --channels=rgba feeds 255 for it; depth or near "
            "infrared is not fed",
        )
    if source.dtype not in PIXEL_DTYPES:
        raise ModelError(
            subject,
            got=f"its input is {source.dtype}",
            expected=", ".join(PIXEL_DTYPES),
            next_step="export or convert the model with a float32 or uint8 input",
        )
    return form


def _output_names(graph: TfliteModel) -> tuple[str, ...]:
    """Return what the signature of the main graph calls its outputs, in the graph's order."""
    main = graph.subgraphs[0]
    for signature in graph.signatures:
        names = {tensor: name for name, tensor in signature.outputs}
        if signature.subgraph == 0 and names.keys() >= set(main.outputs):
            return tuple(names[tensor] for tensor in main.outputs)
    return ()


def _no_task(subject: str, shown: Shown) -> ModelError:
    return ModelError(
        subject,
        got=f"inputs are {_shapes(shown.inputs)} and outputs {_shapes(shown.outputs)}",
        expected=_TASKS,
        next_step="see `edgeinfer inspect`",
    )


def _shapes(tensors: tuple[TensorSpec, ...]) -> str:
    return ", ".join(str(tensor.shape) for tensor in tensors)


def _own_labels(content: bytes, guess: Guess, shown: Shown, subject: str) -> tuple[str, ...] | None:
    """Return the labels that the file carries: those of the metadata, else any that it has."""
    said = shown.said
    if guess.labels_output < len(said):
        # An exporter of YOLO models calls what it writes a label file.
        names = [name for name in said[guess.labels_output].label_files if name not in NAMES]
        labels = labels_in_file(content, names, subject=subject)
        if labels is not None:
            return labels
    return labels_in_model(content, subject=subject)


def _preprocess(
    form: InputForm,
    guess: Guess,
    input_range: InputRange,
    options: OpenOptions,
    subject: str,
) -> PreprocessSpec:
    channels = options.channels or ("rgb" if form.depth == 3 else "grey")
    try:
        spec = PreprocessSpec(
            size=form.size,
            channels=channels,
            crop=options.crop or guess.crop or "stretch",
            mean=per_channel(input_range.mean, channels),
            std=per_channel(input_range.std, channels),
            pad_value=guess.pad_value,
            layout=form.layout,
            region=options.region,
        )
        if spec.depth != form.depth:
            raise ValueError(f"has {form.depth} channels, expected as many as {channels} has")
    except ValueError as error:
        raise ModelError(subject, got=str(error), next_step="see `edgeinfer inspect`") from error
    return spec


def _in_words(found: InputRange) -> str:
    mean = ", ".join(f"{value:.6g}" for value in found.mean)
    std = ", ".join(f"{value:.6g}" for value in found.std)
    return f"(pixel - {mean}) / {std}"
