"""What measures and what trains a task is looked up by its name, or reported as missing."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

import pytest

from edgeinfer.converters.tasks import registry as converters
from edgeinfer.converters.tasks.registry import find_compared, find_measured
from edgeinfer.device.core.errors import ModelError
from edgeinfer.host.tasks import registry as host
from edgeinfer.host.tasks.registry import find_data_task, find_taught

FINDERS = [
    pytest.param(find_compared, converters.GROUP, converters.OWN, id="compared"),
    pytest.param(find_measured, converters.GROUP, converters.MEASURED, id="measured"),
    pytest.param(find_data_task, host.GROUP, host.OWN, id="data"),
    pytest.param(find_taught, host.GROUP, host.OWN, id="trained"),
]


@pytest.mark.parametrize(
    ("find", "group", "own"),
    [
        pytest.param(find_compared, converters.GROUP, converters.OWN, id="converters"),
        pytest.param(find_data_task, host.GROUP, host.OWN, id="host"),
    ],
)
def test_every_task_of_edgeinfer_is_an_entry_point(
    find: Callable[[str], object], group: str, own: tuple[str, ...]
) -> None:
    entries = {entry.name: entry for entry in metadata.entry_points(group=group)}
    assert {*own} == {*entries}
    assert all(entries[name].load() is find(name) for name in own)


@pytest.mark.parametrize(("find", "group", "own"), FINDERS)
@pytest.mark.parametrize("name", ["tracking", "flight", "../classification"])
def test_a_task_that_nobody_provides_is_an_error_that_says_how_to_add_it(
    find: Callable[[str], object], group: str, own: tuple[str, ...], name: str
) -> None:
    with pytest.raises(ModelError) as caught:
        find(name)
    names = ", ".join(own)
    assert f"task is '{name}', expected one of {names}, or one that an" in str(caught.value)
    assert f"install the package that provides it by an entry point {group}, or" in str(
        caught.value
    )


def test_a_task_that_is_only_compared_is_not_measured_on_targets() -> None:
    assert find_compared("pose").name == "pose"
    with pytest.raises(ModelError, match=r"task is 'pose', and the entry point .* is not a Measur"):
        find_measured("pose")
