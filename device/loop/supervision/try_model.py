"""Trying a model in a separate process, before a running loop takes it.

A model that crashes a runtime, or that this board cannot hold together with the running one, ends
the trial and not the loop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.errors import EdgeinferError, ModelError, VerificationError
from edgeinfer.device.core.model_file import is_bundle
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.runtime.open_options import OpenOptions

LIMIT_S = 300.0
"""How long verifying may take; slow boards replay a few frames in seconds."""
_POLL_S = 0.1
_SIDE_PX = 1024
"""Of the frame that a plain `.tflite` answers: a region or a tile of it has some pixels."""


def try_model(
    path: Path, options: OpenOptions, *, stop: threading.Event, limit_s: float = LIMIT_S
) -> bool:
    """Open a model in another process, replay a bundle's golden frames, answer a frame otherwise.

    Args:
        path: a bundle or a plain `.tflite`.
        options: how it is opened.
        stop: ends the trial.
        limit_s: how long it may take.

    Returns:
        False when it was stopped.

    Raises:
        VerificationError: the model was refused there, crashed or took too long.
    """
    command = python_command("-m", __name__, str(path), options.to_json())
    with subprocess.Popen(
        command,
        env=safe_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        deadline = time.monotonic() + limit_s
        while process.poll() is None and not stop.wait(_POLL_S):
            if time.monotonic() >= deadline:
                process.kill()
                raise VerificationError(path, got=f"was not verified within {limit_s:g} s")
        if process.poll() is None:
            process.kill()
            return False
        assert process.stdout is not None
        said = process.stdout.read().strip()
    if process.returncode:
        raise VerificationError(path, got=said or _death(process.returncode))
    return True


def _death(code: int) -> str:
    if code > 0:
        return f"ended its trial with exit code {code}"
    return f"crashed while it was tried ({signal_name(-code)})"


def _try_here(path: Path, options: OpenOptions) -> None:
    from edgeinfer.device.models.model import Model

    with Model.open(path, options) as model:
        bundle = is_bundle(path)
        if not bundle:
            import numpy as np

            model.predict(np.full((_SIDE_PX, _SIDE_PX, 3), 127, np.uint8))
    if bundle:
        from edgeinfer.device.models.plain_options import for_golden
        from edgeinfer.device.models.verify import verify_bundle

        # Only now: one model at a time may use an accelerator.
        verify_bundle(path, for_golden(options))


def _main(path: str, options: str) -> int:
    with suppress(OSError):  # a service may be kept from it
        os.nice(10)  # the loop goes first
    try:
        _try_here(Path(path), OpenOptions.from_json(options))
    except EdgeinferError as error:
        # The parent names the file.
        print(str(error).removeprefix(f"{path}: "))
        return 1
    except (MemoryError, OSError, ValueError) as error:
        print(ModelError(path, got=f"{type(error).__name__}: {error}").got)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
