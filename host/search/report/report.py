"""The files that a search leaves: front.csv, trials.csv, front.png and report.html."""

from __future__ import annotations

import base64
import html
from pathlib import Path

from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.search.front import standard_error
from edgeinfer.host.search.report.finish import Ending
from edgeinfer.host.search.report.plot import draw_front
from edgeinfer.host.search.report.tables import FRONT_HEADER, front_csv, front_rows, trials_csv
from edgeinfer.host.search.study.results import Found

FRONT_TABLE, TRIALS_TABLE = "front.csv", "trials.csv"
PICTURE, PAGE = "front.png", "report.html"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff }
img { max-width: 100%; height: auto }
table { border-collapse: collapse; margin: 1rem 0; font-size: 14px }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: left;
         vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr.winner { background: #e2f3ec; font-weight: 600 }
.wide { overflow-x: auto }
code { background: #f3f3f3; padding: .1rem .3rem }
"""


def write_report(out: Path, found: Found, ending: Ending | None) -> None:
    """Write the tables, the picture and the page.

    Raises:
        StorageError: they cannot be written.
    """
    picture = draw_front(found)
    write_atomically(out / FRONT_TABLE, front_csv(found))
    write_atomically(out / TRIALS_TABLE, trials_csv(found))
    write_atomically(out / PICTURE, picture)
    write_atomically(out / PAGE, _page(found, ending, picture))


def _page(found: Found, ending: Ending | None, picture: bytes) -> str:
    """Return one page that needs no other file."""
    name = html.escape(found.name)
    image = base64.b64encode(picture).decode()
    measured = sum(trial.measured is not None for trial in found.trials)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}: search</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>{name}: {html.escape(found.budget.text())}</h1>
<p>{_verdict(found, ending)}</p>
<img alt="accuracy against time of all that was trained" src="data:image/png;base64,{image}">
<h2>The front</h2>
<p>No other model is more accurate, faster and smaller at once. Times are the interpreter's invoke
on {html.escape(found.baseline.machine)}, each model in turns with the baseline; the ratio is the
median over the rounds, with its quartiles. Milliseconds are the ratio times the
baseline's {found.baseline.measured.footprint.invoke_ms:.3g} ms.</p>
{_front_table(found)}
{_test(found, ending)}
<h2>All candidates</h2>
<p>{len(found.trials)} in {found.spent_s / 60:.1f} minutes, {measured} of them measured to the end.
What its time or size spoke against was not trained.</p>
{_trials_table(found)}
</body></html>
"""


def _verdict(found: Found, ending: Ending | None) -> str:
    winner = found.winner
    if winner is None:
        return "Nothing that was tried keeps the budget."
    footprint, base = winner.measured.footprint, found.baseline.measured.footprint
    text = (
        f"The winner is <b>{winner.title}</b>, {html.escape(winner.candidate.text())}: "
        f"{1 / footprint.ratio:.2f} times as fast as plain INT8, "
        f"{footprint.size_bytes / 1000:,.1f} kB instead of {base.size_bytes / 1000:,.1f}, "
        f"{100 * winner.measured.accuracy:.2f} % on validation (float "
        f"{100 * found.baseline.float_accuracy:.2f} %)."
    )
    if ending is None:
        text += " The search is not at its end: the test split was not used yet."
    return text


def _test(found: Found, ending: Ending | None) -> str:
    if ending is None:
        return ""
    error = standard_error(ending.winner_top1, ending.test_samples)
    rows = (
        ("the winner, as it is in the bundle", ending.winner_top1),
        ("the winner as float32", ending.winner_float_top1),
        ("plain INT8", ending.baseline_top1),
        ("the float model", ending.baseline_float_top1),
    )
    body = "".join(
        f'<tr><td>{what}</td><td class="n">{100 * share:.2f} %</td></tr>' for what, share in rows
    )
    used = "once" if ending.test_uses == 1 else f"{ending.test_uses} times, for as many winners"
    return f"""<h2>On the test split</h2>
<p>{ending.test_samples:,} pictures by which nothing was chosen; used {used}. What was best of many
on {found.baseline.validation_samples:,} validation pictures was partly lucky there, so these are
the figures to trust; their standard error is {100 * error:.2f} points.</p>
<table><tr><th>model</th><th class="n">top-1</th></tr>{body}</table>"""


def _front_table(found: Found) -> str:
    head = _head(FRONT_HEADER, numbers=2)
    body = []
    for row in front_rows(found):
        marked = ' class="winner"' if row[0].endswith("*") else ""
        body.append(f"<tr{marked}>{_cells(row, numbers=2)}</tr>")
    return f'<div class="wide"><table>{head}{"".join(body)}</table></div>'


def _trials_table(found: Found) -> str:
    header = ("", "what it is", "outcome", "validation", "time", "size, kB", "epochs", "seconds")
    rows = []
    for trial in found.trials:
        measured = trial.measured
        footprint = trial.footprint if measured is None else measured.footprint
        outcome = trial.outcome if not trial.reason else f"{trial.outcome}: {trial.reason}"
        accuracy = "" if measured is None else f"{100 * measured.accuracy:.2f} %"
        cells = (
            f"#{trial.number}",
            trial.candidate.text(),
            outcome,
            accuracy,
            "" if footprint is None else f"{footprint.ratio:.2f}",
            "" if footprint is None else f"{footprint.size_bytes / 1000:,.1f}",
            str(trial.epochs or ""),
            f"{trial.seconds:.0f}",
        )
        rows.append(f"<tr>{_cells(cells, numbers=3)}</tr>")
    return f'<div class="wide"><table>{_head(header, numbers=3)}{"".join(rows)}</table></div>'


def _head(names: tuple[str, ...], *, numbers: int) -> str:
    return "<tr>" + "".join(_cell("th", i, name, numbers) for i, name in enumerate(names)) + "</tr>"


def _cells(values: tuple[str, ...], *, numbers: int) -> str:
    return "".join(_cell("td", i, value, numbers) for i, value in enumerate(values))


def _cell(kind: str, index: int, text: str, numbers: int) -> str:
    aligned = ' class="n"' if index >= numbers else ""
    return f"<{kind}{aligned}>{html.escape(text)}</{kind}>"
