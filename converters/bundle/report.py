"""The numbers and pictures behind a bundle's metrics."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeinfer.converters.measure.evaluate import Evaluation
from edgeinfer.device.core.csv_cells import csv_cell
from edgeinfer.device.core.tensors import Precision

REPORT_FOLDER = "report"
METRICS_MEMBER = f"{REPORT_FOLDER}/metrics.json"


def report_members(
    metrics: Mapping[str, float], evaluations: Mapping[str, Evaluation], precision: Precision
) -> dict[str, bytes]:
    """Return the report's files by member name.

    Args:
        metrics: figures by name.
        evaluations: by split and precision, such as `test.int8`.
        precision: the bundle's, of whose answers on the test split a picture is drawn.
    """
    members = {METRICS_MEMBER: metrics_file(metrics)}
    for name, evaluation in evaluations.items():
        members[f"{REPORT_FOLDER}/confusion.{name}.csv"] = _confusion_table(evaluation)
    drawn = f"test.{precision}"
    if drawn in evaluations:
        members[f"{REPORT_FOLDER}/confusion.{drawn}.png"] = _confusion_picture(
            evaluations[drawn], precision
        )
    return members


def metrics_file(metrics: Mapping[str, float]) -> bytes:
    """Return the metrics as a JSON file; equal ones give equal bytes."""
    return (json.dumps(dict(metrics), indent=1, sort_keys=True) + "\n").encode()


def _confusion_table(evaluation: Evaluation) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["truth \\ answer", *map(csv_cell, evaluation.labels)])
    for label, row in zip(evaluation.labels, evaluation.confusion, strict=True):
        writer.writerow([csv_cell(label), *map(int, row)])
    return table.getvalue().encode()


def _confusion_picture(evaluation: Evaluation, precision: Precision) -> bytes:
    """Draw the confusion matrix, (classes, classes), as a PNG."""
    from matplotlib.figure import Figure

    confusion = evaluation.confusion
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    classes = len(evaluation.labels)
    side_inches = 3.2 + 0.42 * min(classes, 40)
    figure = Figure(figsize=(side_inches + 0.8, side_inches), layout="constrained")
    axes: Any = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # A label may hold '$', which matplotlib would read as mathematics.
    names = [label.replace("$", r"\$")[:24] for label in evaluation.labels]
    axes.set_xticks(range(classes), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(classes), names, fontsize=8)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title(
        f"{precision.upper()} on the test split: {evaluation.top1:.2%} of {evaluation.samples}",
        fontsize=10,
    )
    if classes <= 20:
        for row, column in np.argwhere(confusion > 0):
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = str(confusion[row, column])
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, label="share of the class", shrink=0.8)
    picture = io.BytesIO()
    # Without the software's version among the metadata, equal reports have equal bytes.
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()
