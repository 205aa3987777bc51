"""A run whose data has moved, as a run whose data is where it says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import find_samples, read_trained, write_trained


@contextmanager
def run_where_data_is(run: Path, data: Path | None) -> Iterator[Path]:
    """Give a run whose data is where it says, for what reads the run in several processes.

    Args:
        run: the run; it is not changed.
        data: the folder that its data has moved to; None where it has not.

    Yields:
        The run itself, or for as long as the context lasts another folder of that name.

    Raises:
        DataError: the data is not there.
        ModelError: it is not a run, or is damaged.
    """
    samples = find_samples(run, data)
    if data is None:
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="edgeinfer-run-") as place:
        moved = Path(place, run.resolve().name)
        moved.mkdir()
        write_trained(moved, read_trained(run), samples)
        for path in run.resolve().iterdir():
            if not (moved / path.name).exists():
                (moved / path.name).symlink_to(path)
        yield moved
