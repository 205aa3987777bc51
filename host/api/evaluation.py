"""`edgeinfer.evaluate`: what the command does, as a function.

It imports what it needs when it is called: the name is there without the [host] extra, and then
says what to install.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.host.extras import check_host_extra

if TYPE_CHECKING:
    from edgeinfer.device.pictures.region import Region, Tiles
    from edgeinfer.host.evaluation.evaluate import Result


def evaluate(
    model: AnyPath,
    data: AnyPath,
    *,
    labels: AnyPath | None = None,
    targets: Sequence[str] = (),
    name_pattern: str | None = None,
    other: AnyPath | None = None,
    threads: int = 2,
    region: Region | None = None,
    tiles: Tiles | None = None,
    progress: Progress | None = None,
) -> Result:
    """Answer all pictures of a folder, compare the answers with the truth, and return the score.

    Examples:
        >>> result = edgeinfer.evaluate("photos.edgebundle", "photos/test")
        >>> result.evaluation.score, result.evaluation.interval
        (0.97, (0.93, 0.99))

    Args:
        model: path of the model file: a `.edgebundle` or a `.tflite`.
        data: a folder of labelled pictures: for a classifier one sub-folder for each class.
        labels: a CSV or JSON file with the label, or the values, of each picture, as for
            `edgeinfer.train`.
        targets: for values, the columns of that file, in the model's order. By default those with
            the model's names.
        name_pattern: where names of pictures have the values, such as `*_{value}`.
        other: path of a second model file, to compare both on the same pictures.
        threads: how many pictures are answered at the same time.
        region: the part of each picture that the models see, see `PreprocessSpec`. None is what
            each model states, or the whole picture.
        tiles: for detectors, the columns and rows of the tiles that each picture is cut into, see
            `OpenOptions`. None answers pictures whole.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The score of the model, in `evaluation`; the score of `other`; and their comparison.

    Raises:
        BundleError: a bundle is damaged.
        DataError: the folder cannot be used, or has classes that the model does not have.
        MissingExtraError: the [host] extra is not installed.
        ModelError: a model is damaged, its task cannot be measured, or the two models have
            different tasks or classes.
        UsageError: `threads` is below 1, `region` is outside the picture, or `tiles` are not
            possible or do not suit the model.
    """
    check_host_extra("edgeinfer.evaluate")
    from edgeinfer.host.evaluation.evaluate import evaluate_model

    if threads < 1:
        raise UsageError("threads", got=f"is {threads}", expected="1 or more")
    path = Path(file_path(model, error=ModelError, expected="the path of a model file"))
    folder = Path(file_path(data, error=DataError, expected="a folder of photographs"))
    with shown_progress(progress) as told:
        return evaluate_model(
            path,
            folder,
            told,
            table=None if labels is None else Path(labels),
            targets=tuple(targets),
            name_pattern=name_pattern,
            other=None if other is None else Path(other),
            threads=threads,
            region=region,
            tiles=tiles,
        )
