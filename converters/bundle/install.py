"""Makes a bundle the one that `edgeinfer run` takes when none is named."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgeinfer.device.core.files import atomic_file, data_home


def install_bundle(bundle: Path) -> Path:
    """Copy a bundle to where `edgeinfer run` finds it when no model is named.

    Raises:
        StorageError: it cannot be written there.
    """
    target = data_home() / bundle.name
    with bundle.open("rb") as source, atomic_file(target) as stream:
        shutil.copyfileobj(source, stream)
    return target
