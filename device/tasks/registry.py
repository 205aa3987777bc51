"""Tasks by their names: those of edgeinfer, and those of other packages.

A package brings a task by an entry point of the group `edgeinfer.tasks`: its name, and the `Task`
object. A name in a file is looked up among them, and never imported.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib import import_module

from edgeinfer.device.core.installation.entry_points import load_entry_point
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Decode, Said, Task

GROUP = "edgeinfer.tasks"
OWN = ("classification", "value", "detection", "segmentation", "pose", "embedding")
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
    if name in OWN:
        task = import_module(f"{__package__}.{name}.task").TASK
    else:
        task = named_object(GROUP, name)
    if not isinstance(task, Task) or task.name != name:
        raise UnknownTaskError(f"what is installed as task '{name}' is no task of that name")
    return task


def named_object(group: str, name: str) -> object:
    """Return what an installed package brings under a name by an entry point.

    Raises:
        UnknownTaskError: none does.
    """
    found = load_entry_point(group, name)
    if found is not None:
        return found
    raise UnknownTaskError(
        f"task is '{name}', expected one of {', '.join(OWN)}, or one that an installed package "
        f"brings by an entry point {group}"
    )


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
    return task.make_decode(said, outputs, preprocess)
