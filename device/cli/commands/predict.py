"""`edgeinfer predict`: one answer per picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import (
    json_option,
    labels_option,
    model_option,
    opening_options,
    read_labels,
    resolve_model,
    tell_notes,
    threads_option,
)

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions


@click.command()
@click.argument(
    "photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO..."
)
@model_option
@labels_option
@threads_option
@json_option
@opening_options
@click.option(
    "--top",
    type=click.IntRange(1),
    help="Answers each.  [default: 1 class, or 3 objects or areas]",
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
    """Print what the model says of each PHOTO: a label and its probability, objects, areas, poses.

    A picture that cannot be read is named on stderr, the others are answered, and the exit code
    is 1.
    """
    from edgeinfer.device.core.errors import ImageError, printable
    from edgeinfer.device.models.model import Model

    def tell(line: str) -> None:
        click.echo(printable(line), err=True)

    log_warnings()
    failures = 0
    opening = replace(opening, threads=threads, labels=read_labels(labels_file))
    with Model.open(resolve_model(model), opening) as opened:
        if opened.choice is not None:
            tell(f"variant: {opened.choice}")
        tell_notes(opened.notes)
        for photo in photos:
            try:
                prediction = opened.predict(photo)
            except ImageError as error:
                click.echo(f"error: {error}", err=True)
                failures += 1
                continue
            if as_json:
                answer = prediction.to_json(max(top or 0, 5))
                click.echo(json.dumps({"photo": str(photo), **answer}))
            else:
                text = prediction.text() if top is None else prediction.text(top)
                click.echo(f"{printable(str(photo))}: {printable(text)}")
    return 1 if failures else 0
