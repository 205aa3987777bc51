"""The file of a search's study: opened, locked, and checked with the settings of its start."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.core.errors import StorageError, UsageError, storage_error
from edgeinfer.device.pictures.folders.leftovers import STUDY_FILE as STUDY_FILE
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.space import Space
from edgeinfer.host.search.study.study import SearchStudy

if TYPE_CHECKING:
    import optuna

_LOCK_FILE = "lock"
_STUDY_NAME = "edgeinfer optimize"
_SETTINGS = "settings"


@contextmanager
def open_study(
    folder: Path, settings: Mapping[str, str], space: Space, budget: Budget, *, seed: int
) -> Iterator[SearchStudy]:
    """Open the search in a folder, or begin one, and lock it.

    Args:
        folder: of the search.
        settings: the settings that its figures depend on, by the option's name.
        space: the candidates.
        budget: the limits.
        seed: of the sampler.

    Raises:
        UsageError: the search there began with other settings, the folder has other content,
            or another process searches there.
        StorageError: the study cannot be read or written.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = folder / STUDY_FILE
    if folder.exists() and not path.exists() and any(_other_files(folder)):
        raise UsageError(
            folder, got="already exists and is not a search", next_step="choose another --out"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                folder,
                got="another `edgeinfer optimize` is searching there",
                next_step="wait for it, or choose another --out",
            ) from error
        with warnings.catch_warnings():
            # Optuna warns of parts that it may change; pyproject.toml limits its version.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            try:
                yield _open(path, settings, space, budget, seed)
            except (
                sqlite3.Error,
                SQLAlchemyError,
                optuna.exceptions.StorageInternalError,
            ) as error:
                raise StorageError(
                    path,
                    got=f"cannot be used ({(str(error).splitlines() or ['no reason'])[0]})",
                    next_step="free some space, or start again with another --out",
                ) from error
    finally:
        os.close(lock)


def _open(
    path: Path, settings: Mapping[str, str], space: Space, budget: Budget, seed: int
) -> SearchStudy:
    import optuna

    goals = optuna.study.StudyDirection
    directions = [goals.MAXIMIZE, goals.MINIMIZE]
    if budget.size_kb is not None:
        directions.append(goals.MINIMIZE)
    study = optuna.create_study(
        storage=_storage(path),
        study_name=_STUDY_NAME,
        directions=directions,
        load_if_exists=True,
    )
    kept = study.user_attrs.get(_SETTINGS)
    if kept is None:
        study.set_user_attr(_SETTINGS, json.dumps(dict(settings)))
    else:
        _require_same(path.parent, json.loads(kept), settings)
    return SearchStudy(study, space, budget, seed)


def _storage(path: Path) -> optuna.storages.RDBStorage:
    """Return Optuna's storage in an SQLite file with a write-ahead log.

    A trial makes twelve commits. With the log, a commit is kept if the process dies, without
    waiting for the disk; a power cut loses at most the last few, and damages nothing.
    """
    import optuna
    from sqlalchemy import event

    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    storage = optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
    storage.engine.dispose()
    event.listen(
        storage.engine,
        "connect",
        lambda connection, _record: connection.execute("PRAGMA synchronous=NORMAL"),
    )
    return storage


def _require_same(folder: Path, kept: Mapping[str, str], given: Mapping[str, str]) -> None:
    for name in [*given, *kept]:
        if kept.get(name) != given.get(name):
            raise UsageError(
                name,
                got=given.get(name) or "not given",
                expected=f"{kept.get(name) or 'none'}, as the search in {folder} began with",
                next_step="choose another --out for another search",
            )


def _other_files(folder: Path) -> Iterator[Path]:
    return (item for item in folder.iterdir() if item.name != _LOCK_FILE)
