"""Which tests stay together when several processes run them, and which begin.

A module's tests stay in one process: they share what its fixtures make. Tests of several modules
that need one thing, a virtual board for example, name it: `@pytest.mark.xdist_group("name")`.
Those that take long begin, so that no process is left with one at the end.
"""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not getattr(config.option, "loadgroup", False):
        return  # one process runs them in the order in which they are written
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        module = item.nodeid.partition("::")[0]
        mark = item.get_closest_marker("xdist_group")
        if mark is None:
            item.add_marker(pytest.mark.xdist_group(module))
        groups.setdefault(module if mark is None else mark.args[0], []).append(item)
    longest_first = sorted(groups.values(), key=lambda group: -sum(map(_weight, group)))
    items[:] = [item for group in longest_first for item in group]


def _weight(item: pytest.Item) -> float:
    if mark := item.get_closest_marker("processor_time"):
        return float(mark.kwargs["limit_s"])
    return 10 if item.get_closest_marker("slow") else 0
