"""True values and answers: a table and a picture."""

from __future__ import annotations

import csv
import io
from typing import Any

from edgeinfer.converters.tasks.value.evaluation import ValueEvaluation
from edgeinfer.device.core.text.csv_cells import csv_cell

_MOST_COLUMNS = 3


def value_table(evaluation: ValueEvaluation) -> bytes:
    """Return the true value, the answer and the error of each picture as CSV, in units."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    named = [f"{name} " if name else "" for name in evaluation.names]
    titles = [f"{name}{what}" for name in named for what in ("truth", "answer", "error")]
    writer.writerow([csv_cell(title) for title in titles])
    rows = zip(evaluation.truths, evaluation.answers, evaluation.errors, strict=True)
    for row in rows:
        each = zip(*row, strict=True)
        writer.writerow([f"{number:.9g}" for numbers in each for number in numbers])
    return table.getvalue().encode()


def value_picture(evaluation: ValueEvaluation, name: str) -> bytes:
    """Draw answers against true values, a plot for each value, as a PNG.

    Args:
        evaluation: of at least one picture.
        name: such as `test.int8`.
    """
    from matplotlib.figure import Figure

    pictures, _, precision = name.partition(".")
    figures = evaluation.values()
    columns = min(len(figures), _MOST_COLUMNS)
    rows = -(-len(figures) // columns)
    figure = Figure(figsize=(4.6 * columns, 4.4 * rows), layout="constrained")
    grid: Any = figure.subplots(rows, columns, squeeze=False)
    for place, (axes, one) in enumerate(zip(grid.flat, figures, strict=False)):
        truths, answers = evaluation.truths[:, place], evaluation.answers[:, place]
        axes.plot([truths.min(), truths.max()], [truths.min(), truths.max()], color="0.7", lw=1)
        axes.scatter(truths, answers, s=10, alpha=0.6, linewidths=0)
        # A name or unit may contain '$', which matplotlib would read as mathematics.
        title = " ".join(part for part in (one.name, one.unit) if part).replace("$", r"\$")
        axes.set(xlabel=f"truth {title}".rstrip(), ylabel="answer")
        axes.set_title(f"mean error {one.mae:.3g} {one.unit}".replace("$", r"\$"), fontsize=9)
    for axes in list(grid.flat)[len(figures) :]:
        axes.set_visible(False)
    figure.suptitle(
        f"{precision.upper()} on the {pictures} split: {evaluation.samples} pictures", fontsize=10
    )
    picture = io.BytesIO()
    # Without the software's version among the metadata, equal reports have equal bytes.
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()
