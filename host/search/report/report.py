"""The files that a search writes: front.csv, trials.csv, front.png and report.html."""

from __future__ import annotations

import base64
from pathlib import Path

from edgeinfer.converters.common.page.render import environment
from edgeinfer.device.core.files import write_atomically
from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.front import standard_error
from edgeinfer.host.search.report.finish import Ending
from edgeinfer.host.search.report.plot import draw_front
from edgeinfer.host.search.report.tables import FRONT_HEADER, front_csv, front_rows, trials_csv
from edgeinfer.host.search.study.results import Found

FRONT_TABLE, TRIALS_TABLE = "front.csv", "trials.csv"
PICTURE, PAGE = "front.png", "report.html"

_TEMPLATE = "search.html"
_TRIALS_HEADER = (
    *("", "what it is", "outcome"),
    *("validation", "time", "size, kB", "epochs", "seconds"),
)


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
    rows = front_rows(found)
    # The mark of the winner is at the end of its name.
    winners = [place for place, row in enumerate(rows) if row[0].endswith("*")]
    return (
        environment(__package__)
        .get_template(_TEMPLATE)
        .render(
            found=found,
            ending=ending,
            test_error=ending and standard_error(ending.winner_top1, ending.test_samples),
            picture=base64.b64encode(picture).decode(),
            front_header=FRONT_HEADER,
            front_rows=rows,
            front_winners=winners,
            trials_header=_TRIALS_HEADER,
            trials_rows=[_trial_row(trial) for trial in found.trials],
        )
    )


def _trial_row(trial: Trial) -> tuple[str, ...]:
    measured = trial.measured
    footprint = trial.footprint if measured is None else measured.footprint
    return (
        f"#{trial.number}",
        trial.candidate.text(),
        trial.outcome if not trial.reason else f"{trial.outcome}: {trial.reason}",
        "" if measured is None else f"{100 * measured.accuracy:.2f} %",
        "" if footprint is None else f"{footprint.ratio:.2f}",
        "" if footprint is None else f"{footprint.size_bytes / 1000:,.1f}",
        str(trial.epochs or ""),
        f"{trial.seconds:.0f}",
    )
