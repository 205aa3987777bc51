"""`edgeinfer predict`: one answer for each picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.given import PICTURES, refuse_other
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import (
    is_model,
    json_option,
    labels_option,
    model_option,
    one_model,
    read_labels,
    resolve_model,
    tell_notes,
    threads_option,
)
from edgeinfer.device.cli.options.opening import opening_options
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.model_file import command_line

if TYPE_CHECKING:
    from edgeinfer.device.core.errors import CameraError
    from edgeinfer.device.models.model import Model
    from edgeinfer.device.runtime.open_options import OpenOptions


@click.command(cls=Command)
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path), metavar="PHOTO...")
@model_option
@labels_option()
@threads_option
@json_option
@opening_options
@option_group("Output")(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    show_default="1 class, or 3 objects or areas",
    help="How many answers to print for each photo.",
)
def predict(
    photos: tuple[Path, ...],
    model: Path | None,
    labels_file: Path | None,
    threads: int,
    as_json: bool,
    opening: OpenOptions,
    top: int | None,
) -> int:
    """Run a model on photos and print its answers.

    Prints a label with its probability, or objects, areas or poses, for each PHOTO. A folder stands
    for all photos in it and in its sub-folders. If a photo cannot be read, it is named on stderr,
    the others are answered, and the exit code is 1. A .edgebundle or .tflite file among the photos
    is the model.
    """
    from edgeinfer.device.cli.progress import status_line
    from edgeinfer.device.core.errors import CameraError, ImageError, printable

    def tell(line: str) -> None:
        say(printable(line), err=True)

    pictures, model = _pictures_and_model(photos, model)
    log_warnings()
    failures = 0
    opening = replace(opening, threads=threads, labels=read_labels(labels_file))
    path = resolve_model(model)
    if model is None:
        tell(f"model: {path} (the installed bundle)")
    with status_line() as show, _opened(path, opening, show) as opened:
        if model is not None:
            tell(f"model: {path}")
        if opened.choice is not None:
            tell(f"variant: {opened.choice}")
        tell_notes(opened.notes)
        for photo in _every_picture(pictures):
            show(f"answering {photo}")
            try:
                if isinstance(photo, CameraError):
                    raise photo
                prediction = opened.predict(photo)
            except (CameraError, ImageError) as error:
                say(f"error: {error}", err=True)
                failures += 1
                continue
            if as_json:
                answer = prediction.to_json(max(top or 0, 5))
                say(json.dumps({"photo": str(photo), **answer}), whole=True)
            else:
                text = prediction.text() if top is None else prediction.text(top)
                say(f"{printable(str(photo))}: {printable(text)}")
    return 1 if failures else 0


def _every_picture(paths: list[Path]) -> Iterator[Path | CameraError]:
    """Yield the paths of files, those of the images below folders, and why a folder gives none."""
    from edgeinfer.device.cameras.files.labelled import TellLeftovers, image_paths, no_images
    from edgeinfer.device.core.errors import CameraError

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            found = False
            for image in image_paths(path, TellLeftovers()):
                found = True
                yield image
            if not found:
                yield no_images(path)
        except CameraError as error:
            yield error


def _opened(path: Path, opening: OpenOptions, show: Callable[[str], None]) -> Model:
    """Open the model, and show it: on a small board that takes some seconds."""
    show(f"opening {path}")
    from edgeinfer.device.models.model import Model

    return Model.open(path, opening)


def _pictures_and_model(
    photos: tuple[Path, ...], model: Path | None
) -> tuple[list[Path], Path | None]:
    """Tell the pictures from the model, which may be among them.

    Raises:
        UsageError: there are several models.
        ModelError: something is neither; the error names the command for it.
        click.UsageError: there is no photo.
    """
    from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

    pictures = []
    for path in photos:
        if is_model(path):
            model = one_model(path, model)
        else:
            pictures.append(path)
    # Those with the name of a picture are opened once only: there may be many.
    for path in (path for path in pictures if path.suffix.lower() not in IMAGE_SUFFIXES):
        refuse_other(path, PICTURES, "a photo, or a .edgebundle or .tflite file", model=model)
    if not pictures:
        named: tuple[str | Path, ...] = () if model is None else ("--model", model)
        raise click.UsageError(
            "Missing argument 'PHOTO...': no photo is given. To ask about one: "
            f"{command_line('predict', *named, 'PHOTO')}"
        )
    return pictures, model
