"""Converters for accelerators by their names; see `device.accelerators.registry`."""

from __future__ import annotations

import functools
from importlib import import_module

from edgeinfer.converters.targets.target import Target
from edgeinfer.device.accelerators.registry import load_accelerator
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.core.installation.entry_points import entry_point_names

GROUP = "edgeinfer.accelerators.converters"
OWN = ("ethos-u", "edgetpu", "vx", "gpu")
"""In the order in which variants are made."""


def target_names() -> list[str]:
    """Return the names of all accelerators that variants are made for, in that order."""
    return [*OWN, *sorted(entry_point_names(GROUP) - {*OWN})]


@functools.cache
def find_target(name: str) -> Target:
    """Return the object that makes variants for the accelerator of that name.

    Raises:
        DelegateError: nothing installed does.

    >>> find_target("ethos-u").configurations
    ('ethos-u65-256', 'ethos-u55-128')
    """
    if name in OWN:
        found = import_module(f"{__package__}.{name.replace('-', '_')}").TARGET
    else:
        found = load_accelerator(GROUP, name, Target)
    if not isinstance(found, Target):
        raise DelegateError(
            f"the accelerator '{name}'",
            got="nothing that is installed here converts models for it",
            expected=f"one of {', '.join(OWN)}",
            next_step=f"install the package that provides it by an entry point {GROUP}",
        )
    return found
