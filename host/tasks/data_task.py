"""Where the data of a task is, and what its targets say: enough to check it and to evaluate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import OPTION_NAMES, DataOptions, PreparedData


class DataTask(ABC):
    """How pictures with targets are found; stateless, one object for all models.

    Tasks that can be trained are a `TaughtTask`. It is found by its name; see `registry.py`.

    Attributes:
        name: the task's name.
        reads_table: whether targets may come from a table that the user names.
        takes: which further fields of `DataOptions` it obeys; others are refused.
    """

    name: ClassVar[str]
    reads_table: ClassVar[bool] = False
    takes: ClassVar[frozenset[str]] = frozenset()

    def require_options(self, options: DataOptions) -> None:
        """Refuse what a user says of the data that the task does not obey.

        Raises:
            UsageError: names the option.
        """
        self.require_table(options.table)
        for field, option in OPTION_NAMES.items():
            if getattr(options, field) and field not in self.takes:
                raise UsageError(
                    option, got=f"given for the task '{self.name}'", next_step="leave it out"
                )

    def require_table(self, table: Path | None) -> None:
        """Refuse a table that the task does not read.

        Raises:
            UsageError: one is given.
        """
        if table is not None and not self.reads_table:
            raise UsageError(
                "--labels-csv", got=f"given for the task '{self.name}'", next_step="leave it out"
            )

    @abstractmethod
    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Find, check and split a folder of pictures with their targets.

        Args:
            root: the folder.
            options: how to read and split it.
            progress: reports each picture.

        Raises:
            DataError: the folder cannot be used; the sentence says why.
            UsageError: a share is impossible.
        """

    @abstractmethod
    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        """Find all pictures of a folder with their targets, for an existing model.

        Args:
            root: the folder.
            said: the description of the model's outputs.
            table: see `DataOptions`; given only to tasks with `reads_table`.
            progress: reports each picture.

        Raises:
            DataError: the folder cannot be used, has targets that the model does not know, or
                nothing of it is left; see `require_some`.
        """

    def find_with(
        self, root: Path, said: Said, options: DataOptions, *, progress: Progress | None = None
    ) -> list[Sample]:
        """Do what `find` does with all that a user may say of the data.

        Raises:
            DataError: as `find`.
            UsageError: an option does not fit the task.
        """
        self.require_options(options)
        return self.find(root, said, table=options.table, progress=progress)

    def class_of(self, target: Any) -> int | None:
        """Return the index of the one class that a target names; None if it is of another kind."""
        return None

    def labels_of(self, target: Any) -> Sequence[int]:
        """Return the indices of all labels that are true of a picture; none without labels."""
        index = self.class_of(target)
        return () if index is None else (index,)

    def values_of(self, target: Any) -> Sequence[float]:
        """Return the measured values of a picture, as the labels name them; none without values."""
        return ()

    def contradict(self, one: Any, other: Any) -> bool:
        """Return whether two samples' targets cannot both be true of one picture."""
        return bool(one != other)
