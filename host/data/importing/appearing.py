"""A folder that appears by one rename when all of it is written, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.device.core.errors import DataError, storage_error

UNPACKED = "unpacked"
"""The folder for what comes out of a ZIP, next to the one that appears."""

FRESH = "out"
"""The folder that appears."""


@contextmanager
def appearing(source: Path, out: Path) -> Iterator[Path]:
    """Yield a folder next to `out` whose folder `FRESH` becomes it when the block ends well.

    What a killed import left there is removed.

    Args:
        source: what is imported, which errors name instead of where it was unpacked.
        out: the folder that appears.

    Raises:
        StorageError: it cannot be written.
    """
    parent = Path(os.path.abspath(out)).parent
    stem = f".{out.name}.import-"
    space = parent / f"{stem}{os.getpid()}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for other in parent.glob(f"{stem.replace('[', '[[]')}*"):
            number = other.name.removeprefix(stem)
            if number.isdecimal() and not _runs(int(number)):
                shutil.rmtree(other, ignore_errors=True)
        space.mkdir()
        (space / UNPACKED).mkdir()
        (space / FRESH).mkdir()
    except OSError as error:
        raise storage_error(out, error) from error
    try:
        yield space
        try:
            os.rename(space / FRESH, out)
        except OSError as error:
            raise storage_error(out, error) from error
    except DataError as error:
        hidden = f"{space / UNPACKED}"
        if hidden not in error.subject:
            raise
        # The user's ZIP instead of a folder that was removed.
        raise DataError(
            error.subject.replace(f"{hidden}{os.sep}", f"{source}: ").replace(hidden, str(source)),
            got=error.got.replace(f"{hidden}{os.sep}", ""),
            expected=error.expected,
            next_step=error.next_step.replace(f"{hidden}{os.sep}", ""),
        ) from error
    finally:
        shutil.rmtree(space, ignore_errors=True)


def _runs(process: int) -> bool:
    """Return whether another process of that number runs."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
