"""What an earlier commit made and this folder keeps, and how tests get at it."""

from __future__ import annotations

import hashlib
import json
import platform
import sqlite3
import sys
import tarfile
from contextlib import closing
from importlib import metadata
from pathlib import Path

COMMIT = "50f53da830bc6def9f13d795ef3a5d2f4ca50c5b"
"""Made all of it: the last one before the modules moved."""

MADE = Path(__file__).with_name("made")
BUNDLE = MADE / "clothes.edgebundle"
ARCHIVE = MADE / "runs.tar.xz"
HASHES = MADE / "models.json"
INPUT_TENSORS = MADE / "input_tensors.json"

RUNS = ("clothes", "clothes-pruned")
"""What `train` left, and `prune` of that."""
SEARCH = "clothes-optimized"
"""What `optimize` left that was killed in the middle of a candidate."""
SEARCH_OPTIONS = ("--budget-accuracy", "60")
MODEL = "variants/cpu.tflite"
"""Of each bundle, the member that is compared by its hash."""

FOLDER = Path("/tmp/edgeinfer-before")
"""Where it was made. Runs and searches name their files by absolute paths."""

_DECIDING = ("ai-edge-litert", "ai-edge-quantizer", "keras", "numpy", "tensorflow-cpu")


def unpack(folder: Path) -> Path:
    """Unpack the runs, the search and their pictures, with the paths that they have there.

    It is as if `FOLDER` had been here: in what names it, its path is replaced, nothing else.
    """
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    old, new = str(FOLDER), str(folder)
    for path in (*folder.rglob("*.csv"), *folder.rglob("*.json")):
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    with closing(sqlite3.connect(folder / SEARCH / "study.sqlite")) as study, study:
        study.execute(
            "UPDATE study_user_attributes SET value_json = replace(value_json, ?, ?)", (old, new)
        )
    return folder


def what_decides_bytes() -> dict[str, str]:
    """Return what the bytes of a quantized model depend on as well as edgeinfer and the run.

    Calibration computes in float32, whose last bits differ between kinds of processors.
    """
    versions = {name: _version(name) for name in _DECIDING}
    return {**versions, "python": ".".join(map(str, sys.version_info[:2])), "cpu": _cpu()}


def sha256(content: bytes) -> str:
    """Return the hash that the stored files name things by."""
    return hashlib.sha256(content).hexdigest()


def read_json(path: Path) -> dict[str, dict[str, str]]:
    """Read one of the stored tables."""
    table: dict[str, dict[str, str]] = json.loads(path.read_bytes())
    return table


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _cpu() -> str:
    """Return which kind of processor this is: its maker, family and model."""
    wanted = ("vendor_id", "cpu family", "model")
    found: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() in wanted:
            found.setdefault(key.strip(), value.strip())
    return " ".join((platform.machine(), *found.values()))
