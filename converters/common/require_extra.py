"""What the base install says where a command needs the [host] extra."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata

from edgeinfer.device.core.errors import MissingExtraError


def require_packages(command: str, *packages: str) -> None:
    """Check, without importing them, that packages of the [host] extra are installed.

    Args:
        command: what needs them, for the error.
        packages: their import names.

    Raises:
        MissingExtraError: one is not there.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        # On an older Python the extra installs without its training stack, and nothing is gained.
        old = sys.version_info < (3, 11)
        raise MissingExtraError(
            command,
            got=f"needs {', '.join(missing)}, not installed here",
            next_step=f"{'with Python 3.11 to 3.13 ' if old else ''}run: "
            # This version, which is there: pip must not look for another of that name in an index.
            f"pip install 'edgeinfer[host]=={metadata.version('edgeinfer')}'",
        )
