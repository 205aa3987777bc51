"""`edgeinfer evaluate`: how good a model is on labelled pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.given import FOLDERS, refuse_other
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import (
    is_model,
    json_option,
    model_option,
    one_model,
    resolve_model,
)
from edgeinfer.device.cli.options.region import region_settings
from edgeinfer.device.cli.options.tiles import tiles_settings
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.core.model_file import command_line
from edgeinfer.device.core.text.csv_cells import csv_cell
from edgeinfer.device.pictures.folders.leftovers import EVALUATION_FILES
from edgeinfer.host.cli.labels_option import (
    LABELS_NAMES,
    LABELS_SETTINGS,
    PATTERN_NAMES,
    PATTERN_SETTINGS,
    TARGET_NAMES,
    TARGET_SETTINGS,
)

if TYPE_CHECKING:
    from edgeinfer.converters.tasks.evaluation import Evaluation
    from edgeinfer.converters.tasks.intervals import Comparison
    from edgeinfer.device.pictures.region import Region, Tiles
    from edgeinfer.host.evaluation.evaluate import Result
    from edgeinfer.host.evaluation.worst import Answered

SHEET_FILE, TABLE_FILE = EVALUATION_FILES

_model, _data, _output = map(option_group, ("Model", "Data", "Output"))


@click.command(cls=Command)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[BUNDLE] DATA")
@model_option
@_data(*LABELS_NAMES, **LABELS_SETTINGS)
@_data(*TARGET_NAMES, **TARGET_SETTINGS)
@_data(*PATTERN_NAMES, **PATTERN_SETTINGS)
@_model(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="OTHER",
    help="Compare with another model on the same pictures: is the difference more than chance?",
)
@_model(
    "--region",
    show_default="what the model states, or all of it",
    **region_settings("the model sees"),
)
@_model("--tiles", show_default="none", **tiles_settings())
@_output(
    "--worst",
    type=click.IntRange(0, 100),
    default=10,
    metavar="N",
    help="How many of the worst answers to print.",
)
@_output(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=f"Write the pictures with the worst answers ({SHEET_FILE}) and the score of each picture "
    f"({TABLE_FILE}) there.",
)
@json_option
def evaluate(
    paths: tuple[Path, ...],
    model: Path | None,
    labels_csv: Path | None,
    targets: tuple[str, ...],
    name_pattern: str | None,
    compare: Path | None,
    region: Region | None,
    tiles: Tiles | None,
    worst: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Measure how good a model is on labelled pictures.

    BUNDLE is a .edgebundle or .tflite. DATA has what the task of the model needs: for classes, one
    sub-folder of pictures per class; for values, a table (--labels-csv) or names that have them
    (--name-pattern); for objects, boxes as Pascal VOC, YOLO, COCO or a table. Each score has a 95 %
    interval: how far it may be from the score for all such pictures in the world.
    """
    model, data = _model_and_data(paths, model)
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.evaluation.evaluate import evaluate_model
    from edgeinfer.host.evaluation.sheet import worst_sheet
    from edgeinfer.host.evaluation.worst import answered

    with tell_kept(report and report / TABLE_FILE), show_progress(keep=True) as progress:
        result = evaluate_model(
            *(model, data, progress),
            table=labels_csv,
            targets=targets,
            name_pattern=name_pattern,
            other=compare,
            region=region,
            tiles=tiles,
        )
        named = answered(model, result.worst(worst), region, tiles)
        if report is not None:
            write_atomically(report / TABLE_FILE, _table(result))
            if named:
                worst_sheet(named, report / SHEET_FILE)
    say(
        json.dumps(_document(result, named)) if as_json else _text(result, named, compare),
        whole=as_json,
    )


def _model_and_data(paths: tuple[Path, ...], model: Path | None) -> tuple[Path, Path]:
    """Return the model, by default the installed bundle, and the data.

    Raises:
        UsageError: two different models are given.
        BundleError: no model is given and none is installed.
        click.UsageError: the data is missing, or there are too many paths.
    """
    if len(paths) > 2 and all(is_model(path) for path in paths[:2]):
        first, second, *rest = paths
        compared = command_line("evaluate", first, *rest, "--compare", second)
        raise click.UsageError(f"Got two models; to compare them: {compared}")
    if len(paths) > 2:
        raise click.UsageError(f"Got unexpected extra argument ({paths[2]})")
    if len(paths) == 2:
        # In either order, if the names show which one is the model.
        first, data = reversed(paths) if is_model(paths[1]) else paths
        model = one_model(first, model)
    elif not paths or is_model(paths[0]):
        if paths:
            model = one_model(paths[0], model)
        named = ("BUNDLE" if model is None else model, "FOLDER")
        raise click.UsageError(
            "Missing argument 'DATA': the folder of labelled pictures. "
            f"{command_line('evaluate', *named)}"
        )
    else:
        data = paths[0]
    found = resolve_model(model)
    refuse_other(data, (*FOLDERS, "zip"), "a folder of labelled photos", model=model)
    return found, data


def _document(result: Result, worst: Sequence[Answered]) -> dict[str, object]:
    from edgeinfer.device.models.bundle.strict import to_json

    document: dict[str, object] = {
        "model": str(result.model),
        **_figures(result.evaluation),
        "groups": [
            {
                "name": group.name,
                "pictures": group.samples,
                "score": group.score,
                "low": group.low,
                "high": group.high,
            }
            for group in result.groups
        ],
        "absent": list(result.absent),
        "worst": [one.to_json() for one in worst],
    }
    if result.other is not None and result.comparison is not None:
        comparison = result.comparison
        document["other"] = _figures(result.other)
        document["comparison"] = {
            **to_json(comparison),
            "more_than_chance": comparison.more_than_chance,
        }
    return document


def _figures(evaluation: Evaluation) -> dict[str, object]:
    low, high = evaluation.interval
    return {
        "score_name": evaluation.score_name,
        "pictures": evaluation.samples,
        "score": evaluation.score,
        "low": low,
        "high": high,
        **({"figures": figures} if (figures := evaluation.figures()) else {}),
    }


def _text(result: Result, worst: Sequence[Answered], compare: Path | None) -> str:
    name = result.evaluation.score_name
    names = [group.name for group in result.groups] + ([compare.name] if compare else [])
    width = max(12, *(len(printable(name)) + 2 for name in names))
    lines = [f"{name:{width}}{'score':>9}{'95 % interval':>20}{'pictures':>10}"]
    score, samples = result.evaluation.score, result.evaluation.samples
    lines.append(_row("all", width, score, *result.evaluation.interval, samples))
    if len(result.groups) > 1:
        lines += [
            _row(group.name, width, group.score, group.low, group.high, group.samples)
            for group in result.groups
        ]
    lines += result.evaluation.lines()
    if result.absent:
        lines.append(f"no pictures of: {', '.join(result.absent)}")
    if result.other is not None and result.comparison is not None and compare is not None:
        lines += _compared(compare, result.other, result.comparison, width)
    if worst:
        lines += ["worst answers:", *(f"  {one.text()}" for one in worst)]
    return "\n".join(map(printable, lines))


def _row(name: str, width: int, score: float, low: float, high: float, pictures: int) -> str:
    interval = f"{low:.2%} to {high:.2%}"
    return f"{name:{width}}{score:>9.2%}{interval:>20}{pictures:>10,}"


def _compared(other: Path, evaluation: Evaluation, comparison: Comparison, width: int) -> list[str]:
    verdict = "more than chance" if comparison.more_than_chance else "may be chance"
    return [
        _row(other.name, width, evaluation.score, *evaluation.interval, evaluation.samples),
        f"{other.name}: {100 * comparison.difference:+.2f} points "
        f"({100 * comparison.low:+.2f} to {100 * comparison.high:+.2f}), better on "
        f"{comparison.better:,} pictures and worse on {comparison.worse:,}: {verdict} "
        f"(p = {comparison.p_value:.3g})",
        *(f"{other.name}: {line}" for line in evaluation.lines()),
    ]


def _table(result: Result) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["picture", "group", "score"])
    evaluation = result.evaluation
    for sample, group, score in zip(
        result.samples, evaluation.groups, evaluation.scores, strict=True
    ):
        name = evaluation.group_names[int(group)]
        writer.writerow([csv_cell(printable(sample.source)), csv_cell(name), f"{score:.6g}"])
    return table.getvalue()
