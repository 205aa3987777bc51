"""One cache for all tests of a session, in which the importers install themselves for real."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.installation.stamps import read_stamp
from tests.support.program import edgeinfer

OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "/nowhere",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}
"""Nothing can be downloaded with these variables."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A run of `edgeinfer convert`: its exit code, its error output, how long it took."""

    code: int
    said: str
    time_s: float


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where the tests convert.

    Attributes:
        cache: the value of XDG_CACHE_HOME.
        pictures: a folder of pictures.
    """

    cache: Path
    pictures: Path

    def convert(
        self,
        model: object,
        out: Path,
        *options: object,
        offline: bool = True,
        cwd: Path | None = None,
    ) -> Converted:
        """Convert a model; from the second time on without a network."""
        variables = {"XDG_CACHE_HOME": str(self.cache), **(OFFLINE if offline else {})}
        began_s = time.monotonic()
        done = edgeinfer(
            *("convert", model, "--pictures", self.pictures, "--out", out, "--no-install"),
            *("--mean", 127.5, "--std", 127.5, "--golden-frames", 3, *options),
            env=variables,
            cwd=cwd,
        )
        return Converted(code=done.returncode, said=done.stderr, time_s=time.monotonic() - began_s)

    def python(self, importer: str) -> Path:
        """Return an importer's interpreter."""
        return self.cache / "edgeinfer" / "importers" / importer / "bin" / "python"

    def size_mb(self, importer: str) -> int:
        """Return what its environment takes, as its stamp says."""
        (path,) = (self.cache / "edgeinfer" / "importers" / importer).glob("*.json")
        stamp = read_stamp(path)
        assert stamp is not None
        return stamp.size_mb


@pytest.fixture(scope="session")
def workshop(registry: None, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    pictures = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for index in range(40):
        patches = generator.integers(0, 256, (7, 7, 3), dtype=np.uint8)
        cv2.imwrite(str(pictures / f"{index}.png"), cv2.resize(patches, (120, 110)))
    return Workshop(cache=tmp_path_factory.mktemp("cache"), pictures=pictures)
