"""What an earlier commit left, and that commit's package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compatibility.before import PackageBefore, make_package_before
from tests.compatibility.stored import unpack


@pytest.fixture(scope="session")
def package_before(tmp_path_factory: pytest.TempPathFactory) -> PackageBefore:
    """The edgeinfer of before; skips (fails in CI) where git's history lacks it."""
    return make_package_before(tmp_path_factory.mktemp("before"))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder with the runs, the search and their pictures, as the commit before left them."""
    return unpack(tmp_path / "left")
