"""What the base install says where a command needs the [host] extra."""

from __future__ import annotations

import importlib.util

from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.device.core.installation.advice import add_extra


def require_packages(command: str, *packages: str) -> None:
    """Check, without importing them, that packages of the [host] extra are installed.

    Args:
        command: what needs them, for the error.
        packages: their import names.

    Raises:
        MissingExtraError: a package is missing.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            command,
            got=f"needs {', '.join(missing)}, not installed here",
            next_step=add_extra("host"),
        )
