"""The folder that `edgeinfer train` leaves and `edgeinfer convert` takes.

It holds the Keras model, what it was trained on, and how its input is prepared.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from edgeinfer.converters.run_folder.place import (
    common_folder,
    data_folder,
    moved_samples,
    write_place,
)
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.core.model_file import TRAINED_FILE as TRAINED_FILE
from edgeinfer.device.core.model_file import recognize
from edgeinfer.device.core.text.csv_cells import csv_cell, csv_text
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.device.pictures.folders.names import Split as Split
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tasks.task import Said

SPLITS: tuple[Split, ...] = get_args(Split)

KERAS_FILE = "model.keras"
"""A Keras 3 model: (H, W, C) float32 as `normalize_table` gives it, to (classes,) logits."""

SAMPLES_FILE = "samples.csv"
_TRAIN_AGAIN = "train again with `edgeinfer train`"


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A description of a trained model, without its weights: the result of `edgeinfer.train`.

    Attributes:
        name: the name of the model, and later of its bundle.
        task: what the model predicts, such as "classification".
        labels: the names of the classes, in the order of the model's output. Empty for a task
            without classes.
        decoder: how the model's output becomes a prediction.
        value: unit and scale of a measured quantity; None for other tasks.
        settings: further settings of the task, or None.
        preprocess: how a frame becomes the model's input.
        provenance: how the model was made: versions, seed, data set and settings, as text.
        metrics: measured figures by name, such as "validation.keras.top1", 0 to 1.
    """

    name: str
    task: str = "classification"
    labels: tuple[str, ...] = ()
    preprocess: PreprocessSpec
    decoder: Decoder = field(default_factory=lambda: Decoder(activation="softmax"))
    value: ValueSpec | None = None
    settings: dict[str, object] | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> MeasuredTask:
        """What measures its task; raises ModelError if nothing installed can."""
        return find_measured(self.task)

    @property
    def said(self) -> Said:
        """The description of its outputs."""
        return Said(
            labels=self.labels,
            decoder=self.decoder,
            value=self.value,
            settings=self.settings or {},
        )


def write_trained(
    folder: Path,
    model: TrainedModel,
    samples: Mapping[Split, Sequence[Sample]],
    *,
    home: Path | None = None,
) -> None:
    """Write everything but the Keras file.

    Args:
        folder: where to write.
        model: the description of the model.
        samples: the pictures; their paths are written relative to the folder that holds them all.
        home: where the folder will be; None where it stays.

    Raises:
        StorageError: the folder cannot be written.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    task, said = model.measured, model.said
    writer.writerow(["split", task.column, "source"])
    data = common_folder(sample.source for part in samples.values() for sample in part)
    for split in SPLITS:
        for sample in samples.get(split, ()):
            target = task.write_target(sample.target, said)
            source = sample.source if data is None else os.path.relpath(sample.source, data)
            writer.writerow([split, csv_cell(target), csv_cell(source)])
    if data is not None:
        write_place(folder, data, home or folder)
    # File names need not be UTF-8; surrogateescape carries their bytes through.
    write_atomically(folder / SAMPLES_FILE, table.getvalue().encode("utf-8", "surrogateescape"))
    document = to_json(model)
    if model.preprocess.layout == "hwc":
        del document["preprocess"]["layout"]  # installations that know no other refuse the key
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_atomically(folder / TRAINED_FILE, text + "\n")


def read_trained(folder: Path) -> TrainedModel:
    """Read what `write_trained` wrote.

    Raises:
        ModelError: the folder was not made by `edgeinfer train`, or is damaged.
    """
    path = folder / TRAINED_FILE
    text = _read(folder, path)
    try:
        return from_json(TrainedModel, parse_json(text))
    except SchemaError as error:
        raise ModelError(
            path, got=f"{error.where}: {error.got}", expected=error.expected, next_step=_TRAIN_AGAIN
        ) from error


def read_samples(folder: Path) -> dict[Split, list[Sample]]:
    """Read which samples each split holds, with their targets, where the run says that they are.

    Raises:
        ModelError: the table is missing or damaged.
    """
    trained = read_trained(folder)
    read_target = trained.measured.target_reader(trained.said)
    path = folder / SAMPLES_FILE
    splits: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    data = data_folder(folder) or ""
    text = _read(folder, path).decode("utf-8", "surrogateescape")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        for split, target, source in rows[1:]:
            source = os.path.join(data, csv_text(source))  # an absolute path stays
            sample = Sample(source=source, target=read_target(csv_text(target)))
            splits[_split(split)].append(sample)
    except (ValueError, csv.Error) as error:
        raise ModelError(path, got=f"is damaged ({error})", next_step=_TRAIN_AGAIN) from error
    return splits


def find_samples(folder: Path, data: Path | None = None) -> dict[Split, list[Sample]]:
    """Read which samples each split holds, and make sure that they are there.

    Args:
        folder: the run.
        data: the folder that its data has moved to; None where it has not.

    Raises:
        DataError: the data is not there.
        ModelError: the table is missing or damaged.
    """
    return moved_samples(read_samples(folder), folder, data)


def _split(name: str) -> Split:
    for split in SPLITS:
        if split == name:
            return split
    raise ValueError(f"split is {name!r}, expected one of {SPLITS}")


def _read(folder: Path, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _not_a_run(folder, path, error) from error


def _not_a_run(folder: Path, path: Path, error: OSError) -> ModelError:
    """Return the error for a folder, or a file, whose `path` cannot be read."""
    if not folder.exists():
        got, next_step = "does not exist", "check the path, or run `edgeinfer train` first"
    elif not path.exists() and path.name == TRAINED_FILE:
        found = recognize(folder)
        got, next_step = f"is {found.words}", found.next_step(folder, "convert")
        if found.kind in ("folder", "nested"):
            got, next_step = f"has no {path.name}", "run `edgeinfer train` first"
        elif not next_step:
            next_step = "name a folder such as runs/NAME"
    else:
        got, next_step = f"has no readable {path.name}", _TRAIN_AGAIN
    return ModelError(
        folder, got=got, expected="a folder that `edgeinfer train` made", next_step=next_step
    )
