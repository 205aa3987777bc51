"""Which tests stay together when several processes run them, and which begin.

A module's tests stay in one process: they share what its fixtures make. So do those of a folder in
`TOGETHER`, whose modules share one thing. Those that take long begin, so that no process is left
with one at the end; but those that import TensorFlow come after the others, for tflite-runtime
clashes with it in one process.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = frozenset({"tests/system/virtual_pi"})
WITH_TENSORFLOW = ("tests/compatibility/", "tests/converters/", "tests/host/")


class _ModuleScheduling(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    module = PurePosixPath(nodeid.partition("::")[0])
    return str(module.parent) if str(module.parent) in TOGETHER else str(module)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ModuleScheduling(config, log)


@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):  # one process runs them as they are written
        items.sort(key=lambda item: item.nodeid.startswith(WITH_TENSORFLOW))
        return
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(_group(item.nodeid), []).append(item)
    longest_first = sorted(groups.items(), key=lambda group: _place(*group))
    items[:] = [item for _, group in longest_first for item in group]


def _place(name: str, items: list[pytest.Item]) -> tuple[bool, bool, float]:
    """Return a group's place in the order: folders first, which are many modules in one process."""
    return name not in TOGETHER, name.startswith(WITH_TENSORFLOW), -sum(map(_weight, items))


def _weight(item: pytest.Item) -> float:
    if mark := item.get_closest_marker("processor_time"):
        return float(mark.kwargs["limit_s"])
    return 10 if item.get_closest_marker("slow") else 0
