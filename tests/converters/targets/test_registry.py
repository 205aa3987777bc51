"""What variants are made for is looked up by name, and is an entry point as well."""

from __future__ import annotations

from importlib import metadata

import pytest

from edgeinfer.converters.targets.registry import GROUP, OWN, find_target, target_names
from edgeinfer.device.accelerators.registry import OWN as ACCELERATORS
from edgeinfer.device.accelerators.registry import find_accelerator
from edgeinfer.device.core.errors import DelegateError


def test_every_accelerator_of_edgeinfer_has_a_target_that_is_an_entry_point() -> None:
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    assert {*entries} == {*OWN} == {*target_names()} == {*ACCELERATORS}
    for name in OWN:
        assert entries[name].load() is find_target(name)
        assert find_target(name).accelerator is find_accelerator(name)


@pytest.mark.parametrize("name", ["loom", "", "os"])
def test_a_target_that_nobody_provides_is_unknown(name: str) -> None:
    with pytest.raises(DelegateError, match="nothing that is installed here converts"):
        find_target(name)
