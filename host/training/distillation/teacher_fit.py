"""Which training a teacher takes: its answers are kept, or it is asked about each batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.distillation.teacher import TeacherConfig, ask_teacher
from edgeinfer.host.training.keeping.kept_stage import KeptFit


def teacher_fit(
    teacher: TeacherConfig,
    samples: Sequence[Sample],
    lesson: Lesson,
    spec: PreprocessSpec,
    *,
    cache: Path,
    mirrored: bool,
    progress: Progress,
) -> KeptFit:
    """Return the function that trains a stage from the labels and from a teacher.

    Args:
        teacher: the teacher.
        samples: the student's training samples.
        lesson: the student's.
        spec: how the student's pictures are prepared.
        cache: a folder for answers that are kept.
        mirrored: whether a mirrored picture is as valid as the original.
        progress: reports what the teacher is asked before the training.

    Raises:
        UsageError, ModelError, DataError, StorageError: as `ask_teacher` and `AskedTeacher` say.
    """
    if lesson.task.asks_each_batch:
        from edgeinfer.host.training.distillation.asked_teacher import AskedTeacher, fit_asking

        return partial(fit_asking, teacher=AskedTeacher(teacher, lesson, spec))
    from edgeinfer.host.training.distillation.distillation import fit_with_teacher

    answers = ask_teacher(
        teacher, samples, lesson, cache=cache, mirrored=mirrored, progress=progress
    )
    return partial(fit_with_teacher, teacher=teacher, answers=answers)
