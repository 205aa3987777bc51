"""Check for, and quietly import, what the [host] extra adds."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.device.core.silenced import silenced

_NEEDED = ("tensorflow", "keras", "rich")

_TALKING = (
    "libtensorflow_framework.so.2",
    "libtensorflow_cc.so.2",
    "python/profiler/internal/_pywrap_profiler_plugin.so",
)
"""TensorFlow's libraries that write to stderr when they are loaded, each after those that it
needs; if one is missing, its output is shown."""


def require_host_extra(command: str, progress: Progress | None = None) -> None:
    """Import TensorFlow and Keras without their messages; raises as `check_host_extra` does.

    Args:
        command: the command that needs them.
        progress: reports it where it takes seconds: the first time in a process.
    """
    check_host_extra(command)
    if progress is not None and "keras" not in sys.modules:
        progress.start("load TensorFlow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    _import_quietly()


def check_host_extra(command: str, *others: str) -> None:
    """Check quickly whether the [host] extra is installed: nothing is imported.

    Args:
        command: the command that needs it, for the error.
        others: further packages of it that the command imports, as well as the training stack.

    Raises:
        MissingExtraError: only the base install is here.
    """
    require_packages(command, *_NEEDED, *others)


def _import_quietly() -> None:
    """Import, hiding what TensorFlow writes to stderr before its log level applies."""
    found = importlib.util.find_spec("tensorflow")
    for place in (found.submodule_search_locations or []) if found is not None else []:
        for name in _TALKING:
            library = Path(place, name)
            if library.exists():
                with suppress(OSError):  # the import reports a library that cannot be loaded
                    silenced(partial(ctypes.CDLL, str(library)))
    importlib.import_module("tensorflow")
    importlib.import_module("keras")
    logging.getLogger("tensorflow").addFilter(_is_for_users)


def _is_for_users(record: logging.LogRecord) -> bool:
    """Return whether a line of TensorFlow's is for users: its advice on tf.function is not."""
    return "triggered tf.function retracing" not in record.getMessage()
