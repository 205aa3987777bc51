"""The teaching side of tasks by their names; see `edgeinfer.device.tasks.registry`."""

from __future__ import annotations

import functools
from importlib import import_module

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tasks.registry import UnknownTaskError, named_object
from edgeinfer.host.tasks.task import TaughtTask

GROUP = "edgeinfer.tasks.host"
OWN = ("classification",)


@functools.cache
def find_taught(name: str) -> TaughtTask:
    """Return what teaches the task of that name.

    Raises:
        ModelError: nothing that is installed does.

    >>> find_taught("classification").name
    'classification'
    """
    if name in OWN:
        task = import_module(f"{__package__}.{name}.task").TASK
    else:
        try:
            task = named_object(GROUP, name)
        except UnknownTaskError as error:
            raise ModelError(
                f"task '{name}'",
                got="nothing that is installed here trains it",
                expected=f"one of {', '.join(OWN)}",
                next_step=f"install the package that brings it by an entry point {GROUP}",
            ) from error
    assert isinstance(task, TaughtTask)
    return task
