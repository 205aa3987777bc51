"""Which delegate: the library, what it is called, and its options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.registry import accelerators, find_accelerator
from edgeinfer.device.core.errors import UsageError

_KEY = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class DelegateSpec:
    """A delegate to load.

    Attributes:
        name: an accelerator's, or the library's file name.
        library: a path, or a name for the dynamic loader.
        options: the delegate's own, (key, value), in the order given.
    """

    name: str
    library: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> Accelerator | None:
        """What it drives, where that is known."""
        return find_accelerator(self.name)

    def __str__(self) -> str:
        """Return the library's file name and the options, for people."""
        text = Path(self.library).name
        if self.options:
            text += f" ({', '.join(f'{key}={value}' for key, value in self.options)})"
        return text


def delegate_spec(wanted: str, options: Sequence[tuple[str, str]] = ()) -> DelegateSpec:
    """Return the delegate that a user names. What a file names is an accelerator.

    Args:
        wanted: an accelerator, a path, or a library's name for the dynamic loader.
        options: the delegate's own.
    """
    known = find_accelerator(wanted)
    if known is not None:
        return DelegateSpec(name=known.name, library=known.library, options=tuple(options))
    file_name = Path(wanted).name
    known_names = (known.name for known in accelerators() if known.library == file_name)
    name = next(known_names, file_name)
    return DelegateSpec(name=name, library=wanted, options=tuple(options))


def parse_option(text: str) -> tuple[str, str]:
    """Read one KEY=VALUE.

    Raises:
        UsageError: it is not one.
    """
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key) or "\0" in value:
        raise UsageError(
            "--delegate-option", got=repr(text), expected="KEY=VALUE, such as device=usb:0"
        )
    return key, value
