"""Where the data of a run is: its samples are named relative to that folder.

The folder that holds all of a run's samples is its data folder. `data.json` says where it was, as
an absolute path and from the run's folder on, so that both can move together; `--data` says it
again where it has moved alone. Runs of earlier versions name each sample by its absolute path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edgeinfer.converters.run_folder.samples import Sample, file_of
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json

DATA_FILE = "data.json"

Name = TypeVar("Name", bound=str)

_MOST_LOOKED_AT = 20
"""Data of which none of this many samples is there has moved."""
_MOST_WRAPPED = 3
"""A data folder may be this many folders below the one that a person gives."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """The content of `data.json`.

    Attributes:
        folder: the absolute path of the data folder when the run was made.
        from_run: the same from the run's folder on.
    """

    folder: str
    from_run: str


def common_folder(sources: Iterable[str]) -> str | None:
    """Return the folder that holds all sources; None unless all are absolute paths."""
    folders = {os.path.dirname(file_of(source)) for source in sources}
    if not folders or not all(map(os.path.isabs, folders)):
        return None
    return os.path.commonpath(folders)


def write_place(run: Path, folder: str, home: Path) -> None:
    """Write where the data is.

    Args:
        run: the folder to write to.
        folder: the data folder, an absolute path.
        home: where the run will be.

    Raises:
        StorageError: it cannot be written.
    """
    place = _Place(folder=folder, from_run=os.path.relpath(folder, home.absolute()))
    # Names need not be UTF-8: JSON's escapes carry their bytes through.
    write_atomically(run / DATA_FILE, json.dumps(to_json(place), indent=1) + "\n")


def data_folder(run: Path) -> str | None:
    """Return where the data of a run is or was; None where the run does not say."""
    try:
        place = from_json(_Place, parse_json((run / DATA_FILE).read_bytes()))
    except (OSError, SchemaError):
        return None
    moved = os.path.normpath(os.path.join(os.path.abspath(run), place.from_run))
    return moved if not os.path.isdir(place.folder) and os.path.isdir(moved) else place.folder


def moved_samples(
    splits: Mapping[Name, Sequence[Sample]], run: Path, data: Path | None
) -> dict[Name, list[Sample]]:
    """Return samples where they are now.

    Args:
        splits: the samples by split, with the absolute paths that they had.
        run: their run, for errors.
        data: the folder that the data has moved to; None where it has not.

    Raises:
        DataError: none of them is there.
    """
    sources = [sample.source for part in splits.values() for sample in part]
    looked_at = sources[:: max(1, len(sources) // _MOST_LOOKED_AT)]
    if not sources:
        return {split: list(part) for split, part in splits.items()}
    was = common_folder(sources)
    if data is None:
        if any(map(_is_there, looked_at)):
            return {split: list(part) for split, part in splits.items()}
        raise DataError(
            run,
            got=f"its data is not in {was or 'the working folder'}",
            expected=f"such as {file_of(sources[0])}",
            next_step="tell where it is now: --data FOLDER",
        )
    for place in _candidates(os.path.abspath(data), was or ""):
        if any(_is_there(_moved(source, was, place)) for source in looked_at):
            return {
                split: [replace(one, source=_moved(one.source, was, place)) for one in part]
                for split, part in splits.items()
            }
    raise DataError(
        data,
        got=f"has none of the data of {run}",
        expected=f"such as {os.path.relpath(file_of(sources[0]), was or '.')}",
        next_step="give the folder that it was trained on, where it is now",
    )


def _candidates(data: str, was: str) -> list[str]:
    """Return where the data folder may be: where it is said, or as far below as it was."""
    parts = Path(was).parts[1:]
    below = (os.path.join(data, *parts[len(parts) - n :]) for n in range(1, _MOST_WRAPPED + 1))
    return [data, *below]


def _moved(source: str, was: str | None, place: str) -> str:
    return os.path.join(place, source if was is None else os.path.relpath(source, was))


def _is_there(source: str) -> bool:
    return os.path.exists(file_of(source))
