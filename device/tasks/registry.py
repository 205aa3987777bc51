"""Tasks by their names: those of edgeinfer, and those of other packages.

A package brings a task by an entry point of the group `edgeinfer.tasks`: its name, and the `Task`
object. A name in a file is looked up among them, and never imported.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import TypeVar, cast

from edgeinfer.device.core.errors import did_you_mean
from edgeinfer.device.core.installation.entry_points import PluginError, load_plugin
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.task import Decode, Said, Task

T = TypeVar("T")

GROUP = "edgeinfer.tasks"
OWN = (
    "classification",
    "multilabel",
    "value",
    "detection",
    "points",
    "segmentation",
    "pose",
    "embedding",
    "picture",
)
"""They are entry points as well; but looking through all that is installed takes longer than
loading a model does."""


class UnknownTaskError(ValueError):
    """No package that is installed reads this task."""


@functools.cache
def find_task(name: str) -> Task:
    """Return the task of that name.

    Raises:
        UnknownTaskError: nothing that is installed has one.

    >>> find_task("value").name
    'value'
    """
    # An abstract class stands for its subclasses.
    return find_object(GROUP, __package__, OWN, name, Task)  # type: ignore[type-abstract]


GUESSED = (
    *("detection", "pose", "picture", "segmentation", "embedding", "classification"),
    *("multilabel", "value"),
)
"""The order in which a plain model is held against the tasks: those with the most telling outputs
first."""


def guess_task(shown: Shown, wanted: str | None = None) -> Guess | None:
    """Return how a plain model is to be read; None where no task fits.

    Args:
        shown: what the model shows of itself.
        wanted: the task that the user names; None tries all of edgeinfer's own.

    Raises:
        UnknownTaskError: nothing that is installed has the wanted task.
        AmbiguousError: the outputs may be two things; the user has to say which.
    """
    if wanted is not None:
        return find_task(wanted).guess(replace(shown, wanted=True))
    for name in GUESSED:
        guess = find_task(name).guess(shown)
        if guess is not None:
            return replace(guess, reason="") if shown.said or shown.export else guess
    return None


def find_object(group: str, package: str, own: tuple[str, ...], name: str, kind: type[T]) -> T:
    """Return one package's side of a task.

    Args:
        group: of entry points.
        package: which has the tasks that are edgeinfer's own, each in a module `NAME.task`.
        own: their names.
        name: the task's.
        kind: what is expected.

    Raises:
        UnknownTaskError: nothing that is installed has one, or what has is broken.
    """
    if name in own:
        return cast("T", import_module(f"{package}.{name}.task").TASK)
    try:
        found = load_plugin(group, name, kind)
    except PluginError as error:
        raise UnknownTaskError(f"task is '{name}', and {error}") from error
    if found is None:
        meant = did_you_mean(name, own)
        raise UnknownTaskError(
            f"task is '{name}', expected one of {', '.join(own)}, or one that an installed package "
            f"brings by an entry point {group}{f' ({meant})' if meant else ''}"
        )
    return found


def make_decode(
    name: str, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
) -> Decode:
    """Return what turns a model's outputs into predictions of a task.

    Args:
        name: the task's.
        said: how the outputs are to be read.
        outputs: their specs, in the order in which the runtime gives them.
        preprocess: how frames became the input: the way back into the frame.

    Raises:
        ValueError: the task is not known, or the outputs are not those that it asks for.
    """
    task = find_task(name)
    task.check(said)
    task.check_outputs(said, outputs)
    task.check_image(said, outputs, preprocess.size)
    return task.make_decode(said, outputs, preprocess)
