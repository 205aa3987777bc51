"""The layer error table of a conversion: as CSV, as a picture and as a line for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.layer_errors import LayerError, layer_errors, worst_layer
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.core.text.csv_cells import csv_cell
from edgeinfer.device.preprocess import PreprocessSpec

_NAME_SHOWN = 40
_HEADER = (
    *("index", "op", "tensor", "shape", "sqnr_db", "loss_db", "weight_sqnr_db"),
    *("float_low", "float_high", "quantized_low", "quantized_high", "clipped_share"),
)


def compare_layers(
    models: TfliteModels,
    preprocess: PreprocessSpec,
    samples: Sequence[Sample],
    progress: Progress,
) -> list[LayerError]:
    """Compare the two forms of a converted model on samples; see `layer_errors`."""
    return layer_errors(
        models.float32,
        models.small,
        preprocess,
        (read_sample(sample.source, preprocess) for sample in samples),
        progress=progress,
    )


def layer_report(errors: Sequence[LayerError], name: str, precision: Precision) -> dict[str, bytes]:
    """Return the table and its picture by file name."""
    title = f"{name}: {precision} against float32, operator by operator"
    return {
        f"layers.{precision}.csv": layer_table(errors),
        f"layers.{precision}.png": layer_picture(errors, title),
    }


def layer_table(errors: Sequence[LayerError]) -> bytes:
    """Return the table as CSV; cells that do not apply are empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for error in errors:
        weights = "" if error.weight_sqnr_db is None else f"{error.weight_sqnr_db:.2f}"
        held = error.quantized_range or ("", "")
        writer.writerow(
            [
                *(
                    error.index,
                    csv_cell(error.op),
                    csv_cell(error.tensor),
                    "x".join(map(str, error.shape)),
                ),
                *(f"{error.sqnr_db:.2f}", f"{error.loss_db:.2f}", weights),
                *(f"{value:.6g}" for value in error.float_range),
                *(value if isinstance(value, str) else f"{value:.6g}" for value in held),
                f"{error.clipped:.6g}",
            ]
        )
    return text.getvalue().encode()


def describe_layer(error: LayerError) -> str:
    """Return on one line what an operator does to the signal."""
    name = error.tensor.split(";")[0]
    name = name if len(name) <= _NAME_SHOWN else name[: _NAME_SHOWN - 3] + "..."
    text = (
        f"op {error.index} {error.op} '{name}': {error.loss_db:.1f} dB lost, "
        f"{error.sqnr_db:.1f} dB left"
    )
    if error.clipped > 0.001:
        text += f", {error.clipped:.1%} of its values clipped"
    return text


def worst_layer_text(errors: Sequence[LayerError]) -> str:
    """Return the operator that loses most, on one line; empty where none loses."""
    worst = worst_layer(errors)
    return "" if worst is None else describe_layer(worst)


def layer_picture(errors: Sequence[LayerError], title: str) -> bytes:
    """Draw the table as a PNG: ratios by operator above, ranges below."""
    from matplotlib.figure import Figure

    places = range(len(errors))
    figure = Figure(figsize=(max(7.0, 1.5 + 0.17 * len(errors)), 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _draw_ratios(above, errors, title)
    _draw_ranges(below, errors)
    below.set_xticks(places, [f"{e.index} {e.op}" for e in errors], rotation=90, fontsize=6.5)
    below.set_xlim(-0.7, len(errors) - 0.3)
    picture = io.BytesIO()
    # Without the software's version among the metadata, equal reports have equal bytes.
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()


def _draw_ratios(axes: Any, errors: Sequence[LayerError], title: str) -> None:
    places = range(len(errors))
    axes.bar(places, [e.loss_db for e in errors], color="#c0392b", label="lost by the operator")
    axes.plot(places, [e.sqnr_db for e in errors], "o-", ms=3.5, color="#1f4e79", label="result")
    weighted = [(i, e.weight_sqnr_db) for i, e in enumerate(errors) if e.weight_sqnr_db is not None]
    if weighted:
        axes.plot(*zip(*weighted, strict=True), "x", ms=4, color="#7f8c8d", label="weights")
    worst = worst_layer(errors)
    if worst is not None:
        place = list(errors).index(worst)
        axes.annotate(
            f"{worst.op}: {worst.loss_db:.1f} dB",
            (place, worst.loss_db),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color="#c0392b",
        )
    axes.set_ylabel("SQNR, dB")
    axes.grid(axis="y", alpha=0.3)
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=8, ncols=3, loc="upper right")
    axes.set_ylim(min(0.0, *(e.sqnr_db for e in errors)), None)


def _draw_ranges(axes: Any, errors: Sequence[LayerError]) -> None:
    """Draw the ranges of the float results inside the ranges of the quantized ones."""
    for place, error in enumerate(errors):
        if error.quantized_range is not None:
            low, high = error.quantized_range
            axes.bar(place, high - low, bottom=low, width=0.8, color="#d6e4f0")
        low, high = error.float_range
        axes.vlines(place, low, high, color="#1f4e79", lw=2)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set_ylabel("range: float (line),\nheld (bar)", fontsize=8)
    axes.grid(axis="y", alpha=0.3)
