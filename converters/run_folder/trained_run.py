"""The folder that `edgeinfer train` leaves and `edgeinfer convert` takes.

It holds the Keras model, what it was trained on, and how its input is prepared.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.csv_cells import csv_cell, csv_text
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.device.preprocess import PreprocessSpec

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

KERAS_FILE = "model.keras"
"""A Keras 3 model: (H, W, C) float32 as `normalize_table` gives it, to (classes,) logits."""

TRAINED_FILE = "trained.json"
SAMPLES_FILE = "samples.csv"
_TRAIN_AGAIN = "train again with `edgeinfer train`"


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """What there is to know of a trained model beside its weights.

    Attributes:
        name: becomes the bundle's name.
        labels: the classes in the order of the logits.
        preprocess: how a frame becomes the input.
        provenance: versions, seed, data set, settings, as text.
        metrics: figures by name, such as `validation.keras.top1` (0 to 1).
    """

    name: str
    labels: tuple[str, ...]
    preprocess: PreprocessSpec
    provenance: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


def write_trained(
    folder: Path, model: TrainedModel, samples: Mapping[Split, Sequence[Sample]]
) -> None:
    """Write everything but the Keras file.

    Raises:
        StorageError: the folder cannot be written.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["split", "label", "source"])
    for split in SPLITS:
        for sample in samples.get(split, ()):
            label = model.labels[sample.label]
            writer.writerow([split, csv_cell(label), csv_cell(sample.source)])
    # File names need not be UTF-8; surrogateescape carries their bytes through.
    write_atomically(folder / SAMPLES_FILE, table.getvalue().encode("utf-8", "surrogateescape"))
    text = json.dumps(to_json(model), ensure_ascii=False, indent=1)
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
    """Read which samples each split holds, labels as indices into the model's labels.

    Raises:
        ModelError: the table is absent or damaged.
    """
    labels = {label: index for index, label in enumerate(read_trained(folder).labels)}
    path = folder / SAMPLES_FILE
    splits: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    text = _read(folder, path).decode("utf-8", "surrogateescape")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        for split, label, source in rows[1:]:
            sample = Sample(source=csv_text(source), label=labels[csv_text(label)])
            splits[_split(split)].append(sample)
    except (ValueError, KeyError, csv.Error) as error:
        raise ModelError(path, got=f"is damaged ({error})", next_step=_TRAIN_AGAIN) from error
    return splits


def _split(name: str) -> Split:
    for split in SPLITS:
        if split == name:
            return split
    raise ValueError(f"split is {name!r}, expected one of {SPLITS}")


def _read(folder: Path, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            folder,
            got=f"has no readable {path.name}",
            expected="a folder that `edgeinfer train` made",
            next_step=_TRAIN_AGAIN,
        ) from error
