"""`edgeinfer adopt`: makes a bundle of a finished `.tflite`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.converters.cli.options import install_option, out_option
from edgeinfer.device.cli.given import refuse_other
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option, labels_option, read_labels
from edgeinfer.device.cli.options.opening import read_opening
from edgeinfer.device.cli.options.plain import plain_options
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable

if TYPE_CHECKING:
    from edgeinfer.converters.bundle.report import ReportFiles
    from edgeinfer.converters.convert.adopt.adopt import AdoptResult

_model = option_group("Model")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@labels_option()
@plain_options("Model")
@_model(
    "--trust",
    is_flag=True,
    help="Adopt a model with operators that edgeinfer cannot check. Only if you know who made it.",
)
@_model(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pictures like those that the model will see, for the golden frames. In folders with the "
    "names of the classes they decide the input range if nothing states it.",
)
@out_option
@_output(
    "--golden-frames",
    type=click.IntRange(1, 500),
    default=10,
    metavar="N",
    help="Frames in the bundle, for `edgeinfer verify`.",
)
@_output("--seed", type=int, default=0, metavar="N", help="Random seed of the choice of pictures.")
@install_option
@json_option
def adopt(
    model: Path,
    labels_file: Path | None,
    pictures: Path | None,
    out: Path | None,
    golden_frames: int,
    seed: int,
    install: bool,
    as_json: bool,
    **opening: Any,
) -> None:
    """Make a bundle of a finished .tflite model as it is.

    MODEL may be quantized, float, or compiled for an Edge TPU, also in a ZIP with its labels, as
    Teachable Machine makes it. Nothing in it changes. What `predict` and `run` have to know about a
    .tflite each time is said once here: labels, input range, task, thresholds. What the file states
    itself is found and printed.

    The bundle is verified on this computer. A model that only an accelerator runs is recorded on
    the board, by `edgeinfer verify --record`.
    """
    adopt_and_tell(
        model,
        labels_file=labels_file,
        pictures=pictures,
        out=out,
        golden_frames=golden_frames,
        seed=seed,
        install=install,
        as_json=as_json,
        **opening,
    )


def adopt_and_tell(
    model: Path,
    *,
    labels_file: Path | None,
    pictures: Path | None,
    out: Path | None,
    golden_frames: int,
    seed: int,
    install: bool,
    as_json: bool,
    **opening: Any,
) -> None:
    """Do what the command does, for `convert` of a quantized model as well."""
    from dataclasses import replace

    from edgeinfer.converters.bundle.install import install_bundle
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.converters.convert.adopt.adopt import adopt as adopt_model
    from edgeinfer.converters.convert.adopt.page import write_adopted_page
    from edgeinfer.converters.convert.model_zip import opened_model, with_form

    refuse_other(model, ("tflite", "zip"), "a .tflite file")
    name = model.stem
    unpacked = click.get_current_context().with_resource(opened_model(model))
    labels = read_labels(labels_file or unpacked.labels)
    options = with_form(replace(read_opening(**opening), labels=labels), unpacked.form)
    with tell_kept(out), show_progress(keep=True) as progress:
        if unpacked.form is not None:
            progress.say(unpacked.form.reason)
        result = adopt_model(
            *(unpacked.model, out or Path(f"{name}.edgebundle"), options, progress),
            pictures=pictures,
            golden_frames=golden_frames,
            seed=seed,
        )
    report = write_adopted_page(result, lambda line: say(printable(line), err=True))
    installed = install_bundle(result.bundle) if install else None
    if as_json:
        say(json.dumps(_document(result, report)), whole=True)
    else:
        say("\n".join(_lines(result, installed, report)))


def _document(result: AdoptResult, report: ReportFiles | None) -> dict[str, object]:
    return {
        "bundle": str(result.bundle),
        "task": result.manifest.task,
        "classes": len(result.manifest.labels),
        "notes": list(result.notes),
        "trials": {trial.name: float(trial.right.mean()) for trial in result.trials},
        **result.manifest.metrics,
        **({} if report is None else {"report": str(report.folder), "page": str(report.page)}),
    }


def _lines(result: AdoptResult, installed: Path | None, report: ReportFiles | None) -> list[str]:
    from edgeinfer.converters.convert.adopt.ranges import rivals

    manifest = result.manifest
    variant = manifest.main_variant
    classes = f", {len(manifest.labels):,} classes" if manifest.labels else ""
    lines = [
        f"{result.bundle}: {result.bundle.stat().st_size:,} bytes, {manifest.task}{classes}, "
        f"{variant.precision}",
        *result.notes,
        *(f"input {trial.text()}" for trial in result.trials),
    ]
    near = rivals(result.trials)
    if near:
        lines.append(
            f"input {result.trials[0].name} is taken; on these pictures {' and '.join(near)} is "
            "not clearly worse: more of them, or --input-range, would decide"
        )
    if result.verified is not None:
        lines.append(
            f"verified: {result.verified.frames} frames bit-equal through "
            f"{' and '.join(result.verified.implementations)} preprocessing"
        )
    else:
        lines.append(
            f"not verified: only {variant.delegate} runs it; record its answers on the board with "
            f"`edgeinfer verify {result.bundle.name} --record FILE`"
        )
    if report is not None:
        lines.append(report.text())
    if installed is None:
        return [*lines, f"next: edgeinfer run --camera --model {result.bundle}"]
    return [*lines, f"installed as {installed}", "next: edgeinfer run --camera"]
