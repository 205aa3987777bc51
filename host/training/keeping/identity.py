"""What must be the same to go on with a training: its settings and its data."""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.files import write_atomically

_SETTINGS_FILE = "settings.json"
_SAMPLES_FILE = "samples.txt"
_PACKAGES = ("edgeinfer", "keras", "tensorflow", "tensorflow-cpu", "numpy")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The settings and the data of a training.

    Attributes:
        settings: as text, by the names of their options.
        samples: a line for each picture: its split, file, target, size in bytes and time of change.
    """

    settings: Mapping[str, str]
    samples: Sequence[str]

    def write(self, folder: Path) -> None:
        """Write it to the folder of a new training.

        Raises:
            StorageError: it cannot be written.
        """
        text = "".join(f"{line}\n" for line in self.samples)
        write_atomically(folder / _SAMPLES_FILE, text.encode("utf-8", "surrogateescape"))
        document = {"settings": dict(self.settings), "machine": _machine()}
        write_atomically(folder / _SETTINGS_FILE, json.dumps(document, indent=1) + "\n")

    def equals(self, folder: Path) -> bool:
        """Return whether the training in a folder has the same settings and data."""
        try:
            self.require_equal(folder, Silent())
        except UsageError:
            return False
        return True

    def require_equal(self, folder: Path, progress: Progress) -> None:
        """Make sure that the training in a folder has the same settings and data.

        Args:
            folder: of a training that was stopped.
            progress: reports if TensorFlow or the processor are others than before.

        Raises:
            UsageError: they differ; the error names how.
        """
        try:
            document = json.loads((folder / _SETTINGS_FILE).read_text())
            lines = (folder / _SAMPLES_FILE).read_bytes().decode("utf-8", "surrogateescape")
            settings, machine = dict(document["settings"]), dict(document["machine"])
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                folder,
                got=f"the training there cannot be continued ({error})",
                next_step="start again with --force",
            ) from error
        for name in sorted({*settings, *self.settings}):
            before, now = settings.get(name, "not given"), self.settings.get(name, "not given")
            if before != now:
                raise _other(name, f"is {now}", f"{before}, as when the training was stopped")
        if (difference := _difference(lines.splitlines(), self.samples)) != "":
            raise _other("the pictures", difference, "the same as when the training was stopped")
        others = [name for name, value in _machine().items() if machine.get(name) != value]
        if others:
            progress.say(
                f"other than when the training was stopped: {', '.join(others)}; "
                "the weights may differ in their last digits from those of an unbroken training"
            )


def sample_lines(splits: Mapping[Split, Sequence[Sample]]) -> list[str]:
    """Return a line for each picture, which changes when its file does."""
    return [_line(split, sample) for split, samples in splits.items() for sample in samples]


def _line(split: Split, sample: Sample) -> str:
    facts = ""
    # An image in an IDX file, FILE#INDEX, is not a file: only its name is used.
    with suppress(OSError):
        status = os.stat(sample.source)
        facts = f"{status.st_size}\t{status.st_mtime_ns}"
    text = "\t".join((split, os.path.abspath(sample.source), repr(sample.target), facts))
    return text.replace("\n", "\\n")


def _difference(before: Iterable[str], now: Iterable[str]) -> str:
    """Return in words how two lists of pictures differ; empty if they do not."""
    old, new = (_by_file(lines) for lines in (before, now))
    added, removed = [one for one in new if one not in old], [one for one in old if one not in new]
    changed = [one for one, line in new.items() if old.get(one, line) != line]
    parts = [
        f"{len(names)} {'is' if len(names) == 1 else 'are'} {verb} (such as {names[0]})"
        for names, verb in ((added, "new"), (removed, "missing"), (changed, "changed"))
        if names
    ]
    if not parts and list(old) != list(new):
        return "are in another order"
    return ", ".join(parts)


def _by_file(lines: Iterable[str]) -> dict[str, str]:
    return {line.split("\t")[1]: line for line in lines if "\t" in line}


def _machine() -> dict[str, str]:
    """Return what the last digits of a sum may depend on."""
    facts = {"processors": str(os.cpu_count())}
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            facts[name] = importlib.metadata.version(name)
    return facts


def _other(subject: str, got: str, expected: str) -> UsageError:
    return UsageError(
        f"--resume: {subject}",
        got=got,
        expected=expected,
        next_step="or start again with --force",
    )
