"""Paths on the command line that are not what the command takes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import click

from edgeinfer.device.core.errors import EdgeinferError, ModelError
from edgeinfer.device.core.model_file import ModelKind, meant_command, recognize

FOR_BOARDS: tuple[ModelKind, ...] = ("bundle", "tflite")
"""Models that boards run."""

FOLDERS: tuple[ModelKind, ...] = ("photos", "labelled")
PICTURES: tuple[ModelKind, ...] = ("picture", *FOLDERS)

_OTHERS_JUDGE: tuple[ModelKind, ...] = ("folder", "nested", "unknown")
"""What says too little of itself: the code that reads it says what is wrong."""


def refuse_other(
    path: Path,
    takes: Collection[str],
    expected: str,
    *,
    command: str = "",
    model: Path | None = None,
    error: type[EdgeinferError] = ModelError,
) -> None:
    """Refuse a path that is known to be something else, and name the command for it.

    A path that is not there, or that nothing is known of, is left to who reads it.

    Args:
        path: what was given.
        takes: the `ModelKind`s that the command takes.
        expected: the same in words.
        command: the command; by default the one that runs.
        model: the model that was given with it, if any.
        error: the kind of error.

    Raises:
        EdgeinferError: of that kind.
    """
    try:
        found = recognize(path)
    except ModelError:
        return
    if found.kind in takes or found.kind in _OTHERS_JUDGE:
        return
    command = command or click.get_current_context().info_name or ""
    meant = meant_command(found.kind, path, command, found.inside, model=model)
    raise error(
        path,
        got=f"is {found.words}",
        expected=expected,
        next_step=meant or found.next_step(path, command),
    )


def refuse_other_than_model(path: Path) -> None:
    """Refuse what no board runs, where a model for a board is wanted.

    Raises:
        ModelError: it is something else.
    """
    refuse_other(path, FOR_BOARDS, "a .edgebundle or .tflite file")


def refuse_other_than_run(path: Path) -> None:
    """Refuse what is not a folder of `edgeinfer train`.

    Raises:
        ModelError: it is something else.
    """
    refuse_other(path, ("run",), "a folder that `edgeinfer train` made")


def refuse_other_than_photos(path: Path, error: type[EdgeinferError]) -> None:
    """Refuse what is not a folder of labelled photos.

    Raises:
        EdgeinferError: of that kind: it is something else.
    """
    refuse_other(path, FOLDERS, "a folder of photos", error=error)
