"""Accelerators by their names: those of edgeinfer, and those of other packages.

A package brings an accelerator by an entry point of the group `edgeinfer.accelerators`: its name,
and the `Accelerator` object. A name in a file is looked up among them, and never imported.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar, cast

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import OpMapping, compiled_ops, ops_json
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.core.installation.entry_points import (
    PluginError,
    entry_point_names,
    load_plugin,
)

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel

T = TypeVar("T")

GROUP = "edgeinfer.accelerators"
OWN = ("edgetpu", "ethos-u", "vx", "gpu")
"""In the order in which `run` prefers them, before those of others. They are entry points as well;
but looking through all that is installed takes longer than loading a model does."""

NO_ACCELERATOR = "the board has no accelerator"


@functools.cache
def find_accelerator(name: str) -> Accelerator | None:
    """Return the accelerator of that name; None where nothing that is installed brings one.

    Raises:
        DelegateError: what is installed under that name is not an accelerator, or cannot be
            imported.

    >>> find_accelerator("edgetpu").device
    'an Edge TPU'
    """
    if name not in OWN:
        # An abstract class stands for its subclasses.
        return load_accelerator(GROUP, name, Accelerator)  # type: ignore[type-abstract]
    module = import_module(f"{__package__}.{name.replace('-', '_')}.accelerator")
    return cast("Accelerator", module.ACCELERATOR)


def load_accelerator(group: str, name: str, kind: type[T]) -> T | None:
    """Return what an installed package brings for an accelerator; None where none does.

    Args:
        group: of entry points.
        name: the accelerator's.
        kind: what is expected.

    Raises:
        DelegateError: it is something else, or cannot be imported.
    """
    try:
        return load_plugin(group, name, kind)
    except PluginError as error:
        raise _broken(name, str(error)) from error


def accelerator_names() -> Iterator[str]:
    """Give the name of every accelerator, edgeinfer's own first; others are looked for later."""
    yield from OWN
    yield from sorted(entry_point_names(GROUP) - {*OWN})


def accelerators() -> Iterator[Accelerator]:
    """Give every accelerator in that order, except what is installed as one and is not one."""
    for name in accelerator_names():
        found = None
        with suppress(DelegateError):
            found = find_accelerator(name)
        if found is not None:
            yield found


def named_accelerator(name: str) -> Accelerator:
    """Return the accelerator that a board's profile names.

    Raises:
        DelegateError: there is none of that name, or what is installed as it is something else.
    """
    found = find_accelerator(name)
    if found is None:
        raise _broken(name, "is not installed")
    return found


@functools.cache
def compiled_by(op: str) -> Accelerator | None:
    """Return the accelerator whose compiler puts this custom operator into models, if any."""
    return next((found for found in accelerators() if op and found.op == op), None)


def compiled_for(model: TfliteModel) -> Accelerator | None:
    """Return the accelerator without which a model cannot run; None for the CPU's."""
    found = (compiled_by(op) for op in model.custom_ops)
    return next((accelerator for accelerator in found if accelerator is not None), None)


def map_for(name: str, model: TfliteModel) -> OpMapping:
    """Return where each operator of a model runs.

    Args:
        name: the accelerator's; empty for a board without one.
        model: the model.
    """
    if name:
        return named_accelerator(name).map_model(model)
    return OpMapping(ops=compiled_ops(model, None, "", reason="", left=NO_ACCELERATOR))


def answer_lines(name: str, model: TfliteModel) -> list[str]:
    """Return for people where each operator runs."""
    if name:
        return named_accelerator(name).lines(model)
    return [f"all operators run on the CPU: {NO_ACCELERATOR}"]


def answer_json(name: str, model: TfliteModel) -> dict[str, object]:
    """Return for scripts where each operator runs."""
    if name:
        return named_accelerator(name).to_json(model)
    mapping = map_for(name, model)
    return {"mapped": 0, "total": len(mapping.ops), "ops": ops_json(mapping)}


def _broken(name: str, got: str) -> DelegateError:
    return DelegateError(
        f"the accelerator '{name}'",
        got=got,
        expected=f"one of {', '.join(OWN)}, or one that a package brings by an entry point {GROUP}",
        next_step="install the package that brings it, or repair it",
    )
