"""Models that an importer reads, ONNX and PyTorch, as a source: a float `.tflite` like others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.foreign_source import ForeignSource
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.source import Opened
from edgeinfer.converters.importers.source import ImportedModel, ImportOptions, import_to_tflite
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import EdgeinferError


@dataclass(frozen=True, kw_only=True)
class ImportedSource:
    """A model that an importer reads.

    Attributes:
        model: the model.
        options: what the user said about the import.
        foreign: how the `.tflite` that the importer makes is taken; its path is not used.
    """

    model: ImportedModel
    options: ImportOptions
    foreign: ForeignSource

    def open(
        self, options: ConvertOptions, folder: Path, *, tensorflow: Worker, progress: Progress
    ) -> Opened:
        """Import the model, then open the result; see `Source.open`.

        Raises:
            MissingExtraError: the importer's environment cannot be made.
            StorageError: the disk is full.
        """
        path = import_to_tflite(self.model, self.options, folder, progress)
        try:
            opened = replace(self.foreign, path=path).open(
                options, folder, tensorflow=tensorflow, progress=progress
            )
        except EdgeinferError as error:
            if error.subject not in (str(path), path.name):
                raise
            # The user knows the model by its own name.
            raise EdgeinferError.from_dict(
                {**error.to_dict(), "subject": self.model.subject}
            ) from error
        name = self.model.subject if self.model.function else self.model.path.name
        return replace(opened, subject=name, provenance={**opened.provenance, "source": name})
