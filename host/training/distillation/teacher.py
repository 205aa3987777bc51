"""A teacher: a trained run that answers every training picture once, for a student to learn from.

Its answers are kept on disk. An epoch of the student then costs no more than without a teacher,
and the two may differ in size, channels and normalization: each sees the same photographs with
its own preprocessing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    TRAINED_FILE,
    TrainedModel,
    read_trained,
)
from edgeinfer.device.core.errors import ModelError, UsageError, storage_error
from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.preprocess import normalize_table
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.data.batches import ImageSource
from edgeinfer.host.training.network.load_network import load_network

if TYPE_CHECKING:
    from edgeinfer.host.training.data.feature_cache import FeatureFile

FEATURE_LAYER = "pool"
"""The layer whose output is a network's feature vector, in all of `edgeinfer.host.models`."""

_NAME = "teacher"
_LOGITS_FILE = "logits.npy"
_BLOCK = 1024
_TEMPERATURE = 2.0


@dataclass(frozen=True, kw_only=True)
class TeacherConfig:
    """A trained model whose answers a smaller model learns, for `train(teacher=...)`.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn")
        >>> teacher = edgeinfer.TeacherConfig(run=Path("runs/large"))
        >>> edgeinfer.train("photos", "runs/small", config, teacher=teacher)

    Attributes:
        run: folder of the teacher, made by `edgeinfer.train`.
        weight: how much the teacher's answers count compared with the labels, above 0 to 1. 1 uses
            only the teacher's answers.
        temperature: how much the less likely classes of the teacher's answers count, 0.1 to 100;
            more for higher values (Hinton et al. 2015). None takes 2. Not for detection and points,
            whose classes do not exclude each other.
        features: whether to learn the teacher's feature vectors as well (Romero et al. 2015).

    Raises:
        UsageError: `weight` or `temperature` is out of range.
    """

    run: Path
    weight: float = 0.9
    temperature: float | None = None
    features: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible values.

        Raises:
            UsageError: names the setting.
        """
        if not 0 < self.weight <= 1:
            raise UsageError("--teacher-weight", got=f"{self.weight:g}", expected="above 0 to 1")
        if not 0.1 <= self.softness <= 100:
            raise UsageError("--temperature", got=f"{self.softness:g}", expected="0.1 to 100")

    @property
    def softness(self) -> float:
        """The temperature, or what is taken where none is given."""
        return _TEMPERATURE if self.temperature is None else self.temperature

    def settings(self) -> dict[str, str]:
        """Return all settings as text, for the provenance."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return {f"teacher.{name}": str(value) for name, value in known.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class TeacherAnswers:
    """A teacher's answer to each sample, in the samples' order.

    Attributes:
        logits: (N, numbers) float32, in the order of the student's output; if pictures may be
            mirrored, the mean over the picture and its mirror image.
        features: (N, width) float32, each of the teacher's features shifted and scaled to mean 0
            and deviation 1 over the samples; None if they were not asked for.
    """

    logits: Floats
    features: StandardFeatures | None = None


class StandardFeatures:
    """A teacher's feature vectors on disk, averaged over their variants and standardized.

    Args:
        variants: of equal shape (N, width).
    """

    def __init__(self, variants: Sequence[FeatureFile]) -> None:
        self._variants = tuple(variants)
        self.shape = self._variants[0].shape
        total = squares = np.zeros(self.shape[1], np.float64)
        for start in range(0, self.shape[0], _BLOCK):
            rows = self._mean(np.arange(start, min(start + _BLOCK, self.shape[0])))
            total = total + rows.sum(axis=0, dtype=np.float64)
            squares = squares + np.square(rows, dtype=np.float64).sum(axis=0)
        mean = total / self.shape[0]
        deviation = np.sqrt(np.maximum(squares / self.shape[0] - mean * mean, 0.0))
        # A feature that never changes is useless; divided by nearly 0 it would be only noise.
        deviation[deviation < 1e-4] = np.inf
        self._shift = mean.astype(np.float32)
        self._scale = (1.0 / deviation).astype(np.float32)

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return (n, width) float32.

        Raises:
            StorageError: the file is too short.
        """
        standard: Floats = (self._mean(indices) - self._shift) * self._scale
        return standard

    def _mean(self, indices: NDArray[np.int64]) -> Floats:
        first, *others = (variant.read(indices) for variant in self._variants)
        for other in others:
            first = first + other
        return first / np.float32(len(self._variants))


def ask_teacher(
    config: TeacherConfig,
    samples: Sequence[Sample],
    lesson: Lesson,
    *,
    cache: Path,
    mirrored: bool,
    progress: Progress,
) -> TeacherAnswers:
    """Run a teacher over all samples, unless `cache` already has its answers to exactly these.

    Args:
        config: the teacher.
        samples: the student's training samples.
        lesson: the student's; its task decides what it can learn from the teacher.
        cache: a folder for its answers and, meanwhile, for the pictures prepared for the teacher.
        mirrored: whether a mirrored picture is as valid as the original.
        progress: reports every picture.

    Raises:
        UsageError: the teacher has another task or knows other classes, or has no feature vectors.
        ModelError: its run is missing or damaged.
        DataError: a sample cannot be read.
        StorageError: the cache cannot be written.
    """
    trained = read_teacher(config, lesson)
    order = lesson.task.teacher_order(config.run, trained.said, lesson.said)
    folder = cache / f"teacher-{_digest(config, samples, mirrored=mirrored)}"
    kept = folder / _LOGITS_FILE
    if not kept.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        logits = _ask(config, trained, samples, folder, mirrored=mirrored, progress=progress)
        # Written last: it proves that the features next to it are complete.
        with atomic_file(kept) as stream:
            np.save(stream, logits)
    return TeacherAnswers(
        logits=np.ascontiguousarray(np.load(kept)[:, order]),
        features=_features(folder, len(samples), mirrored=mirrored) if config.features else None,
    )


def read_teacher(config: TeacherConfig, lesson: Lesson) -> TrainedModel:
    """Return the description of a teacher that has the student's task.

    Raises:
        UsageError: it has another one.
        ModelError: its run is missing or damaged.
    """
    trained = read_trained(config.run)
    if trained.task != lesson.task.name:
        raise UsageError(
            config.run,
            got=f"the teacher's task is '{trained.task}'",
            expected=f"'{lesson.task.name}', the student's",
        )
    return trained


def _digest(config: TeacherConfig, samples: Sequence[Sample], *, mirrored: bool) -> str:
    """Return a name for the answers, which depends on the model, the files and the settings."""
    digest = hashlib.blake2b(repr((mirrored, config.features)).encode(), digest_size=12)
    for name in (KERAS_FILE, TRAINED_FILE):
        try:
            digest.update((config.run / name).read_bytes())
        except OSError as error:
            raise ModelError(
                config.run, got=f"has no readable {name}", next_step="train the teacher again"
            ) from error
    for sample in samples:
        digest.update(os.fsencode(sample.source) + b"\0")
        # An image in an IDX file, FILE#INDEX, is not a file: only its name is used.
        with suppress(OSError):
            status = os.stat(sample.source)
            digest.update(repr((status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()


def _ask(
    config: TeacherConfig,
    trained: TrainedModel,
    samples: Sequence[Sample],
    folder: Path,
    *,
    mirrored: bool,
    progress: Progress,
) -> Floats:
    """Return the teacher's logits (N, classes) in its own order; its features go to `folder`."""
    import keras

    from edgeinfer.host.data.store import build_store
    from edgeinfer.host.training.data.feature_cache import cache_features

    model = load_network(config.run, trained)
    outputs = [model.output]
    if config.features:
        outputs.append(_feature_layer(config.run, model).output)
    progress.start(f"teacher: preparing {len(samples)} pictures", len(samples))
    spec = trained.preprocess
    with build_store(
        samples,
        spec,
        folder / "teacher.u8",
        np.arange(len(samples)),  # The teacher answers without looking at the targets.
        progress=progress,
    ) as store:
        logits, *_ = cache_features(
            keras.Model(model.input, outputs),
            ImageSource(store, normalize_table(spec)),
            folder,
            _NAME,
            mirrored=mirrored,
            progress=progress,
        )
    everyone = np.arange(len(samples))
    mean: Floats = np.mean([variant.read(everyone) for variant in logits], axis=0)
    return mean


def _feature_layer(run: Path, model: Any) -> Any:
    try:
        return model.get_layer(FEATURE_LAYER)
    except ValueError as error:
        raise UsageError(
            run,
            got=f"the teacher has no layer named {FEATURE_LAYER!r}",
            next_step="leave --teacher-features out",
        ) from error


def _features(folder: Path, count: int, *, mirrored: bool) -> StandardFeatures:
    """Open the features that `_ask` wrote, the second of its outputs."""
    from edgeinfer.host.training.data.feature_cache import DTYPE, FeatureFile

    paths = [folder / f"{_NAME}.{variant}.1.f16" for variant in range(1 + mirrored)]
    width = paths[0].stat().st_size // (count * DTYPE.itemsize)
    return StandardFeatures([FeatureFile(path, (count, width)) for path in paths])
