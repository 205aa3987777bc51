"""Which bundle a command takes when none is named."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.core.files import BOARD_BUNDLE, data_home

SUFFIX = ".edgebundle"


def installed_bundle(board: Path = BOARD_BUNDLE, workstation: Path | None = None) -> Path:
    """Return the installed bundle: the board's, else the newest of the workstation.

    Args:
        board: a bundle, or a folder that holds one.
        workstation: a folder of bundles; by default `$XDG_DATA_HOME/edgeinfer`.

    Raises:
        BundleError: nothing is installed.
    """
    workstation = data_home() if workstation is None else workstation
    if board.is_file():
        return board
    for folder in (board, workstation):
        bundles = [path for path in folder.glob("*" + SUFFIX) if path.is_file()]
        if bundles:
            return max(bundles, key=lambda path: (path.stat().st_mtime_ns, path.name))
    raise BundleError(
        "no model",
        got=f"no bundle is installed in {board} or {workstation}",
        next_step="name one with --model, or make one with `edgeinfer demo` or `edgeinfer convert`",
    )
