"""Accelerators are looked up by name, and are entry points as well."""

from __future__ import annotations

from importlib import metadata

import pytest

from edgeinfer.boards.profile import ACCELERATORS, is_accelerator
from edgeinfer.device.accelerators.registry import (
    GROUP,
    OWN,
    accelerators,
    compiled_by,
    find_accelerator,
    named_accelerator,
)
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.diagnose.doctor.look import Look, look_of


def test_each_of_our_accelerators_is_found_and_is_an_entry_point() -> None:
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    assert {*entries} == {*OWN}
    assert [found.name for found in accelerators()] == [*OWN]
    for name in OWN:
        assert entries[name].load() is find_accelerator(name)


def test_boards_name_all_but_those_of_no_board() -> None:
    boardless = {found.name for found in accelerators() if found.boardless}
    assert {*ACCELERATORS[1:]} == {*OWN} - boardless == {n for n in OWN if is_accelerator(n)}


@pytest.mark.parametrize("name", ["loom", "", "os", "edgeinfer.device.accelerators.vx", "../vx"])
def test_what_nobody_brings_is_unknown(name: str) -> None:
    assert find_accelerator(name) is None
    assert not is_accelerator(name)
    with pytest.raises(DelegateError, match="is not installed, expected one of edgetpu"):
        named_accelerator(name)


def test_compilers_operators_belong_to_one_accelerator() -> None:
    names = {
        op: found and found.name
        for op in ("edgetpu-custom-op", "ethos-u", "", "mine")
        for found in [compiled_by(op)]
    }
    assert names == {"edgetpu-custom-op": "edgetpu", "ethos-u": "ethos-u", "": None, "mine": None}


def test_the_doctor_has_its_own_look_only_for_the_edge_tpu() -> None:
    usual = [name for name in OWN if type(look_of(named_accelerator(name))) is Look]
    assert usual == ["ethos-u", "vx", "gpu"]
