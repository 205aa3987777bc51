"""Activations of a frozen network, kept for the next training on the same pictures.

An entry is found by a digest of all that its values follow from: the network with its weights, the
prepared pictures pixel by pixel, and how they are normalized. So it cannot be out of date: with
other pictures, another crop or other weights there is another digest. An entry is used whole or not
at all, and its files are checked before they are used.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.core.files import cache_home, write_atomically
from edgeinfer.host.training.data.batches import ImageSource

FOLDER = "features"
"""Where entries are, in `cache_home()`."""

LIMIT_ENV = "EDGEINFER_FEATURES_MB"
"""How many megabytes of entries are kept; 0 keeps none."""

DEFAULT_LIMIT_MB = 2000

_ENTRY_FILE = "entry.json"
_FORMAT = "1"
_BATCH = 256


def limit_bytes() -> int:
    """Return how many bytes of entries are kept."""
    text = os.environ.get(LIMIT_ENV, "")
    return (int(text) if text.isdecimal() else DEFAULT_LIMIT_MB) * 1_000_000


def features_key(model: Any, source: ImageSource, *, mirrored: bool) -> str:
    """Return the digest by which the activations of pictures are found.

    It reads all pictures once.

    Args:
        model: the frozen Keras model.
        source: the pictures.
        mirrored: whether the mirrored pictures are run, too.
    """
    import keras

    digest = hashlib.blake2b(digest_size=16)
    names = [output.name for output in model.outputs]
    facts = (_FORMAT, keras.__version__, mirrored, names, source.images.shape)
    digest.update(repr(facts).encode())
    digest.update(json.dumps(_bare(model.get_config()), sort_keys=True, default=str).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).data)
    digest.update(np.ascontiguousarray(source.table).data)
    for start in range(0, len(source.images), _BATCH):
        stop = min(start + _BATCH, len(source.images))
        digest.update(np.ascontiguousarray(source.images.read(np.arange(start, stop))).data)
    return digest.hexdigest()


def fetch(key: str, paths: Sequence[Path]) -> bool:
    """Put the files of an entry where they are wanted, and return whether there is one.

    An entry that is damaged is removed.

    Args:
        key: see `features_key`.
        paths: where its files are wanted; their names are those in the entry.
    """
    entry = cache_home() / FOLDER / key
    try:
        digests = json.loads((entry / _ENTRY_FILE).read_text())
        for path in paths:
            shutil.copyfile(entry / path.name, path)
        whole = all(_digest(path) == digests[path.name] for path in paths)
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if whole:
        os.utime(entry / _ENTRY_FILE)  # what was used last is removed last
        return True
    for path in paths:
        path.unlink(missing_ok=True)
    shutil.rmtree(entry, ignore_errors=True)
    return False


def keep(key: str, paths: Sequence[Path]) -> None:
    """Keep a copy of files as an entry, and remove the oldest ones beyond the limit.

    Where the cache cannot be written, the next training computes again.

    Args:
        key: see `features_key`.
        paths: the files.
    """
    root, limit = cache_home() / FOLDER, limit_bytes()
    try:
        size = sum(path.stat().st_size for path in paths)
        if size > limit or size > shutil.disk_usage(paths[0].parent).free // 4:
            return
        root.mkdir(parents=True, exist_ok=True)
        _make_room(root, limit - size)
        with tempfile.TemporaryDirectory(prefix=".", dir=root) as place:
            entry = Path(place, key)
            entry.mkdir()
            for path in paths:
                shutil.copyfile(path, entry / path.name)
            digests = {path.name: _digest(path) for path in paths}
            write_atomically(entry / _ENTRY_FILE, json.dumps(digests))
            if not (root / key).exists():
                entry.rename(root / key)
    except (OSError, StorageError):
        return


def _make_room(root: Path, limit: int) -> None:
    """Remove the entries that were used longest ago until the others fit."""
    entries = sorted(
        (entry.stat().st_mtime, entry.parent) for entry in root.glob(f"*/{_ENTRY_FILE}")
    )
    sizes = {folder: sum(file.stat().st_size for file in folder.iterdir()) for _, folder in entries}
    total = sum(sizes.values())
    for _, folder in entries:
        if total <= limit:
            return
        total -= sizes[folder]
        shutil.rmtree(folder, ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()


def _bare(config: Any) -> Any:
    """Return a network's description without its own name, which counts up in each process."""
    return {key: value for key, value in config.items() if key != "name"}
