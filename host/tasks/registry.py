"""The training side of tasks by their names; see `edgeinfer.device.tasks.registry`."""

from __future__ import annotations

import functools

from edgeinfer.converters.tasks.registry import require_object
from edgeinfer.host.tasks.data_task import DataTask
from edgeinfer.host.tasks.task import TaughtTask

GROUP = "edgeinfer.tasks.host"
OWN = ("classification", "multilabel", "value", "detection", "points")


@functools.cache
def find_data_task(name: str) -> DataTask:
    """Return the object that reads the data of the task of that name.

    Raises:
        ModelError: nothing installed does.

    >>> find_data_task("detection").name
    'detection'
    """
    # An abstract class stands for its subclasses.
    return require_object(GROUP, __package__, OWN, name, DataTask)  # type: ignore[type-abstract]


@functools.cache
def find_taught(name: str) -> TaughtTask:
    """Return the object that trains the task of that name.

    Raises:
        ModelError: nothing installed does.

    >>> find_taught("classification").name
    'classification'
    """
    # An abstract class stands for its subclasses.
    return require_object(GROUP, __package__, OWN, name, TaughtTask)  # type: ignore[type-abstract]
