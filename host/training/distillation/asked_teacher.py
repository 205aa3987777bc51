"""One stage of training in which a student also learns from a teacher that answers each batch.

Where targets move with their pictures, a teacher's answers do too: they cannot be kept from one
epoch to the next. So the teacher is asked about each batch as it is drawn, which takes its time.
Both networks see the same pictures at the same size, each with its own normalization, and the
answers are compared cell by cell (Chen et al. 2017, "Learning Efficient Object Detection Models
with Knowledge Distillation", without its hints).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats, Rows, TaughtTask
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, ImageSource, Inputs, normalize
from edgeinfer.host.training.distillation.teacher import TeacherConfig, read_teacher
from edgeinfer.host.training.fit import run_stage
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.kept_stage import KeptStage
from edgeinfer.host.training.network.load_network import load_network
from edgeinfer.host.training.optimizing.optimizers import make_optimizer


class AskedTeacher:
    """A trained run that answers pictures as a student's learner does, in the student's order.

    Args:
        config: the teacher.
        lesson: the student's.
        spec: how the student's pictures are prepared.

    Raises:
        UsageError: it has another task, other classes or other pictures, or is to be learned from
            in a way that the task does not know.
        ModelError: its run is missing or damaged.
    """

    def __init__(self, config: TeacherConfig, lesson: Lesson, spec: PreprocessSpec) -> None:
        trained = read_teacher(config, lesson)
        _require_cells_alone(config, lesson.task)
        _require_same_pictures(config, trained, spec)
        self.weight = config.weight
        self._order = lesson.task.teacher_order(config.run, trained.said, lesson.said)
        self._learner = lesson.task.learner(load_network(config.run, trained))
        self._learner.trainable = False
        self._table = normalize_table(trained.preprocess)

    def answers(self, pixels: NDArray[np.uint8]) -> Floats:
        """Return the output of the teacher's learner (n, cells, ...) for (n, H, W, C) pixels.

        Its last numbers are the classes' logits, in the student's order.
        """
        outputs: Floats = self._learner.predict_on_batch(normalize(pixels, self._table))
        first = outputs.shape[-1] - len(self._order)
        places = [*range(first), *(first + place for place in self._order)]
        return outputs[..., places]


def fit_asking(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    teacher: AskedTeacher,
    *,
    stage: str,
    history: History,
    progress: Progress,
    kept: KeptStage | None = None,
) -> None:
    """Train as `fit` does, from the boxes and from what the teacher says of the same batch.

    In the history `loss` is the mixed loss; `val_loss` is the student's alone, as without a
    teacher, so training stops by the same rule.

    Args:
        model: the learner of a network, see `TaughtTask.learner`.
        train: shuffled batches of an `ImageSource`.
        validation: batches in order.
        config: the settings.
        teacher: answers.
        stage: names the epochs in the history.
        history: gets every epoch as it ends.
        progress: reports every step.
        kept: the stage's checkpoints; None keeps none.

    Raises:
        TrainingError: the loss became infinite or NaN.
        StorageError: the history or a checkpoint cannot be written.
    """
    task, cells = train.lesson.task, model.output.shape[1:]
    given = keras.Input(cells, name="teacher")
    both = keras.Model([model.input, given], ops.concatenate([model.output, given], axis=1))
    both.compile(
        optimizer=make_optimizer(config),
        loss=_Mixed(task, task.loss(config.loss_settings), teacher.weight),
        metrics=[_own_metric(task.metric())],
    )
    assert isinstance(train.source, ImageSource)
    run_stage(
        both,
        replace(train, source=_AnsweredPictures(train.source, teacher)),
        replace(validation, extra=(_Silent(cells),)),
        config,
        stage=stage,
        history=history,
        progress=progress,
        kept=kept,
    )


@dataclass(frozen=True)
class _AnsweredPictures:
    """Pictures with the teacher's answers to exactly these variants."""

    pictures: ImageSource
    teacher: AskedTeacher

    @property
    def rows(self) -> Rows:
        """(N, ...) target of each picture, in its task's form."""
        return self.pictures.rows

    def read(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[Inputs, Rows]:
        """Return (n, H, W, C) float32, the answers (n, cells, ...), and the targets' rows."""
        pixels, rows = self.pictures.variants(indices, generator)
        inputs = normalize(pixels, self.pictures.table)
        return (inputs, self.teacher.answers(pixels)), rows


class _Silent:
    """Replaces answers in validation, which only looks at the student."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return zeros (n, ...), which no teacher answers: a cell's centre is not at 0."""
        return np.zeros((len(indices), *self._shape), np.float32)


class _Mixed(keras.losses.Loss):  # type: ignore[misc]
    """The student's loss against the targets and, where a teacher answers, against its answers."""

    def __init__(self, task: TaughtTask, plain: Any, weight: float) -> None:
        super().__init__(name="with_teacher")
        self._task, self._plain, self._weight = task, plain, weight

    def call(self, targets: Any, outputs: Any) -> Any:
        """Return one number a picture."""
        own, theirs = ops.split(outputs, 2, axis=1)
        share = self._weight * ops.cast(ops.any(theirs != 0.0), "float32")
        plain = self._plain.call(targets, own)
        return (1.0 - share) * plain + share * self._task.teacher_loss(theirs, own)


def _own_metric(metric: Any) -> Any:
    """Return a metric that leaves the teacher's answers out."""

    class Own(type(metric)):  # type: ignore[misc]
        """Looks at the first half of the cells, which are the student's."""

        def update_state(self, targets: Any, outputs: Any, sample_weight: Any = None) -> Any:
            """Take a batch."""
            own = ops.split(ops.convert_to_tensor(outputs), 2, axis=1)[0]
            return super().update_state(targets, own, sample_weight)

    return Own(name=metric.name)


def _require_cells_alone(config: TeacherConfig, task: TaughtTask) -> None:
    """Refuse what belongs to classes."""
    given = {
        "--teacher-features": config.features,
        "--temperature": config.temperature is not None,
    }
    for option, there in given.items():
        if there:
            raise UsageError(
                option, got=f"given for the task '{task.name}'", next_step="leave it out"
            )


def _require_same_pictures(
    config: TeacherConfig, trained: TrainedModel, spec: PreprocessSpec
) -> None:
    """Refuse a teacher whose cells are not those of the student."""
    theirs = replace(trained.preprocess, mean=spec.mean, std=spec.std)
    if theirs == spec:
        return
    width, height = trained.preprocess.size
    if trained.preprocess.size != spec.size:
        raise UsageError(
            config.run,
            got=f"the teacher sees pictures of {width}x{height} pixels",
            expected=f"{spec.size[0]}x{spec.size[1]}, as the student: answers are compared cell by "
            "cell",
            next_step=f"give the student --size {width}x{height}, or take another teacher",
        )
    raise UsageError(
        config.run,
        got="the teacher's pictures are prepared in another way than the student's",
        expected="the same channels, --crop and --region",
        next_step="train one of them with the settings of the other",
    )
