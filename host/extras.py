"""Check for, and quietly import, what the [host] extra adds."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress

from edgeinfer.converters.common.require_extra import require_packages

_NEEDED = ("tensorflow", "keras", "rich")


def require_host_extra(command: str) -> None:
    """Import TensorFlow and Keras without their chatter; raises as `check_host_extra` does."""
    check_host_extra(command)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    _import_quietly()


def check_host_extra(command: str) -> None:
    """Look whether the [host] extra is installed, in a moment: nothing is imported.

    Args:
        command: what needs them, for the error.

    Raises:
        MissingExtraError: the base install alone is here.
    """
    require_packages(command, *_NEEDED)


def _import_quietly() -> None:
    """Import with standard error closed off.

    The native libraries write to the descriptor before their own log level applies, so nothing in
    Python can filter it.
    """
    with suppress(OSError):
        saved = os.dup(2)
        try:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 2)
            os.close(sink)
            importlib.import_module("tensorflow")
            importlib.import_module("keras")
        finally:
            os.dup2(saved, 2)
            os.close(saved)
