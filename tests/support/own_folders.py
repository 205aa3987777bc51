"""Separate folders for tests, which do not see or change what edgeinfer keeps for its user.

They begin empty in each run, so that no test passes for what an earlier one left: a model, for
example, that this installation opened before is not tried again. Other programs' caches are the
user's, and what tests themselves make at great cost is kept from run to run, in `kept_cache()`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

_KEPT = "edgeinfer-tests"
_OTHERS = ("matplotlib", "pip", "uv", "zig", _KEPT)
_DOWNLOADS = ("pythons", "wheels")
"""Of edgeinfer's own cache: known by their hashes, and large."""


def _users_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def kept_cache() -> Path:
    """Return the folder of what tests keep; it can be $XDG_CACHE_HOME, for what edgeinfer keeps."""
    return (_users_cache() / _KEPT).resolve()


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Name other folders to this process and all that it starts, those that run tests included."""
    if hasattr(config, "workerinput"):
        return
    own = Path(tempfile.mkdtemp(prefix="edgeinfer-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(own, ignore_errors=True))
    cache = own / "cache"
    links = {cache / name: _users_cache() / name for name in _OTHERS}
    links |= {cache / "edgeinfer" / name: kept_cache() / "edgeinfer" / name for name in _DOWNLOADS}
    for link, kept in links.items():
        link.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # it cannot be kept
            kept.mkdir(parents=True, exist_ok=True)
            link.symlink_to(kept)
    for kind in ("cache", "config", "data"):
        os.environ[f"XDG_{kind.upper()}_HOME"] = str(own / kind)
