"""Trees of empty files: what a folder is follows from names alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

MakeTree = Callable[..., Path]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Return a function that makes files below a folder, and returns the folder.

    A path that ends in "/" is a folder; in "{a,b}" the words between commas are several paths.
    """

    def make(*paths: str, root: str = "photos") -> Path:
        (tmp_path / root).mkdir(exist_ok=True)
        for path in [one for pattern in paths for one in _expanded(pattern)]:
            file = tmp_path / root / path
            if path.endswith("/"):
                file.mkdir(parents=True, exist_ok=True)
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / root

    return make


def _expanded(pattern: str) -> list[str]:
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    words, _, after = rest.partition("}")
    return [f"{before}{word}{end}" for word in words.split(",") for end in _expanded(after)]
