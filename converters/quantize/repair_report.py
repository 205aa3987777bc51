"""The attempts of an automatic repair, for people and for the bundle's report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from edgeinfer.converters.quantize.repair import Attempt, best_attempt
from edgeinfer.device.core.text.csv_cells import csv_cell

_LAYERS_SHOWN = 5


def repair_lines(attempts: Sequence[Attempt], reference: float, title: str = "top-1") -> list[str]:
    """Return a line for each attempt, compared with float32; none for a single attempt.

    Args:
        attempts: in their order.
        reference: float32's score, 0 to 1.
        title: what people call the score.
    """
    if len(attempts) < 2:
        return []
    chosen = best_attempt(attempts)
    width = max(len(attempt.stage) for attempt in attempts) + 2
    lines = [f"{'repair':{width}}{title:>11}{'points':>9}{'bytes':>12}"]
    for attempt in attempts:
        lines.append(
            f"{attempt.stage:{width}}{attempt.score:>11.2%}"
            f"{100 * (attempt.score - reference):>+9.2f}{len(attempt.models.small):>12,}"
            + ("  <- taken" if attempt is chosen else "")
        )
    if chosen.kept:
        shown = ", ".join(chosen.kept[:_LAYERS_SHOWN])
        more = len(chosen.kept) - _LAYERS_SHOWN
        lines.append(f"in float32: {shown}" + (f" and {more} more" if more > 0 else ""))
    return lines


def repair_json(attempts: Sequence[Attempt], figure: str = "top1") -> list[dict[str, object]]:
    """Return the attempts for `--json`, the score under the name `figure`."""
    chosen = best_attempt(attempts)
    return [
        {
            "stage": attempt.stage,
            figure: attempt.score,
            "pictures": attempt.evaluation.samples,
            "bytes": len(attempt.models.small),
            "taken": attempt is chosen,
            "float32_layers": list(attempt.kept),
        }
        for attempt in attempts
    ]


def repair_table(attempts: Sequence[Attempt], figure: str = "top1") -> bytes:
    """Return the attempts as CSV."""
    text = io.StringIO(newline="")
    rows = repair_json(attempts, figure)
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row, attempt in zip(rows, attempts, strict=True):
        kept = ";".join(attempt.kept)
        cells = {**row, "taken": "yes" if row["taken"] else "", "float32_layers": kept}
        writer.writerow({name: csv_cell(cell) for name, cell in cells.items()})
    return text.getvalue().encode()


def tried_text(attempts: Sequence[Attempt]) -> str:
    """Return the attempts that were not enough, for an error; empty for a single attempt."""
    return ", ".join(f"{attempt.stage} {attempt.score:.2%}" for attempt in attempts[1:])


def repair_provenance(attempts: Sequence[Attempt]) -> dict[str, str]:
    """Return the manifest's entries about a repair; none if there was no repair."""
    if len(attempts) < 2:
        return {}
    chosen = best_attempt(attempts)
    kept = {"convert.float32_layers": "; ".join(chosen.kept)} if chosen.kept else {}
    return {"convert.repair": chosen.stage, **kept}
