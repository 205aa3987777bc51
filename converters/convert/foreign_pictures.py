"""The pictures for someone else's model: which calibrate, which measure, and what they show.

Pictures that are sorted into folders named as the model's labels have a truth, and accuracy
decides. Others have none: then float32's answers are the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.task import ComparedTask, MeasuredTask
from edgeinfer.device.cameras.files.labelled import arrange_classes, image_paths
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.tasks.task import Said

COMPARED_PICTURES = 2000
"""The answers are compared on at most this many pictures."""

_NAMES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class ForeignPictures:
    """The pictures of a folder, in a seeded draw.

    Attributes:
        calibration: those that set the ranges of activations.
        compared: others, to measure on; the same ones where the folder has a single picture.
        labelled: whether each has a target, read from its folder's name.
        unknown: folders' names that are not labels of the model, if none of them is.
    """

    calibration: list[Sample]
    compared: list[Sample]
    labelled: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Why accuracy is not measured although there are folders, a sentence, or nothing."""
        if not self.unknown:
            return ()
        return (
            f"the folders' names ({_few(self.unknown)}) are not labels of the model: its agreement "
            "with float32 is measured, not its accuracy",
        )


def find_pictures(
    folder: Path,
    calibration_images: int,
    *,
    seed: int,
    task: ComparedTask,
    said: Said,
    ignore_labels: bool = False,
) -> ForeignPictures:
    """Find the pictures below a folder, and their targets where the folders' names are labels.

    Args:
        folder: of pictures, or of folders of pictures, one for each class.
        calibration_images: how many calibrate at most; at least half of the pictures measure.
        seed: of the draw.
        task: reads a target from a folder's name, if it has targets in words.
        said: the labels.
        ignore_labels: whether the folders' names do not matter.

    Raises:
        DataError: the folder is missing, contains no images, or only some of its folders are named
            as labels.
    """
    if not folder.is_dir():
        raise DataError(folder, got="is not a folder", expected="a folder of images")
    paths = list(image_paths(folder))
    if not paths:
        raise DataError(
            folder, got="contains no images", expected="pictures like those it will see"
        )
    arrangement = arrange_classes(folder)
    classes = {path: arrangement.class_of(path) for path in paths}
    names = sorted({name for name in classes.values() if name is not None})
    targets: dict[str, Any] = {}
    unknown: tuple[str, ...] = ()
    if isinstance(task, MeasuredTask) and task.named_folders and not ignore_labels:
        targets = _targets(names, task.target_reader(said))
        unknown = () if targets else tuple(names)
    if targets:
        _require_all(folder, names, targets, classes)
    order = np.random.default_rng(seed).permutation(len(paths))
    samples = [
        Sample(source=str(paths[i].resolve()), target=targets.get(classes[paths[i]] or ""))
        for i in order
    ]
    count = min(calibration_images, max(1, len(samples) // 2))
    return ForeignPictures(
        calibration=samples[:count],
        compared=(samples[count:] or samples)[:COMPARED_PICTURES],
        labelled=bool(targets),
        unknown=unknown,
    )


def require_contrast(folder: Path, spec: PreprocessSpec, samples: Sequence[Sample]) -> None:
    """Refuse pictures that all give the model the same constant input.

    Raises:
        DataError: names their folder.
    """
    preprocessor = Preprocessor(spec)
    low, high = 255, 0
    for sample in samples:
        image = preprocessor.image(read_sample(sample.source, spec))
        low, high = min(low, int(image.min())), max(high, int(image.max()))
        if high > low:
            return
    raise DataError(
        folder,
        got="every picture is a single colour",
        expected="pictures like those that the model will see",
    )


def _targets(names: Sequence[str], read: Callable[[str], Any]) -> dict[str, Any]:
    """Return the targets of those names that are labels."""
    targets = {}
    for name in names:
        try:
            targets[name] = read(name)
        except ValueError:  # it may be any folder
            continue
    return targets


def _require_all(
    folder: Path,
    names: Sequence[str],
    targets: Mapping[str, Any],
    classes: Mapping[Path, str | None],
) -> None:
    """Refuse a folder in which only some pictures have a truth."""
    others = [name for name in names if name not in targets]
    loose = sum(name is None for name in classes.values())
    if not others and not loose:
        return
    found = [f"{_few(others)} {'is' if len(others) == 1 else 'are'} not"] if others else []
    pictures = "picture is" if loose == 1 else "pictures are"
    found += [f"{loose:,} {pictures} in no such folder"] if loose else []
    raise DataError(
        folder,
        got=f"has folders named as labels of the model ({_few(list(targets))}), but "
        + ", and ".join(found),
        expected="all pictures in folders named as labels, or none",
        next_step="rename or remove the others, or give --min-agreement: then labels do not matter",
    )


def _few(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
