"""A bundle of a finished `.tflite` as it is: nothing in the model changes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.bundle.write import manifest_errors, tool_versions, write_verified
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.adopt.pictures import LabelledPath, golden_samples, read_folder
from edgeinfer.converters.convert.adopt.ranges import RangeTrial, choose_range, measure, try_ranges
from edgeinfer.converters.convert.adopt.variants import adopted_variant
from edgeinfer.device.accelerators.registry import compiled_for
from edgeinfer.device.core.errors import UnknownRangeError, storage_error
from edgeinfer.device.core.model_file import read_model_file
from edgeinfer.device.models.bundle.manifest import ModelManifest, least_schema
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.plain_content import PlainContent, plain_content
from edgeinfer.device.models.plain_tflite import PlainModel, describe_plain
from edgeinfer.device.models.verify import VerifyReport
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions


@dataclass(frozen=True, kw_only=True)
class AdoptResult:
    """The result of `edgeinfer.adopt`.

    Attributes:
        bundle: path of the bundle that was written.
        manifest: the manifest of the bundle.
        notes: what was found out about the model, one sentence each.
        trials: how the model answered labelled pictures, one for each range that was tried. Empty
            without labelled pictures.
        pictures: the user's pictures that were chosen, in a seeded order.
        verified: the test pictures of the bundle, answered again on this machine; None for a model
            that only runs on an accelerator.
    """

    bundle: Path
    manifest: ModelManifest
    notes: tuple[str, ...]
    trials: tuple[RangeTrial, ...]
    pictures: tuple[Path, ...]
    verified: VerifyReport | None


def adopt(
    path: Path,
    out: Path,
    opening: OpenOptions,
    progress: Progress,
    *,
    pictures: Path | None = None,
    golden_frames: int = 10,
    seed: int = 0,
) -> AdoptResult:
    """Write a bundle of a finished `.tflite`.

    Args:
        path: the model.
        out: the bundle.
        opening: what the user says of the model.
        progress: reports what is going on.
        pictures: a folder of pictures like those that the model will see; in sub-folders of their
            classes they decide the range of the input where nothing states it. None generates the
            golden frames.
        golden_frames: how many frames the bundle has for `verify`.
        seed: of the choice of pictures.

    Raises:
        ConversionError: the manifest does not fit the model.
        DataError: there are no usable pictures.
        ModelError: the model is damaged, is not one that edgeinfer reads, or nothing decides the
            range of its input.
        StorageError: the bundle cannot be written.
        UsageError: an option does not fit the model.
        VerificationError: the model does not answer the same when it is asked again.
    """
    file = read_model_file(path)
    running = plain_content(file, opening, subject=str(path))
    content, graph = running
    compiled = compiled_for(graph)
    chosen = [] if pictures is None else read_folder(pictures, seed=seed)
    progress.start("read the model")
    opening, trials = (
        (opening, []) if compiled is not None else _decided(path, opening, chosen, progress)
    )
    plain = _described(path, file, running, opening, runs_here=compiled is None)
    with tempfile.TemporaryDirectory(prefix="edgeinfer-adopt-") as folder:
        progress.start("make the golden frames")
        samples = golden_samples(chosen, golden_frames, Path(folder))
        name, variant, golden, members = adopted_variant(
            *(content, graph, plain, samples), compiled=compiled
        )
    labels = unique_labels(plain.said.labels)
    with manifest_errors(out):
        manifest = ModelManifest(
            name=path.stem,
            schema_version=least_schema(plain.task, plain.said, {name: variant}, plain.preprocess),
            task=plain.task,
            labels=labels,
            value=plain.said.value,
            settings=dict(plain.said.settings) or None,
            preprocess=plain.preprocess,
            decoder=plain.said.decoder,
            variants={name: variant},
            golden=golden,
            metrics=_metrics(trials, len(content)),
            provenance={
                **tool_versions(),
                "adopt.source": path.name,
                "adopt.input": plain.input_range.reason,
                "adopt.golden": "pictures" if chosen else "generated",
            },
        )
    progress.start("write the bundle" if compiled else "write and verify the bundle")
    verified: VerifyReport | None = None
    if compiled is None:
        manifest, verified = write_verified(out, manifest, members)
    else:
        manifest = _write(out, manifest, members)
    return AdoptResult(
        bundle=out,
        manifest=manifest,
        notes=plain.notes,
        trials=tuple(trials),
        pictures=tuple(picture.path for picture in chosen),
        verified=verified,
    )


def unique_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels of which none occurs twice: a later one of the same name gets its number.

    ImageNet has two cranes, a bird and a machine.

    >>> unique_labels(["crane", "dog", "crane"])
    ('crane', 'dog', 'crane (class 2)')
    """
    seen: set[str] = set()
    unique = []
    for number, label in enumerate(labels):
        name = f"{label} (class {number})" if label in seen else label
        while name in seen:
            name += "'"
        seen.add(name)
        unique.append(name)
    return tuple(unique)


def _described(
    path: Path,
    file: bytes,
    running: PlainContent,
    opening: OpenOptions,
    *,
    runs_here: bool,
) -> PlainModel:
    """Return what the model is; what only an accelerator runs is read from the file.

    Args:
        path: of the file, for errors.
        file: its bytes, whole.
        running: what a runtime is given of it.
        opening: what the user says of the model.
        runs_here: it was not compiled for an accelerator.
    """
    subject = str(path)
    content, graph = running
    if not runs_here:
        inputs = [tensor.spec() for tensor in graph.inputs]
        outputs = [tensor.spec() for tensor in graph.outputs]
        return describe_plain(file, graph, inputs, outputs, opening, subject=subject)
    runner = open_on_cpu(content, opening, subject=subject, graph=graph)
    with closing(runner):
        plain = describe_plain(
            file, runner.graph, runner.inputs, runner.outputs, opening, subject=subject
        )
        return replace(plain, notes=(*plain.notes, *filter(None, [runner.note])))


def _write(out: Path, manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    try:
        return write_bundle(out, manifest, members)
    except OSError as error:
        raise storage_error(out, error) from error


def _decided(
    path: Path, opening: OpenOptions, pictures: Sequence[LabelledPath], progress: Progress
) -> tuple[OpenOptions, list[RangeTrial]]:
    """Return the options with the range of the input, and how labelled pictures were answered."""
    stated = True
    try:
        Model.open(path, opening).close()
    except UnknownRangeError:
        if not pictures:
            raise
        stated = False
    if stated:
        trial = measure(path, opening, pictures, name="as stated", progress=progress)
        return opening, [] if trial is None else [trial]
    trials = try_ranges(path, opening, pictures, progress)
    return replace(opening, input_range=choose_range(path, trials)), trials


def _metrics(trials: Sequence[RangeTrial], size_bytes: int) -> dict[str, float]:
    figures = {"size.bytes": float(size_bytes)}
    if trials:
        best = trials[0]
        figures["pictures.top1"] = float(best.right.mean())
        figures["pictures.samples"] = float(len(best.right))
    return figures
