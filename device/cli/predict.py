"""`edgeinfer predict`: one answer per picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.options import (
    delegate_options,
    json_option,
    labels_option,
    model_option,
    read_labels,
    resolve_model,
    threads_option,
)

if TYPE_CHECKING:
    from edgeinfer.device.delegates.request import DelegateRequest


@click.command()
@click.argument(
    "photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO..."
)
@model_option
@labels_option
@threads_option
@json_option
@delegate_options
@click.option("--top", type=click.IntRange(1), default=1, show_default=True, help="Answers each.")
def predict(
    photos: tuple[Path, ...],
    model: Path | None,
    labels_file: Path | None,
    threads: int,
    as_json: bool,
    delegates: DelegateRequest,
    top: int,
) -> int:
    """Print the label and probability of each PHOTO.

    A picture that cannot be read is named on stderr, the others are answered, and the exit code
    is 1.
    """
    from edgeinfer.device.errors import ImageError, printable
    from edgeinfer.device.images import read_image
    from edgeinfer.device.model import Model
    from edgeinfer.device.types import Classification

    def tell(line: str) -> None:
        click.echo(printable(line), err=True)

    failures = 0
    with Model.open(
        resolve_model(model),
        threads=threads,
        labels=read_labels(labels_file),
        delegates=delegates,
        warn=lambda line: tell(f"warning: {line}"),
    ) as opened:
        if opened.choice is not None:
            tell(f"variant: {opened.choice}")
        for photo in photos:
            try:
                prediction = opened.predict(read_image(photo, opened.preprocessor.spec))
            except ImageError as error:
                click.echo(f"error: {error}", err=True)
                failures += 1
                continue
            if as_json:
                line: dict[str, object] = {"photo": str(photo), **prediction.to_json()}
                if isinstance(prediction, Classification):
                    line["top"] = [
                        {"label": label, "probability": round(p, 6)}
                        for label, p in prediction.top(max(top, 5))
                    ]
                click.echo(json.dumps(line))
            elif isinstance(prediction, Classification):
                answers = ", ".join(f"{label} {p:.1%}" for label, p in prediction.top(top))
                click.echo(f"{printable(str(photo))}: {printable(answers)}")
            else:
                click.echo(f"{printable(str(photo))}: {prediction.value:g} {prediction.unit}")
    return 1 if failures else 0
