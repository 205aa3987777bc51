"""The front and the trials as tables: CSV for programs, rows of text for people."""

from __future__ import annotations

import csv
import io

from edgeinfer.device.core.text.csv_cells import csv_cell
from edgeinfer.host.search.candidate import Footprint, Measured, Trial
from edgeinfer.host.search.front import Entry
from edgeinfer.host.search.study.results import Found

FRONT_HEADER = (
    "model",
    "what it is",
    "validation",
    "to float",
    "time, baseline = 1",
    "invoke, ms",
    "size, kB",
)

_FIGURES = (
    *("validation_top1", "ratio", "ratio_low", "ratio_high"),
    *("invoke_ms", "size_bytes", "macs", "calibration"),
)


def front_rows(found: Found) -> list[tuple[str, ...]]:
    """Return the front, the fastest first, and the baseline if it is not on it, as text."""
    rows = list(found.front)
    if found.models[0] not in rows:
        rows.append(found.models[0])
    return [_front_row(model, found) for model in rows]


def _front_row(model: Entry, found: Found) -> tuple[str, ...]:
    footprint = model.measured.footprint
    drop = 100 * (model.measured.accuracy - found.baseline.float_accuracy)
    return (
        model.title + (" *" if found.winner is not None and model == found.winner else ""),
        _what(model),
        f"{100 * model.measured.accuracy:.2f} %",
        f"{drop:+.2f}",
        f"{footprint.ratio:.2f} ({footprint.ratio_low:.2f} to {footprint.ratio_high:.2f})",
        f"{footprint.invoke_ms:.3g}",
        f"{footprint.size_bytes / 1000:,.1f}",
    )


def _what(model: Entry) -> str:
    """Return a model's description, with its ranges if they are not min-max."""
    ranges = model.measured.calibration
    return model.candidate.text() + ("" if ranges == "min-max" else f"; {ranges}")


def front_csv(found: Found) -> str:
    """Return the front as CSV, the fastest first."""
    columns = ["model", "kind", "candidate", *_FIGURES, "winner"]
    rows = [
        (
            model.title,
            model.candidate.kind,
            model.candidate.text(),
            *_figures(model.measured),
            int(model == found.winner),
        )
        for model in found.front
    ]
    return _csv(columns, rows)


def trials_csv(found: Found) -> str:
    """Return all trials as CSV, in the order in which they were tried."""
    begin = ["number", "kind", "candidate", "outcome", "reason"]
    columns = [*begin, *_FIGURES, "epochs", "training_s", "seconds"]
    return _csv(columns, [_trial_row(trial) for trial in found.trials])


def _trial_row(trial: Trial) -> tuple[object, ...]:
    figures: tuple[object, ...] = ("",) * len(_FIGURES)
    if trial.measured is not None:
        figures = _figures(trial.measured)
    elif trial.footprint is not None:
        figures = ("", *_costs(trial.footprint), "")
    return (
        trial.number,
        trial.candidate.kind,
        trial.candidate.text(),
        trial.outcome,
        trial.reason,
        *figures,
        trial.epochs,
        f"{trial.training_s:.1f}",
        f"{trial.seconds:.1f}",
    )


def _figures(measured: Measured) -> tuple[object, ...]:
    return (f"{measured.accuracy:.6f}", *_costs(measured.footprint), measured.calibration)


def _costs(footprint: Footprint) -> tuple[object, ...]:
    ratios = (footprint.ratio, footprint.ratio_low, footprint.ratio_high)
    return (
        *(f"{ratio:.4f}" for ratio in ratios),
        f"{footprint.invoke_ms:.6f}",
        footprint.size_bytes,
        footprint.macs,
    )


def _csv(columns: list[str], rows: list[tuple[object, ...]]) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return table.getvalue()


def trial_line(trial: Trial) -> str:
    """Return the result of a candidate, on one line."""
    head = f"#{trial.number} {trial.candidate.text()}"
    if trial.measured is None:
        time = "" if trial.footprint is None else f" (time x{trial.footprint.ratio:.2f})"
        return f"{head}{time}: {trial.outcome}, {trial.reason} ({trial.seconds:.0f} s)"
    footprint = trial.measured.footprint
    return (
        f"{head}: {100 * trial.measured.accuracy:.2f} %, time x{footprint.ratio:.2f} "
        f"({footprint.invoke_ms:.3g} ms), {footprint.size_bytes / 1000:,.1f} kB "
        f"({trial.seconds:.0f} s)"
    )
