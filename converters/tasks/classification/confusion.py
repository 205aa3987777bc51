"""Which classes are confused with which: a table and a picture."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.device.core.text.csv_cells import csv_cell


def confusion_table(evaluation: ClassEvaluation) -> bytes:
    """Return the confusion matrix as CSV."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["truth \\ answer", *map(csv_cell, evaluation.group_names)])
    for label, row in zip(evaluation.group_names, evaluation.confusion, strict=True):
        writer.writerow([csv_cell(label), *map(int, row)])
    return table.getvalue().encode()


def confusion_picture(evaluation: ClassEvaluation, name: str) -> bytes:
    """Draw the confusion matrix, (classes, classes), as a PNG; `name` is such as `test.int8`."""
    from matplotlib.figure import Figure

    pictures, _, precision = name.partition(".")
    confusion = evaluation.confusion
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    classes = len(evaluation.group_names)
    side_inches = 3.2 + 0.42 * min(classes, 40)
    figure = Figure(figsize=(side_inches + 0.8, side_inches), layout="constrained")
    axes: Any = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # A label may contain '$', which matplotlib would read as mathematics.
    names = [label.replace("$", r"\$")[:24] for label in evaluation.group_names]
    axes.set_xticks(range(classes), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(classes), names, fontsize=8)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title(
        f"{precision.upper()} on the {pictures} split: {evaluation.score:.2%} of "
        f"{evaluation.samples}",
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
