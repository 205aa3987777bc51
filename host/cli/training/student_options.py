"""The options of `edgeinfer train` for students, for teachers, and to start from a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.host.training.distillation.teacher import TeacherConfig


def like_student(
    board: str, architecture: str | None, settings: dict[str, Any], *, grey_28: bool
) -> str:
    """Fill in what suits a board where the user chose nothing; return the architecture."""
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.host.models import ARCHITECTURES
    from edgeinfer.host.models.students import suited_student

    chosen = suited_student(named_board(board, f"--student {board}"))
    if architecture not in (None, chosen.architecture):
        raise UsageError(
            "--student and --architecture",
            got=f"are {chosen.architecture} for {board}, and {architecture}",
            expected="only one of the two",
        )
    if grey_28 and ARCHITECTURES[chosen.architecture].pretrained:
        raise UsageError(
            f"--student {board}",
            got=f"is {chosen.architecture}, which is made for photos",
            expected="a network that starts from random weights, for small grey pictures",
            next_step="leave --student out, or choose a network with --architecture",
        )
    for name, value in chosen.overrides().items():
        if settings.get(name) is None and not (grey_28 and name == "size"):
            settings[name] = value
    return chosen.architecture


def like_run(run: Path, architecture: str | None, settings: dict[str, Any]) -> str:
    """Fill in what a run to start from has where the user chose nothing; return the architecture.

    Raises:
        ModelError: it is not a run, or damaged.
    """
    from edgeinfer.host.training.network.start import start_settings

    chosen = start_settings(run)
    for name, value in chosen.items():
        if settings.get(name) is None and name != "architecture":
            settings[name] = value
    return architecture or str(chosen["architecture"])


def chosen_teacher(
    run: Path | None, weight: float | None, temperature: float | None, *, features: bool
) -> TeacherConfig | None:
    """Return the teacher, if there is one; its options are refused without it."""
    from edgeinfer.host.training.distillation.teacher import TeacherConfig

    given = {"weight": weight, "temperature": temperature, "features": features or None}
    settings: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if run is not None:
        return TeacherConfig(run=run, **settings)
    if settings:
        names = {"weight": "--teacher-weight", "features": "--teacher-features"}
        option = next(iter(settings))
        raise UsageError(
            names.get(option, f"--{option}"),
            got="is given without a teacher",
            expected="--teacher RUN with it",
        )
    return None


def list_students(context: click.Context) -> None:
    """Print the student of each board, and end the command."""
    from edgeinfer.boards import load_profile, profile_names
    from edgeinfer.host.models.students import STUDENTS, suited_student

    boards: dict[str, list[str]] = {}
    for name in profile_names():
        boards.setdefault(suited_student(load_profile(name)).name, []).append(name)
    for student in STUDENTS:
        width = f", width {student.width:g}" if student.width != 1.0 else ""
        say(f"{student.architecture}, {student.size} pixels{width}: {student.reason}")
        say(f"  {', '.join(boards.get(student.name, []))}")
    context.exit()
