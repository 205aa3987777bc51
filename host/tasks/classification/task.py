"""Classification: the folders' names are the classes, and the network gives a logit for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData, prepare_folder
from edgeinfer.host.data.folders.check import check_files
from edgeinfer.host.data.folders.findings import require_some
from edgeinfer.host.data.labels.find import find_labelled
from edgeinfer.host.tasks.label_order import label_order
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.task import Floats, Rows, TaughtTask

FEW = 50
"""With less training pictures a class, folds choose what else validation would choose."""


class TaughtClassification(TaughtTask):
    """A class for a picture; its rows are the classes' indices, (pictures,) int32."""

    name: ClassVar[str] = "classification"
    reads_table: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset({"split_by"})

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read a folder of photographs, a sub-folder for each class; see `find_labelled`."""
        return prepare_folder(
            root,
            seed=options.seed,
            table=options.table,
            validation_share=options.validation_share,
            test_share=options.test_share,
            split_by=options.split_by,
            progress=progress,
        )

    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        """Read a folder as `prepare` does, if its classes are among the model's."""
        layout = find_labelled(root, table=table, to_train=False)
        strange = [label for label in layout.labels if label not in said.labels]
        if strange:
            raise DataError(
                root,
                got=f"has the class '{strange[0]}'",
                expected=f"classes of the model, such as {', '.join(said.labels[:5])}",
                next_step="remove its pictures, or give them the model's name of the class",
            )
        place = [said.labels.index(label) for label in layout.labels]
        checked = check_files(layout, progress=progress)
        require_some(layout.root, checked.files, checked.findings)
        return [Sample(source=file.path, target=place[file.label]) for file in checked.files]

    def class_of(self, target: Any) -> int | None:
        """Return the target: it is the class's index."""
        return int(target)

    def numbers(self, said: Said) -> int:
        """Return a logit for each class."""
        return len(said.labels)

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the classes' indices."""
        return np.fromiter((sample.target for sample in samples), np.int32, count=len(samples))

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return them one-hot, (n, classes)."""
        targets = np.zeros((len(rows), self.numbers(said)), np.float32)
        targets[np.arange(len(rows)), rows] = 1.0
        return targets

    def loss(self, settings: LossSettings) -> Any:
        """Return the cross-entropy, or the focal loss, of logits against one-hot targets."""
        import keras

        if settings.name == "focal":
            return keras.losses.CategoricalFocalCrossentropy(
                alpha=1.0,
                gamma=settings.focal_gamma,
                from_logits=True,
                label_smoothing=settings.label_smoothing,
            )
        return keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=settings.label_smoothing
        )

    def metric(self) -> Any:
        """Return the share of pictures whose largest logit belongs to their class."""
        import keras

        return keras.metrics.CategoricalAccuracy(name="accuracy")

    def teacher_order(self, run: Path, theirs: Said, ours: Said) -> list[int]:
        """Return the position of each of the student's classes; the teacher must know the same."""
        return label_order(run, theirs.labels, ours.labels)

    def folds(self, rows: Rows, said: Said, count: int) -> NDArray[np.int64] | None:
        """Return folds with pictures of each class, for less than `FEW` pictures a class."""
        numbers = np.bincount(rows, minlength=len(said.labels))
        if len(rows) >= FEW * len(said.labels) or numbers.min() < count:
            return None
        folds = np.zeros(len(rows), np.int64)
        for label in range(len(said.labels)):
            those = np.flatnonzero(rows == label)
            # In the order of a fixed draw: neighbours in a folder often show the same.
            folds[np.random.default_rng(label).permutation(those)] = np.arange(len(those)) % count
        return folds

    def balanced(self, rows: Rows, said: Said) -> Floats:
        """Return weights inverse to the classes' frequencies, 1 on average over the pictures."""
        classes = self.numbers(said)
        counts = np.maximum(np.bincount(rows, minlength=classes), 1)
        weights: Floats = (len(rows) / (classes * counts)).astype(np.float32)[rows]
        return weights


TASK = TaughtClassification()
