"""Which command was meant, where a path of another kind is given than a command takes."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from edgeinfer.device.core.model_file.folders import TRAINED_FILE
from edgeinfer.device.core.model_file.kinds import ModelKind

_OF_RUNS = ("convert", "prune", "optimize")
"""Commands that take a run."""

_OF_PHOTOS = {"train": ("train",), "check": ("data", "check")}
"""Commands that take a folder of photos, as they are typed."""

_RUN_MODEL = "model.keras"


def command_line(*words: str | os.PathLike[str]) -> str:
    """Return a command of edgeinfer as a person can paste it into a shell, in quotation marks.

    >>> command_line("convert", Path("runs/my cats"))
    "`edgeinfer convert 'runs/my cats'`"
    """
    texts = (os.fspath(word) for word in words)
    # What begins with a dash would be read as an option.
    paths = (
        f"./{text}" if isinstance(word, Path) and text.startswith("-") else text
        for word, text in zip(words, texts, strict=True)
    )
    return f"`{shlex.join(['edgeinfer', *paths])}`"


def meant_command(
    kind: ModelKind,
    path: Path,
    command: str = "",
    inside: tuple[str, ...] = (),
    *,
    model: Path | None = None,
) -> str:
    """Return in words the command for a path of this kind; "" where none is known.

    Args:
        kind: what the path is.
        path: the path.
        command: the command that it was given to, such as "prune"; "" where a model for a board is
            wanted.
        inside: of "runs", their names, the newest first.
        model: the model that was given with it, if any.
    """
    if kind in ("zip", "archive"):
        folder = path.with_name(path.name.split(".")[0])
        if command not in _OF_PHOTOS:
            return ""
        taking = command_line(*_OF_PHOTOS[command], folder)
        if kind == "zip":
            return f"bring it in: {command_line('data', 'import', path, folder)}, then {taking}"
        return f"unpack it, then {taking}"
    if kind == "bundle":
        return _of_bundle(path, command)
    if kind == "tflite":
        return _of_tflite(path, command)
    if kind == "run":
        return f"make a bundle of it: {command_line('convert', path)}"
    if kind == "runs":
        taking = command if command in _OF_RUNS else "convert"
        return f"give one of them: {command_line(taking, path / inside[0])}"
    if kind in ("keras", "hdf5", "saved-model", "onnx", "pt2"):
        return _of_model(path, command)
    return _of_pictures(kind, path, command, [] if model is None else ["--model", model])


def _of_bundle(path: Path, command: str) -> str:
    if command in _OF_RUNS:
        made_of = _run_of(path)
        if made_of is not None:
            return f"give the run that it was made of: {command_line(command, made_of)}"
        use = command_line("run", "--camera", "--model", path)
        return f"it is finished: {use}; to change it, give the run that it was made of"
    if command in _OF_PHOTOS:
        return f"to measure it on photos: {command_line('evaluate', path, 'FOLDER')}"
    if command == "adopt":
        return f"it is one already: {command_line('verify', path)}"
    return ""


def _of_tflite(path: Path, command: str) -> str:
    if command in ("verify", "flash"):
        return f"make a bundle of it: {command_line('adopt', path)}"
    if command in _OF_PHOTOS:
        return f"to measure it on photos: {command_line('evaluate', path, 'FOLDER')}"
    if command in _OF_RUNS:
        return f"see what it is: {command_line('inspect', path)}"
    return ""


def _of_model(path: Path, command: str) -> str:
    """Return the command for a model that no board runs; that of a run is meant as the run."""
    run = path.parent
    if path.name == _RUN_MODEL and (run / TRAINED_FILE).exists():
        taking = command if command in _OF_RUNS else "convert"
        return f"give its run: {command_line(taking, run)}"
    converting = command_line("convert", path, "--pictures", "FOLDER")
    return f"make a bundle of it, with photos like those that it will see: {converting}"


def _of_pictures(kind: ModelKind, path: Path, command: str, model: list[str | Path]) -> str:
    if kind == "picture":
        return f"to ask a model about it: {command_line('predict', *model, path)}"
    if kind == "clip" or (kind in ("photos", "labelled") and command == "run"):
        source = command_line("run", *model, "--camera", path)
        return f"to ask a model about its pictures: {source}"
    if kind == "labelled":
        return f"train on it: {command_line('train', path)}"
    if kind == "photos":
        training = command_line("train", path)
        return f"sort its photos into a folder for each class, then {training}"
    return ""


def _run_of(bundle: Path) -> Path | None:
    """Return the run with a bundle's name, where runs usually are; None where there is none."""
    runs = (place / bundle.stem for place in (bundle.parent / "runs", Path("runs")))
    return next((run for run in runs if (run / TRAINED_FILE).exists()), None)
