"""A search from its folder to the winner's bundle, with all that is written on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.moved_run import run_where_data_is
from edgeinfer.converters.targets.targets import chosen_targets
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import EdgeinferError, UsageError
from edgeinfer.host.search.context import WORK_FOLDER
from edgeinfer.host.search.report.finish import Ending, end_search, fold_where_open
from edgeinfer.host.search.report.report import write_report
from edgeinfer.host.search.report.tables import trial_line
from edgeinfer.host.search.search import Search, SearchOptions, make_space
from edgeinfer.host.search.study.file import open_study
from edgeinfer.host.search.study.results import Found
from edgeinfer.host.search.time_models import Timer

Show = Callable[[bool], AbstractContextManager[Progress]]
"""Opens a progress display; its argument says whether what it shows stays on the terminal."""
EndedEarly = Callable[[Found | None, BaseException | None], None]
"""Gets the results so far, and what stopped the search; None if no candidate keeps the budget."""


def run_search(
    run: Path,
    out: Path,
    options: SearchOptions,
    *,
    timer: Timer,
    show: Show,
    ended_early: EndedEarly = lambda found, stop: None,
    data: Path | None = None,
) -> tuple[Found, Ending]:
    """Search, convert the winner and write the report; a search in `out` continues.

    The results so far are written even if the search fails or is stopped.

    Args:
        run: a folder that `edgeinfer train` made.
        out: the folder of the search.
        options: budget, limits, board.
        timer: times the models.
        show: opens the display of the search, and then that of its end.
        ended_early: called before the error is raised.
        data: the folder that the run's data has moved to; None where it has not.

    Raises:
        DataError: the run's data is not there.
        MissingExtraError: a compiler that the board needs is not installed.
        ModelError: `run` is not a trained run, or has no pictures to measure on.
        RemoteError: the board that measures cannot be reached.
        SearchError: no candidate keeps the budget, or one after another fails.
        StorageError: the disk is full or cannot be written.
        UsageError: `out` is `run` itself, or holds another search.
    """
    if out.resolve() == run.resolve():
        raise UsageError("--out", got="is RUN itself", expected="another folder")
    space = make_space(run, options.board)
    settings = options.settings(run)
    # What would fail later is reported before anything is trained.
    board = None if options.board is None else options.board.name
    chosen_targets(board=board).require_tools("int8")
    timer.check()
    with (
        run_where_data_is(run, data) as run,
        open_study(out, settings, space, options.budget, seed=options.seed) as study,
        TensorflowProcess(out / WORK_FOLDER) as workshop,
    ):
        stopped: BaseException | None = None
        with show(False) as progress:
            search = Search(
                run,
                options,
                study,
                space,
                timer=timer,
                workshop=workshop,
                progress=progress,
                out=out,
            )
            try:
                search.work(lambda trial: progress.say(trial_line(trial)))
            except (KeyboardInterrupt, EdgeinferError) as error:
                stopped = error
        found = search.found()
        if stopped is not None:
            if found is not None:
                write_report(out, found, None)
            ended_early(found, stopped)
            raise stopped
        assert found is not None
        if found.winner is None:
            write_report(out, found, None)
            ended_early(found, None)
            found.require_winner()
        with show(True) as progress:
            ending = end_search(search.bench, options, study, found, progress)
            ending = fold_where_open(search.bench, options, found, ending, progress)
        workshop.close()
        write_report(out, found, ending)
    return found, ending
