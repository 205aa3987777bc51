"""How many threads suit a board."""

from __future__ import annotations

import os

import pytest

from edgeinfer.boards.threads import thread_rule


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 3)])
def test_one_core_is_left(cores: int, threads: int) -> None:
    assert thread_rule(cores) == threads
    assert thread_rule() == thread_rule(os.cpu_count() or 1)
