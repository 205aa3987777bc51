"""A run's folder: it appears complete, by rename, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import TRAINED_FILE
from edgeinfer.device.core.errors import UsageError, storage_error


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Two folders next to the run's final place, so that both are on its disk.

    Attributes:
        run: becomes the run's folder.
        cache: prepared pictures and activations; removed when the run ends.
    """

    run: Path
    cache: Path


def check_destination(out: Path, *, force: bool) -> None:
    """Refuse a place that already exists.

    Raises:
        UsageError: `out` exists and must not be replaced.
    """
    if not os.path.lexists(out):
        return
    if not force:
        raise UsageError(
            out, got="already exists", next_step="choose another --out, or replace it with --force"
        )
    if not out.is_dir() or not ((out / TRAINED_FILE).is_file() or not any(out.iterdir())):
        raise UsageError(
            out, got="was not made by `edgeinfer train`", expected="an earlier run to replace"
        )


@contextmanager
def workspace(out: Path, *, force: bool) -> Iterator[Workspace]:
    """Make a workspace whose `run` replaces `out` when the block ends without an error.

    After any error or interruption nothing is left and an earlier run stays.

    Raises:
        UsageError: `out` exists.
        StorageError: its folder cannot be written.
    """
    out = out.absolute()
    check_destination(out, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=f".{out.name[:60]}.", dir=out.parent)
    except OSError as error:
        raise storage_error(out, error) from error
    with temporary as name:
        place = Workspace(run=Path(name, "run"), cache=Path(name, "cache"))
        place.run.mkdir()
        place.cache.mkdir()
        yield place
        try:
            if os.path.lexists(out):
                out.rename(Path(name, "replaced"))
            place.run.rename(out)
        except OSError as error:
            raise storage_error(out, error) from error
