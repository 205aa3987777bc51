"""`edgeinfer.optimize`: what the command does, as a function.

It imports what it needs when it is called: the name is there without the [host] extra, and then
says what to install.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.host.extras import check_host_extra

if TYPE_CHECKING:
    from edgeinfer.host.search.report.finish import Ending
    from edgeinfer.host.search.search import SearchOptions
    from edgeinfer.host.search.study.results import Found
    from edgeinfer.host.search.time_models import Timer


@dataclass(frozen=True, kw_only=True)
class Optimized:
    """The result of `edgeinfer.optimize`.

    Attributes:
        bundle: path of the best model's bundle.
        found: all models that were tried, in `models`; those that no other one beats, in `front`;
            and the best one, in `winner`.
        ending: the accuracy of the best model on the test pictures, which were not used to choose
            it.
    """

    bundle: Path
    found: Found
    ending: Ending


def optimize(
    run: AnyPath,
    out: AnyPath,
    options: SearchOptions | None = None,
    *,
    data: AnyPath | None = None,
    timer: Timer | None = None,
    progress: Progress | None = None,
) -> Optimized:
    """Try many smaller versions of a trained model, and return the best within a budget.

    A search can be stopped at any time. The same call continues it.

    Examples:
        >>> options = edgeinfer.SearchOptions(
        ...     budget=edgeinfer.Budget(accuracy_points=1.0), time_limit_s=3600
        ... )
        >>> edgeinfer.optimize("runs/photos", "runs/search", options).bundle
        PosixPath('runs/search/photos.edgebundle')

    Args:
        run: a folder that `edgeinfer.train` made. It is not changed.
        out: the folder of the search. If there is a search in it already, it is continued.
        options: the budget, the time limit and more. By default at most 1 point of accuracy may be
            lost, and the search takes 20 minutes.
        data: the folder of the pictures that the model was trained on, if it is no longer where it
            was.
        timer: measures how fast the models are. By default on the board that `options.measure_on`
            names, or on this machine.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The best model's bundle, all models that were tried, and the accuracy on the test pictures.

    Raises:
        AccuracyError: on the test pictures the best model loses more accuracy than the budget
            allows.
        MissingExtraError: the [host] extra, or a compiler that the board needs, is not installed.
        ModelError: `run` is not a folder of `edgeinfer.train`, or has no validation pictures.
        RemoteError: the board that measures cannot be reached.
        SearchError: no model is within the budget.
        UsageError: `out` is `run` itself, or contains a search with other options.
    """
    check_host_extra("edgeinfer.optimize", "ai_edge_quantizer", "jinja2", "matplotlib", "optuna")
    from edgeinfer.host.search.budget import Budget
    from edgeinfer.host.search.report.finish import require_kept
    from edgeinfer.host.search.run_search import run_search
    from edgeinfer.host.search.search import SearchOptions

    source = Path(file_path(run, error=ModelError, expected="a folder of edgeinfer.train"))
    folder = Path(file_path(out, error=UsageError, expected="the folder of the search"))
    options = options or SearchOptions(budget=Budget(accuracy_points=1.0))
    found, ending = run_search(
        source,
        folder,
        options,
        timer=timer or _timer(options),
        show=lambda keep: shown_progress(progress, keep=keep),
        data=None if data is None else Path(data),
    )
    require_kept(found, ending)
    return Optimized(bundle=Path(ending.bundle), found=found, ending=ending)


def _timer(options: SearchOptions) -> Timer:
    from edgeinfer.device.core.ssh import SshHost
    from edgeinfer.host.search.time_models import BoardTimer, LocalTimer

    if options.measure_on:
        return BoardTimer(SshHost(options.measure_on, ()), threads=options.threads)
    return LocalTimer(threads=options.threads)
