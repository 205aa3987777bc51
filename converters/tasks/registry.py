"""The evaluation side of tasks by their names; see `edgeinfer.device.tasks.registry`."""

from __future__ import annotations

import functools
from typing import TypeVar

from edgeinfer.converters.tasks.task import ComparedTask, MeasuredTask
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tasks.registry import UnknownTaskError, find_object

T = TypeVar("T")

GROUP = "edgeinfer.tasks.converters"
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
MEASURED = ("classification", "multilabel", "value", "detection", "points")
"""Those of them that have a `MeasuredTask`."""


@functools.cache
def find_compared(name: str) -> ComparedTask:
    """Return the object that scores answers of the task of that name.

    Raises:
        ModelError: nothing installed does.

    >>> find_compared("detection").counted
    'objects found again (F1)'
    """
    # An abstract class stands for its subclasses.
    return require_object(GROUP, __package__, OWN, name, ComparedTask)  # type: ignore[type-abstract]


@functools.cache
def find_measured(name: str) -> MeasuredTask:
    """Return the object that measures the task of that name, on pictures with targets.

    Raises:
        ModelError: nothing installed does.

    >>> find_measured("classification").score_name
    'top-1'
    """
    return require_object(GROUP, __package__, MEASURED, name, MeasuredTask)  # type: ignore[type-abstract]


def require_object(group: str, package: str, own: tuple[str, ...], name: str, kind: type[T]) -> T:
    """Return one package's side of a task; see `device.tasks.registry.find_object`.

    Raises:
        ModelError: nothing installed has one, or the one that is installed is broken.
    """
    try:
        return find_object(group, package, own, name, kind)
    except UnknownTaskError as error:
        raise ModelError(
            "the model",
            got=str(error),
            next_step=f"install the package that provides it by an entry point {group}, or fix it",
        ) from error
