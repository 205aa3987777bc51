"""Other people's models: `.keras`, `.h5`, SavedModel or float `.tflite`, to a verified INT8 bundle.

There is no data set and so no accuracy. What is measured, on pictures that the user names, is how
often INT8 decides as float does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeinfer.converters.assemble import (
    CPU_MEMBER,
    cpu_variant,
    tool_versions,
    write_verified,
)
from edgeinfer.converters.calibration import Histogram, choose_ranges, sample_histograms
from edgeinfer.converters.convert import ConvertOptions
from edgeinfer.converters.evaluate import Evaluation, evaluate, evaluation_model
from edgeinfer.converters.float_model import KERAS_SUFFIXES, float_tflite
from edgeinfer.converters.golden import make_golden
from edgeinfer.converters.layer_errors import LayerError
from edgeinfer.converters.layer_report import compare_layers, layer_report, worst_layer_text
from edgeinfer.converters.litert_quantize import quantize_int8
from edgeinfer.converters.op_versions import require_loadable
from edgeinfer.converters.progress import Progress, Step
from edgeinfer.converters.repair import Attempt, RepairTask, best_attempt, repair
from edgeinfer.converters.repair_report import repair_provenance, repair_table, tried_text
from edgeinfer.converters.report import REPORT_FOLDER
from edgeinfer.converters.retrain import Retrain, retrainer
from edgeinfer.converters.samples import Sample
from edgeinfer.converters.targets import with_targets
from edgeinfer.converters.tflite import TfliteModels
from edgeinfer.device.bundle.manifest import ModelManifest
from edgeinfer.device.cameras.pictures import image_paths
from edgeinfer.device.decode import Decoder
from edgeinfer.device.errors import AccuracyError, ConversionError, DataError, ModelError
from edgeinfer.device.files import write_atomically
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.preprocess.spec import Channels, CropPolicy
from edgeinfer.device.tflite_file import read_tflite
from edgeinfer.device.tflite_types import TfliteModel
from edgeinfer.device.third_party import ends_in_probabilities
from edgeinfer.device.verify import VerifyReport

COMPARED_PICTURES = 2000
"""Most pictures on which the decisions are compared."""


@dataclass(frozen=True, kw_only=True)
class ForeignModel:
    """What only the user knows of a model.

    Attributes:
        pictures: a folder of images like those that it will see.
        labels: the classes; None numbers them.
        channels: the order of its input; None takes rgb, or grey for one channel.
        crop: what happens to pictures of another aspect ratio.
        mean: what is subtracted from a pixel value (0 to 255).
        std: what the difference is divided by.
        min_agreement: refuse INT8 that decides as float does less often, 0 to 1.
    """

    pictures: Path
    labels: tuple[str, ...] | None = None
    channels: Channels | None = None
    crop: CropPolicy = "stretch"
    mean: float = 127.5
    std: float = 127.5
    min_agreement: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ForeignResult:
    """What came out.

    Attributes:
        bundle: the file.
        manifest: what it says of itself.
        agreement: INT8's decisions, with float's as the truth.
        attempts: the plain quantization, and what the repair tried after it.
        layers: what each operator loses against float32.
        verified: the bundle's own golden vectors, replayed here.
    """

    bundle: Path
    manifest: ModelManifest
    agreement: Evaluation
    attempts: tuple[Attempt, ...]
    layers: list[LayerError]
    verified: VerifyReport


def convert_foreign(
    path: Path,
    out: Path,
    model: ForeignModel,
    options: ConvertOptions,
    step: Step,
    *,
    report_folder: Path | None = None,
) -> ForeignResult:
    """Quantize another's model to INT8 and write the bundle to `out`.

    Args:
        path: the `.keras`, `.h5` or float `.tflite` file, or a SavedModel's folder.
        out: the bundle.
        model: what only the user knows of it.
        options: calibration, golden frames, seed, targets.
        step: told what is going on.
        report_folder: where the layer error table and its picture go as well.

    Raises:
        AccuracyError: INT8 decides otherwise too often; nothing is written.
        ConversionError: the model cannot be converted, or is no classifier of single images.
        DataError: the folder holds no usable pictures.
        ModelError: the file is absent, damaged, or quantized already.
        StorageError: the bundle cannot be written.
    """
    step("read the model")
    content = float_tflite(path)
    graph = read_tflite(content, subject=str(path))
    spec = _preprocess(path, graph, model, options)
    labels = _labels(path, graph, model)
    calibration, compared = _pictures(model.pictures, options)

    histograms = sample_histograms(content, spec, calibration, step("convert to int8"))
    _require_contrast(model.pictures, histograms[graph.inputs[0].name])
    ranges = choose_ranges(histograms, options.quantize.calibration)
    small = quantize_int8(
        content, ranges, subject=path.name, per_tensor_dense=options.quantize.per_tensor_dense
    )
    models = TfliteModels(float32=content, small=small, precision="int8")
    step("check ops and versions")
    require_loadable(small, subject=f"{path.name} INT8")
    options.targets.require_mapped(small, subject=f"{path.name} INT8")

    def measure(form: bytes, progress: Progress) -> Evaluation:
        return _agreement(
            path, {"float32": content, "int8": form}, compared, labels, spec, progress
        )

    method = options.quantize.calibration
    plain = Attempt(
        stage=f"plain, {method}",
        models=models,
        evaluation=measure(small, step("compare decisions")),
    )
    attempts: tuple[Attempt, ...] = (plain,)
    if plain.score < model.min_agreement:
        task = RepairTask(
            name=path.name,
            preprocess=spec,
            calibration=calibration,
            measure=measure,
            good_enough=lambda evaluation: evaluation.top1 >= model.min_agreement,
            limit=options.repair,
            cpu_only=options.targets.floats_allowed,
            per_tensor_dense=options.quantize.per_tensor_dense,
            retrain=_retrain(path, spec, calibration, options),
        )
        attempts = repair(plain, method, task, step)
    chosen = best_attempt(attempts)
    agreement, small = chosen.evaluation, chosen.models.small
    if chosen is not plain:
        require_loadable(small, subject=f"{path.name} INT8")
        options.targets.require_mapped(small, subject=f"{path.name} INT8")
    layers = compare_layers(
        chosen.models, spec, compared[: options.layer_pictures], step("compare layer by layer")
    )
    files = layer_report(layers, path.stem, "int8")
    if report_folder is not None:
        for name, data in files.items():
            write_atomically(report_folder / name, data)
    _require_agreement(path.name, attempts, model.min_agreement, worst_layer_text(layers))

    step("write and verify the bundle")
    golden_samples = compared[: options.golden_frames]
    golden = make_golden(small, spec, golden_samples, None)
    manifest = ModelManifest(
        name=path.stem,
        labels=labels,
        preprocess=spec,
        decoder=Decoder(activation="none" if ends_in_probabilities(graph) else "softmax"),
        variants={
            "cpu": cpu_variant(small, "int8", golden),
        },
        golden=golden.frames,
        metrics={
            "agreement.int8": agreement.top1,
            "agreement.samples": float(agreement.samples),
            "size.float32.bytes": float(len(content)),
            "size.int8.bytes": float(len(small)),
        },
        provenance={
            **tool_versions(),
            "source": path.name,
            "convert.backend": "ai-edge-quantizer",
            "convert.calibration": method,
            **repair_provenance(attempts),
        },
    )
    members = {CPU_MEMBER: small, **golden.members}
    members |= {f"{REPORT_FOLDER}/{name}": data for name, data in files.items()}
    if len(attempts) > 1:
        members[f"{REPORT_FOLDER}/repair.csv"] = repair_table(attempts)
    manifest, members = with_targets(
        manifest,
        members,
        options.targets,
        step,
        float32=content,
        samples=golden_samples,
        labels=None,
    )
    manifest, verified = write_verified(out, manifest, members)
    return ForeignResult(
        bundle=out,
        manifest=manifest,
        agreement=agreement,
        attempts=attempts,
        layers=layers,
        verified=verified,
    )


def _preprocess(
    path: Path, graph: TfliteModel, model: ForeignModel, options: ConvertOptions
) -> PreprocessSpec:
    """Return how pictures become the input; refuse what is no classifier of single images."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ConversionError(
            path,
            got=f"has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs",
            expected="an image classifier with one of each",
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
        raise ConversionError(path, got=f"has {shape[3]} channels", expected=f"those of {channels}")
    depth = shape[3]
    return PreprocessSpec(
        size=(shape[2], shape[1]),
        channels=channels,
        crop=model.crop,
        mean=(model.mean,) * depth,
        std=(model.std,) * depth,
        jpeg_reduction=options.jpeg_reduction,
    )


def _labels(path: Path, graph: TfliteModel, model: ForeignModel) -> tuple[str, ...]:
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


def _pictures(folder: Path, options: ConvertOptions) -> tuple[list[Sample], list[Sample]]:
    """Return the calibration pictures and others to compare on, a seeded draw."""
    if not folder.is_dir():
        raise DataError(folder, got="is no folder", expected="a folder of images")
    paths = list(image_paths(folder))
    if not paths:
        raise DataError(folder, got="holds no images", expected="some like those it will see")
    order = np.random.default_rng(options.seed).permutation(len(paths))
    samples = [Sample(source=str(paths[i].resolve()), label=0) for i in order]
    count = min(options.calibration_images, max(1, len(samples) // 2))
    return samples[:count], (samples[count:] or samples)[:COMPARED_PICTURES]


def _require_contrast(folder: Path, inputs: Histogram) -> None:
    if inputs.high <= inputs.low:
        raise DataError(
            folder,
            got="its pictures are all of one colour",
            expected="pictures like those that the model will see",
        )


def _agreement(
    path: Path,
    forms: dict[str, bytes],
    samples: list[Sample],
    labels: tuple[str, ...],
    spec: PreprocessSpec,
    progress: Progress,
) -> Evaluation:
    """Return how INT8 decides, with float32's decisions as the truth."""
    factories = {
        name: lambda form=form, name=name: evaluation_model(
            form, subject=f"{path.name} {name}", labels=labels, preprocess=spec
        )
        for name, form in forms.items()
    }
    return evaluate(factories, samples, labels, truth="float32", progress=progress)["int8"]


def _retrain(
    path: Path, spec: PreprocessSpec, samples: list[Sample], options: ConvertOptions
) -> Retrain | None:
    """Return what trains the model further; None for one without its Keras layers."""
    if path.suffix.lower() not in KERAS_SUFFIXES:
        return None
    return retrainer(path, spec, samples, per_tensor_dense=options.quantize.per_tensor_dense)


def _require_agreement(
    name: str, attempts: tuple[Attempt, ...], least: float, lost_where: str
) -> None:
    agreement, tried = best_attempt(attempts).evaluation, tried_text(attempts)
    if agreement.top1 >= least:
        return
    raise AccuracyError(
        name,
        got=f"INT8 decides as float32 does on {agreement.top1:.2%} of {agreement.samples} pictures"
        + (f"; most is lost in {lost_where}" if lost_where else "")
        + (f"; tried in vain: {tried}" if tried else ""),
        expected=f"at least {least:.2%}",
        next_step="try other --pictures, or a lower --min-agreement",
    )
