"""From a folder, or Fashion-MNIST, to splits that are ready for training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.models.bundle.limits import refuse_unless_plain
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data import fashion_mnist
from edgeinfer.host.data.folders.check import Checked, check_files
from edgeinfer.host.data.folders.findings import Finding, LeftOutError
from edgeinfer.host.data.folders.folder import Layout, require_enough
from edgeinfer.host.data.groups.choose_split import split_as
from edgeinfer.host.data.labels.find import find_labelled
from edgeinfer.host.data.split import split_samples
from edgeinfer.host.data.store import ImageStore

DEFAULT_SHARE = 0.1
"""Share of a class's pictures for validation, and for test."""


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What a user may say of a data set.

    Attributes:
        seed: of the split.
        table: a CSV or JSON file of the targets; None for the task's usual place, such as the
            folders' names. It is given only to tasks that read one.
        validation_share: of the pictures, for those without a split; None takes the default.
        test_share: the same for the test split.
        targets: the names of the values to learn, in order; none takes all there are.
        units: of the values, one for all or one each; none takes those of the table.
        periods: what one turn is for values on a circle, one for all or one each, 0 for others.
        name_pattern: where the pictures' names have the values, see `parse_pattern`.
        split_by: which pictures belong together, see `parse_split_by`; None for each alone.
    """

    seed: int = 0
    table: Path | None = None
    validation_share: float | None = None
    test_share: float | None = None
    targets: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    periods: tuple[float, ...] = ()
    name_pattern: str | None = None
    split_by: str | None = None


OPTION_NAMES = {
    "targets": "--target",
    "units": "--unit",
    "periods": "--period",
    "name_pattern": "--name-pattern",
    "split_by": "--split-by",
}
"""The options behind those fields of `DataOptions` that not every task obeys."""


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """A data set, checked and split.

    Attributes:
        name: the folder's name, or "fashion-mnist".
        splits: the samples of each split, in an order that does not depend on the file system.
        findings: the files that were left out.
        own_splits: the splits that the data set itself has; the others were drawn.
        task: what the samples' targets are of.
        labels: the classes; empty for tasks without classes.
        decoder: how the output of a network that learns from it becomes a prediction.
        value: unit and scale of a measured quantity; None for other tasks.
        settings: further settings of the task's decoder, or None.
        root: the folder to which the findings' paths are relative; None if there is none.
    """

    name: str
    splits: dict[Split, list[Sample]]
    findings: tuple[Finding, ...] = ()
    own_splits: frozenset[Split] = frozenset()
    task: str = "classification"
    labels: tuple[str, ...] = ()
    decoder: Decoder = field(default_factory=lambda: Decoder(activation="softmax"))
    value: ValueSpec | None = None
    settings: dict[str, object] | None = None
    root: Path | None = None

    def __post_init__(self) -> None:
        """Refuse labels that a bundle could not hold, before anything is trained.

        Raises:
            DataError: one holds control characters, or is very long.
        """
        for label in self.labels:
            try:
                refuse_unless_plain("label", label)
            except ValueError as error:
                raise DataError(
                    self.name,
                    got=str(error),
                    expected="labels that can be printed",
                    next_step="give it a plain name",
                ) from error

    @property
    def said(self) -> Said:
        """The description of the outputs of a model that learns from it."""
        return Said(
            labels=self.labels,
            decoder=self.decoder,
            value=self.value,
            settings=self.settings or {},
        )


def prepare_folder(
    root: Path,
    *,
    seed: int,
    table: Path | None = None,
    validation_share: float | None = None,
    test_share: float | None = None,
    split_by: str | None = None,
    progress: Progress | None = None,
) -> PreparedData:
    """Find, check and split a folder of photographs; see `find_labelled` for its layout.

    Args:
        root: the folder.
        seed: of the split.
        table: a CSV or JSON file of the labels; None if folders or file names have them.
        validation_share: of each class's pictures; None is `DEFAULT_SHARE`.
        test_share: the same for the test split.
        split_by: which pictures belong together, see `parse_split_by`.
        progress: reports each picture.

    Raises:
        DataError: the folder cannot be used; the sentence says why.
        UsageError: a share is impossible, or given for a split that the folder already has.
    """
    layout = find_labelled(root, table=table)
    shares = shares_of(layout.root, layout.splits, validation_share, test_share)
    checked = check_files(layout, progress=progress)
    return split_checked(
        *(layout, checked),
        seed=seed,
        validation_share=shares[0],
        test_share=shares[1],
        split_by=split_by,
    )


def split_checked(
    layout: Layout,
    checked: Checked,
    *,
    seed: int,
    validation_share: float = DEFAULT_SHARE,
    test_share: float = DEFAULT_SHARE,
    split_by: str | None = None,
) -> PreparedData:
    """Split the files of a folder that passed the check.

    Raises:
        DataError: a class has too few usable images.
    """
    try:
        require_enough(layout, checked.files, checked=True)
    except DataError as error:
        raise error from LeftOutError(checked.findings)
    splits, notes = split_as(
        [(Sample(source=file.path, target=file.label), file.split) for file in checked.files],
        layout.root,
        split_by=split_by,
        seed=seed,
        task=TASK,
        validation_share=validation_share,
        test_share=test_share,
    )
    return PreparedData(
        name=layout.root.name or "data",
        labels=layout.labels,
        splits=splits,
        findings=(*checked.findings, *notes),
        own_splits=frozenset(file.split for file in checked.files if file.split),
        root=layout.root,
    )


def prepare_fashion_mnist(
    *,
    seed: int,
    full: bool,
    folder: Path | None = None,
    validation_share: float | None = None,
    test_share: float | None = None,
    progress: Progress | None = None,
) -> PreparedData:
    """Return Fashion-MNIST with its own test split and a validation split taken from training.

    Args:
        seed: for the validation split.
        full: the whole set instead of the subset that ships with edgeinfer.
        folder: where the whole set's four files are; by default they are searched for.
        validation_share: of the training images of each class; None is `DEFAULT_SHARE`.
        test_share: None, since the set has its own test split.
        progress: reports each file, if the set has to be downloaded.

    Raises:
        DataError: the whole set is damaged or not available.
        UsageError: a share is impossible, or given for the test split.
    """
    shares = shares_of("fashion-mnist", ("train", "test"), validation_share, test_share)
    place = fashion_mnist.EMBEDDED
    if full or folder is not None:
        place = fashion_mnist.find_full_set(folder, progress=progress)
    train, test = fashion_mnist.list_samples(place)
    own: list[tuple[Sample, Split | None]] = [(sample, "train") for sample in train]
    own += [(sample, "test") for sample in test]
    return PreparedData(
        name="fashion-mnist",
        labels=fashion_mnist.LABELS,
        splits=split_samples(own, task=TASK, seed=seed, validation_share=shares[0]),
        findings=(),
        own_splits=frozenset({"train", "test"}),
    )


def shares_of(
    data: object, own: Collection[Split], validation: float | None, test: float | None
) -> tuple[float, float]:
    """Return the shares of validation and test; those that are not given are the default.

    Raises:
        UsageError: one is impossible, or given for a split that the data set already has.
    """
    given: dict[Split, float | None] = {"validation": validation, "test": test}
    for split, share in given.items():
        option = f"--{split}-share"
        if share is None:
            continue
        if split in own:
            raise UsageError(
                option,
                got=f"given for {data}, which has its own {split} pictures",
                next_step="leave it out",
            )
        if not 0 < share < 1:
            raise UsageError(option, got=f"{share:g}", expected="above 0 and below 1")
    shares = tuple(DEFAULT_SHARE if share is None else share for share in given.values())
    if sum(shares) >= 1:
        raise UsageError(
            "--validation-share and --test-share",
            got=f"{sum(shares):g} together",
            expected="below 1",
        )
    return shares[0], shares[1]


def channel_statistics(store: ImageStore) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel in pixel units, 0 to 255.

    The sums are integers, so the result does not depend on the order of the images; images that
    are all one colour give a deviation of 1, which can be divided by.

    Raises:
        ValueError: the store is empty.
    """
    if not len(store):
        raise ValueError("an empty store has no statistics")
    totals = np.zeros((2, store.shape[3]), np.int64)
    for batch in store.batches():
        wide = batch.reshape(-1, store.shape[3]).astype(np.uint32)
        totals[0] += wide.sum(axis=0, dtype=np.int64)
        totals[1] += (wide * wide).sum(axis=0, dtype=np.int64)
    mean, mean_of_squares = totals / (len(store) * store.shape[1] * store.shape[2])
    deviation = np.sqrt(np.maximum(mean_of_squares - mean * mean, 0.0))
    deviation[deviation < 1e-3] = 1.0
    return tuple(mean.tolist()), tuple(deviation.tolist())
