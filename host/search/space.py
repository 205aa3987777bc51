"""Which candidates there are for a run, and which are tried first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from edgeinfer.boards import BoardProfile
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.converters.targets.targets import chosen_targets
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.host.models import ARCHITECTURES, Initializer
from edgeinfer.host.search.candidate import Candidate, SearchPrecision
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.config import TrainConfig, default_config, run_config
from edgeinfer.host.training.pruning.config import PruneConfig

_SMALLEST_SIDE = 16
_LARGEST_STUDENT_SIDE = 160
"""From scratch, more pixels cost much and help little with a few thousand pictures."""

_MOBILENET_SIDE = 64

_KEEP = (0.15, 1.0, 0.05)
_WIDTH = (0.25, 1.25, 0.125)
"""Lowest, highest, step."""


class Suggester(Protocol):
    """The interface of a sampler; an `optuna.Trial` has it."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Choose one of a few."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Choose a whole number, both ends included."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float) -> float:
        """Choose one of the numbers from `low` to `high`."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """The candidates for one run.

    Attributes:
        base: settings that the run was trained with.
        size: (width, height) of its input.
        students: architectures to train from scratch.
        precisions: further precisions for the run's model.
        task: the name of its task.
    """

    base: TrainConfig
    size: tuple[int, int]
    students: tuple[str, ...]
    precisions: tuple[SearchPrecision, ...]
    task: str = "classification"

    def suggest(self, ask: Suggester) -> Candidate:
        """Return the candidate that a sampler chooses."""
        kind = ask.suggest_categorical("kind", ["pruned", "student"])
        if kind == "student":
            sides = self._sizes(student=True)
            size = sides[ask.suggest_int("student.fewer-pixels", 0, len(sides) - 1)]
            return Candidate(
                kind="student",
                architecture=ask.suggest_categorical("student.architecture", list(self.students)),
                width=round(ask.suggest_float("student.width", *_WIDTH[:2], step=_WIDTH[2]), 3),
                size=size,
                teacher=self._teacher(ask, "student", size),
            )
        sides = self._sizes(student=False)
        size = sides[ask.suggest_int("pruned.fewer-pixels", 0, len(sides) - 1)]
        return Candidate(
            kind="pruned",
            keep_cost=round(ask.suggest_float("pruned.keep", *_KEEP[:2], step=_KEEP[2]), 3),
            importance=ask.suggest_categorical("pruned.importance", ["taylor", "l1"]),
            size=size,
            teacher=self._teacher(ask, "pruned", size),
        )

    def parameters(self, candidate: Candidate) -> dict[str, Any]:
        """Return the choices with which `suggest` gives this candidate."""
        sides = self._sizes(student=candidate.kind == "student")
        kind = candidate.kind
        shared: dict[str, Any] = {
            "kind": kind,
            f"{kind}.fewer-pixels": sides.index(candidate.size),
        }
        if self._has_teacher(candidate.size):
            shared[f"{kind}.teacher"] = candidate.teacher
        if kind == "student":
            own = {"architecture": candidate.architecture, "width": candidate.width}
        else:
            own = {"keep": candidate.keep_cost, "importance": candidate.importance}
        return {**shared, **{f"{kind}.{name}": value for name, value in own.items()}}

    def plain(self) -> tuple[Candidate, ...]:
        """Return the run's model as it is, in each precision."""
        return tuple(
            Candidate(kind="plain", size=self.size, precision=precision)
            for precision in self.precisions
        )

    def first(self) -> tuple[Candidate, ...]:
        """Return the candidates to try before a sampler has anything to learn from.

        A search that ends after a few of them has tried each idea once: half of the arithmetic, a
        small network, a third of the arithmetic, a very small network, fewer pixels.

        A run from scratch is not a teacher at first: what it learned from a few thousand pictures
        limits the others (ResNet8 on 6,300 pictures, 70 % of the arithmetic: 85.0 % with its
        answers, 88.0 % without, itself 87.1 %). One that began with ImageNet's weights does.
        """
        sides, small = self._sizes(student=False), self._sizes(student=True)
        teacher = self.base.pretrained
        pruned: dict[str, Any] = {"kind": "pruned", "importance": "taylor", "teacher": teacher}
        student: dict[str, Any] = {"kind": "student", "size": small[0], "teacher": teacher}
        similar = self.base.architecture if self.base.architecture in self.students else "small-cnn"
        # On small pictures MobileNet keeps their resolution, which makes it slow.
        other: dict[str, Any] = {"architecture": "mobilenet", "width": 0.25}
        if min(small[0]) < _MOBILENET_SIDE:
            other = {"architecture": "small-cnn" if similar != "small-cnn" else "resnet8"}
        chosen = [
            Candidate(**pruned, size=sides[0], keep_cost=0.5),
            Candidate(**student, architecture=similar, width=0.5),
            Candidate(**pruned, size=sides[0], keep_cost=0.3),
            Candidate(**{"width": 0.5, **student, **other}),
            Candidate(**pruned, size=sides[min(1, len(sides) - 1)], keep_cost=0.5),
            Candidate(**student, architecture="small-cnn", width=0.25),
            Candidate(**pruned, size=sides[0], keep_cost=0.7),
        ]
        fitting = (
            replace(one, teacher=one.teacher and self._has_teacher(one.size)) for one in chosen
        )
        return tuple(dict.fromkeys(fitting))

    def _has_teacher(self, size: tuple[int, int]) -> bool:
        """Return whether the run can be the teacher of a candidate of a size."""
        task = find_taught(self.task)
        return task.has_teachers and (size == self.size or not task.asks_each_batch)

    def _teacher(self, ask: Suggester, kind: str, size: tuple[int, int]) -> bool:
        """Let a sampler choose whether there is a teacher, where there can be one."""
        if not self._has_teacher(size):
            return False
        return bool(ask.suggest_categorical(f"{kind}.teacher", [True, False]))

    def _sizes(self, *, student: bool) -> list[tuple[int, int]]:
        """Return the input sizes, the largest first, of the run's own aspect ratio."""
        short, task = min(self.size), find_taught(self.task)
        step = 32 if short >= 128 else 16 if short >= 64 else 4
        lowest = min(short, max(_SMALLEST_SIDE, short * (0.4 if student else 0.5)))
        sides = [short - step * count for count in range(9) if short - step * count >= lowest]
        # Where answers are places, fewer pixels hide small things.
        if student and sides[-1] <= _LARGEST_STUDENT_SIDE and not find_task(self.task).has_places:
            sides = [side for side in sides if side <= _LARGEST_STUDENT_SIDE]
        width, height = self.size
        sizes = [(round(width * side / short), round(height * side / short)) for side in sides]
        return [size for size in sizes if task.fits_size(size)]


def space_of(trained: TrainedModel, board: BoardProfile | None) -> Space:
    """Return the candidates for a run on a board; None means any board's CPU.

    Boards with an Edge TPU or an NPU only take models that are integer from input to output.
    """
    task = find_taught(trained.task)
    integer = not chosen_targets(board=None if board is None else board.name).floats_allowed
    return Space(
        base=run_config(trained),
        size=trained.preprocess.size,
        students=tuple(
            name
            for name, info in ARCHITECTURES.items()
            if info.scalable and task.fits_network(info)
        ),
        precisions=("int8",) if integer else ("int8", "dynamic"),
        task=trained.task,
    )


def student_config(
    base: TrainConfig,
    candidate: Candidate,
    *,
    epochs: int,
    seed: int,
    task: str = "classification",
) -> TrainConfig:
    """Return the settings to train a student with: the run's own if it was trained from scratch."""
    scratch: dict[str, Any] = {}
    if not base.pretrained:
        names = ("optimizer", "learning_rate", "momentum", "weight_decay", "schedule", "batch_size")
        scratch = {name: getattr(base, name) for name in (*names, "warmup_epochs", "dropout")}
    initializer: Initializer = "he" if base.pretrained else base.initializer
    return default_config(
        candidate.architecture,
        **scratch,
        task=task,
        initializer=initializer,
        size=candidate.size,
        width=candidate.width,
        channels=base.channels,
        crop=base.crop,
        region=base.region,
        augment=base.augment,
        loss=base.loss,
        label_smoothing=base.label_smoothing,
        class_weights=base.class_weights,
        epochs=epochs,
        patience=max(3, epochs // 2),
        seed=seed,
    )


def prune_config(base: TrainConfig, candidate: Candidate, *, epochs: int, seed: int) -> PruneConfig:
    """Return the settings to prune a run with.

    Args:
        base: the run's settings.
        candidate: the candidate.
        epochs: of training in all, after the cuts.
        seed: of order, augmentation and scores.
    """
    # One cut if there is no time to train between cuts, or nothing to cut.
    steps = 3 if epochs >= 4 and candidate.keep_cost < 1 else 1
    last = epochs - steps + 1
    # ImageNet's weights need small steps; weights from scratch were trained in large ones.
    own: dict[str, Any] = {}
    if not base.pretrained:
        own = {"learning_rate": 1e-3, "dropout": base.dropout, "batch_size": base.batch_size}
    return PruneConfig(
        keep_cost=candidate.keep_cost,
        importance=candidate.importance,
        steps=steps,
        step_epochs=1,
        epochs=last,
        patience=max(2, last // 2),
        size=candidate.size,
        seed=seed,
        **own,
    )


def full_epochs(base: TrainConfig, candidate: Candidate) -> int:
    """Return how many epochs a candidate gets without a time limit."""
    if candidate.kind == "plain":
        return 0
    if candidate.kind == "student":
        # Small networks can train longer before they overfit.
        return 40 if base.pretrained else 2 * base.epochs
    # A pruned network already knows most of what it needs.
    return 6 if base.pretrained else max(4, base.epochs)
