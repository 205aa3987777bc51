"""The training side of a task: how a network learns its targets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.mosaic import Part
from edgeinfer.host.models import ArchitectureInfo
from edgeinfer.host.tasks.data_task import DataTask
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.shown_score import ShownScore

Rows: TypeAlias = NDArray[Any]
"""(pictures, ...): each picture's target, in a small form."""

Floats: TypeAlias = NDArray[np.float32]

Motions: TypeAlias = NDArray[np.float64]
"""(pictures, 2, 3): where a point (x, y, 1) of each picture is now, in pixels."""


class TaughtTask(DataTask):
    """How a task is trained; stateless, one object for all models.

    It is found by its name; see `registry.py`. A network has one output, a vector of `numbers`,
    where the task does not bring its own `network`.

    Attributes:
        losses: the names of the losses that it has.
        smooths_labels: whether its loss can spread a part of a target over others.
        drops_features: whether features may be left out at random (dropout).
        settings: fields of `TrainConfig` whose defaults are others for this task.
        pretrained_settings: the same where training starts from pretrained weights.
        in_two_stages: whether a network with pretrained weights first learns on frozen features.
        makes_mosaics: whether pictures can be made of others; see `in_mosaic`.
        asks_each_batch: whether a teacher is asked about each batch, since its answers move with
            the pictures; see `teacher_loss`.
        shown_score: how people read the values of `metric`.
    """

    losses: ClassVar[tuple[str, ...]] = ("crossentropy", "focal")
    smooths_labels: ClassVar[bool] = True
    drops_features: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, object]] = {}
    pretrained_settings: ClassVar[Mapping[str, object]] = {}
    in_two_stages: ClassVar[bool] = True
    makes_mosaics: ClassVar[bool] = False
    asks_each_batch: ClassVar[bool] = False
    shown_score: ClassVar[ShownScore] = ShownScore()

    def check_loss(self, settings: LossSettings, said: Said) -> None:
        """Refuse a loss that the task does not have.

        Raises:
            UsageError: names the option.
        """
        if settings.name not in self.losses:
            raise UsageError(
                "--loss",
                got=f"{settings.name} for the task '{self.name}'",
                expected=f"one of {', '.join(self.losses)}",
            )
        if settings.label_smoothing and not self.smooths_labels:
            raise UsageError(
                "--label-smoothing",
                got=f"given for the task '{self.name}', whose loss cannot do that",
                next_step="leave it out",
            )

    def check_size(self, size: tuple[int, int]) -> None:
        """Refuse sizes of the input, (width, height), that the task's network cannot have.

        Raises:
            UsageError: names the option.
        """

    def fits_size(self, size: tuple[int, int]) -> bool:
        """Return whether `check_size` takes a size."""
        try:
            self.check_size(size)
        except UsageError:
            return False
        return True

    def fits_network(self, network: ArchitectureInfo) -> bool:
        """Return whether a network can be trained for the task; by default any."""
        return True

    def network(self, model: Any, said: Said) -> Any | None:
        """Return a network of the task's own on a model's features; by default none.

        Such a network has several outputs by their names, and is trained in one stage.

        Args:
            model: one of `edgeinfer.host.models`, whose weights stay.
            said: the description of the outputs.
        """
        return None

    def backbone_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers of a task's own network that come from the model below it."""
        return ()

    def lower_layers(self, model: Any) -> Sequence[Any]:
        """Return those of them that know only edges and textures, which any pictures have."""
        return ()

    def vector(self, features: Any) -> Any:
        """Return the network's features as a vector, by a Keras layer named `pool`.

        By default the mean over all places, which loses where something is.

        Args:
            features: a Keras tensor, (batch, rows, columns, channels).
        """
        import keras

        return keras.layers.GlobalAveragePooling2D(name="pool")(features)

    @abstractmethod
    def numbers(self, said: Said) -> int:
        """Return the number of values in the network's output, or at each place of it."""

    def output_shapes(self, said: Said, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Return the shape of each output without the batch, by its name, in their order.

        Args:
            said: the description of the outputs.
            size: (width, height) of the input.
        """
        return {"output": (self.numbers(said),)}

    def last_layers(self) -> tuple[str, ...]:
        """Return the names of the layers with one filter, or unit, for each number."""
        return ("logits",)

    @abstractmethod
    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the samples' targets, (samples, ...), in pixels of the prepared pictures."""

    @abstractmethod
    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return the values to compare the output with in the loss, (n, ...) float32."""

    def doubts(self, samples: Sequence[Sample], rows: Rows) -> list[str]:
        """Return what makes it doubtful that some targets can be learned, a sentence each.

        Args:
            samples: the pictures of a split.
            rows: their targets, of `rows`.
        """
        return []

    def moved(self, rows: Rows, motions: Motions, size: tuple[int, int]) -> Rows:
        """Return the targets of pictures that were moved; unchanged if positions do not count.

        Args:
            rows: the targets before.
            motions: how each picture was moved.
            size: (width, height) of the pictures.
        """
        return rows

    def in_mosaic(self, rows: Rows, parts: Sequence[Part]) -> Rows:
        """Return the targets of one picture that is made of others; see `makes_mosaics`.

        Args:
            rows: (parts, ...) the targets of each picture.
            parts: where each picture is in it; one or four.

        Returns:
            (...) of one shape for any number of parts.
        """
        raise NotImplementedError(f"in_mosaic of the task '{self.name}'")

    def allowed(self, config: AugmentConfig) -> AugmentConfig:
        """Return the part of an augmentation that keeps targets true; by default all of it."""
        return config

    def learner(self, model: Any) -> Any:
        """Return the model that is trained in a model's place, by default the model itself.

        It shares the model's weights. Its output begins with the model's numbers; what follows is
        for the loss and the metric, which take outputs with and without it.

        Args:
            model: from pictures to the network's output.
        """
        return model

    @abstractmethod
    def loss(self, settings: LossSettings) -> Any:
        """Return the Keras loss of outputs, of a model or its `learner`, against targets."""

    @abstractmethod
    def metric(self) -> Any:
        """Return the Keras metric of such outputs against targets, 0 to 1, named `accuracy`."""

    @property
    def has_teachers(self) -> bool:
        """Whether a network can also learn from the answers of another network."""
        return type(self).teacher_order is not TaughtTask.teacher_order

    def require_teachers(self) -> None:
        """Refuse a teacher where the task has none.

        Raises:
            UsageError: names the option.
        """
        if not self.has_teachers:
            raise UsageError(
                "--teacher", got=f"given for the task '{self.name}'", next_step="leave it out"
            )

    def teacher_order(self, run: Path, theirs: Said, ours: Said) -> list[int]:
        """Return the position of each logit of a student's output in its teacher's output.

        Tasks without this have no teachers; see `require_teachers`.

        Args:
            run: the teacher's run, for errors.
            theirs: what is said of the teacher's output.
            ours: the description of the student's output.

        Raises:
            UsageError: nothing can be learned from it.
        """
        self.require_teachers()
        raise NotImplementedError(f"teacher_order of the task '{self.name}'")

    def teacher_loss(self, answers: Any, outputs: Any) -> Any:
        """Return how far a learner's outputs are from a teacher's, a number for the batch.

        For tasks with `asks_each_batch`.

        Args:
            answers: the outputs of the teacher's `learner`.
            outputs: those of the student's, for the same pictures.
        """
        raise NotImplementedError(f"teacher_loss of the task '{self.name}'")

    def known_outputs(self, run: Path, theirs: Said, ours: Said) -> list[int | None]:
        """Return for each of our outputs its place in the outputs of another run, None if new.

        By default outputs are known by their labels; without labels all must be the same.

        Args:
            run: the other run, for errors.
            theirs: what is said of its outputs.
            ours: the description of our outputs.

        Raises:
            UsageError: nothing can be taken from it.
        """
        numbers = self.numbers(ours)
        if theirs.labels == ours.labels and self.numbers(theirs) == numbers:
            return list(range(numbers))
        by_label = self.numbers(theirs) == len(theirs.labels) and numbers == len(ours.labels)
        places = {label: place for place, label in enumerate(theirs.labels)}
        if not by_label or not any(label in places for label in ours.labels):
            raise UsageError(
                "--from",
                got=f"none of the outputs of {run} is one of the data",
                expected="a run with labels of the data",
            )
        return [places.get(label) for label in ours.labels]

    def folds(self, rows: Rows, said: Said, count: int) -> NDArray[np.int64] | None:
        """Return the fold, 0 to below `count`, of each picture, where pictures are few.

        None where there are enough, or the network's output is not a distribution over classes.
        """
        return None

    def balanced(self, rows: Rows, said: Said) -> Floats | None:
        """Return (n,) weights that make rare targets count as much as frequent ones.

        None if the task has no such weights.
        """
        return None


def move_points(points: NDArray[np.float64], motions: Motions) -> NDArray[np.float64]:
    """Return where points are after their pictures were moved.

    Args:
        points: (pictures, points, 2) x and y, measured from a picture's corner, so that the centre
            of the first pixel is (0.5, 0.5).
        motions: (pictures, 2, 3); they count from the centre of the first pixel.
    """
    moved = np.einsum("nij,npj->npi", motions[:, :, :2], points - 0.5)
    result: NDArray[np.float64] = moved + motions[:, None, :, 2] + 0.5
    return result
