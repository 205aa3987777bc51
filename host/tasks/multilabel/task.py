"""Several labels: a table names those of each picture, and the network gives a logit for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData, shares_of
from edgeinfer.host.data.folders.check import check_files
from edgeinfer.host.data.folders.findings import require_some
from edgeinfer.host.data.groups.split_labels import split_by_rarest
from edgeinfer.host.data.labels.several import SeveralLabels, find_several
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.task import Floats, Rows, TaughtTask


class TaughtMultiLabel(TaughtTask):
    """Labels of which several may be true; its rows hold the true ones' indices."""

    name: ClassVar[str] = "multilabel"
    reads_table: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset({"split_by"})

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read a folder of pictures and a table of their labels; see `find_several`."""
        found = _find(root, options.table)
        shares = shares_of(root, found.layout.splits, options.validation_share, options.test_share)
        checked = check_files(found.layout, progress=progress)
        files = {file.path: file for file in checked.files}
        samples = [found.sample(file) for file in checked.files]
        require_some(found.layout.root, samples, checked.findings)
        splits, notes = split_by_rarest(
            [(sample, files[sample.source].split) for sample in samples],
            found.layout.root,
            labels_of=self.labels_of,
            split_by=options.split_by,
            seed=options.seed,
            shares=shares,
        )
        _require_labels(root, found.labels, splits)
        return PreparedData(
            name=found.layout.root.name or "data",
            task=self.name,
            labels=found.labels,
            decoder=Decoder(activation="sigmoid", multi_label=MultiLabelSpec()),
            splits=splits,
            findings=(*checked.findings, *notes),
            own_splits=frozenset(file.split for file in checked.files if file.split),
            root=found.layout.root,
        )

    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        """Read a folder and its table as `prepare` does, if the labels are among the model's."""
        found = _find(root, table)
        strange = [label for label in found.labels if label not in said.labels]
        if strange:
            raise DataError(
                table or root,
                got=f"has the label '{strange[0]}'",
                expected=f"labels of the model, such as {', '.join(said.labels[:5])}",
                next_step="remove it, or give it the model's name of the label",
            )
        place = [said.labels.index(label) for label in found.labels]
        checked = check_files(found.layout, progress=progress)
        require_some(found.layout.root, checked.files, checked.findings)
        return [
            Sample(source=sample.source, target=frozenset(place[i] for i in sample.target))
            for sample in map(found.sample, checked.files)
        ]

    def numbers(self, said: Said) -> int:
        """Return a logit for each label."""
        return len(said.labels)

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the labels' indices, (pictures, most labels of a picture) int32, -1 for none."""
        most = max((len(sample.target) for sample in samples), default=0)
        rows = np.full((len(samples), max(1, most)), -1, np.int32)
        for row, sample in zip(rows, samples, strict=True):
            row[: len(sample.target)] = sorted(sample.target)
        return rows

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return 1 for each true label and 0 for the others, (n, labels)."""
        # A column more takes the places without a label.
        targets = np.zeros((len(rows), self.numbers(said) + 1), np.float32)
        np.put_along_axis(targets, rows.astype(np.int64), 1.0, axis=1)
        return targets[:, :-1]

    def labels_of(self, target: Any) -> Sequence[int]:
        """Return the indices of its labels."""
        return sorted(target)

    def loss(self, settings: LossSettings) -> Any:
        """Return the mean cross-entropy, or focal loss, of the labels' logits."""
        import keras

        smoothing = settings.label_smoothing
        if settings.name == "focal":
            return keras.losses.BinaryFocalCrossentropy(
                gamma=settings.focal_gamma, from_logits=True, label_smoothing=smoothing
            )
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)

    def metric(self) -> Any:
        """Return the share of labels that are right."""
        import keras

        return keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)


def _find(root: Path, table: Path | None) -> SeveralLabels:
    if table is None:
        raise DataError(
            root,
            got="the labels of its pictures are not known",
            expected="a table of a file and its labels, such as 7.jpg,cat;dog",
            next_step="name it with --labels-csv FILE",
        )
    return find_several(root, table)


def _require_labels(root: Path, labels: tuple[str, ...], splits: dict[Split, list[Sample]]) -> None:
    """Refuse data in which a label cannot be learned.

    Raises:
        DataError: a label is true of no picture, or of all, in training; or there are no labels.
    """
    if not labels:
        raise DataError(root, got="its table has no label", expected="one or more")
    train = splits["train"]
    for index, label in enumerate(labels):
        count = sum(index in sample.target for sample in train)
        if count in (0, len(train)):
            raise DataError(
                root,
                got=f"the label '{label}' is true of {count:,} of {len(train):,} training pictures",
                expected="some that have it and some that do not",
                next_step="add such pictures, or remove the label from the table",
            )


TASK = TaughtMultiLabel()
