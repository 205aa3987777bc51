"""Comparing what commands of two versions say as JSON."""

from __future__ import annotations

import json
from typing import Any


def read_lines(printed: str) -> list[dict[str, Any]]:
    """Return the objects that a command printed, one a line."""
    return [json.loads(line) for line in printed.splitlines()]


def assert_still_said(was: Any, now: Any, where: str = "") -> None:
    """Check that all that was said before is said now; there may be more keys."""
    if isinstance(was, dict):
        assert isinstance(now, dict), where
        for key, value in was.items():
            assert key in now, f"{where}: {key} is not said any more"
            assert_still_said(value, now[key], f"{where}.{key}")
    elif isinstance(was, list):
        assert isinstance(now, list), where
        assert len(was) == len(now), where
        for index, (one, other) in enumerate(zip(was, now, strict=True)):
            assert_still_said(one, other, f"{where}[{index}]")
    else:
        assert was == now, where
