"""Which delegate: the library, what it is called, and its options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import UsageError

_KEY = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class KnownDelegate:
    """A delegate of which more is known than its library's name.

    Attributes:
        name: how bundles and `--delegate` call it.
        device: what it drives, for sentences.
        library: what the dynamic loader is asked for.
        package: where the library comes from, for sentences.
    """

    name: str
    device: str
    library: str
    package: str


KNOWN_DELEGATES: dict[str, KnownDelegate] = {
    known.name: known
    for known in (
        KnownDelegate(
            name="edgetpu",
            device="an Edge TPU",
            library="libedgetpu.so.1",
            package="install libedgetpu: the Debian package libedgetpu1-std of Coral's own "
            "repository, or a build for your runtime",
        ),
        KnownDelegate(
            name="ethos-u",
            device="an Arm Ethos-U",
            library="libethosu_delegate.so",
            package="it is part of the board vendor's system image (i.MX 93: NXP's Yocto Linux)",
        ),
        KnownDelegate(
            name="vx",
            device="a VeriSilicon NPU",
            library="libvx_delegate.so",
            package="it is part of the board vendor's system image (i.MX 8M Plus: NXP's Yocto "
            "Linux)",
        ),
        KnownDelegate(
            name="gpu",
            device="a GPU",
            library="libtensorflowlite_gpu_delegate.so",
            package="build it from TensorFlow Lite, with the external delegate's two functions",
        ),
    )
}
"""In the order in which `run` prefers them."""


@dataclass(frozen=True, kw_only=True)
class DelegateSpec:
    """A delegate to load.

    Attributes:
        name: a key of `KNOWN_DELEGATES`, or the library's file name.
        library: a path, or a name for the dynamic loader.
        options: the delegate's own, (key, value), in the order given.
    """

    name: str
    library: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> KnownDelegate | None:
        """What is known of it."""
        return KNOWN_DELEGATES.get(self.name)

    def __str__(self) -> str:
        """Return the library's file name and the options, for people."""
        text = Path(self.library).name
        if self.options:
            text += f" ({', '.join(f'{key}={value}' for key, value in self.options)})"
        return text


def delegate_spec(wanted: str, options: Sequence[tuple[str, str]] = ()) -> DelegateSpec:
    """Return the delegate that a user names. What a file names is a key of `KNOWN_DELEGATES`.

    Args:
        wanted: a key of `KNOWN_DELEGATES`, a path, or a library's name for the dynamic loader.
        options: the delegate's own.
    """
    known = KNOWN_DELEGATES.get(wanted)
    if known is not None:
        return DelegateSpec(name=known.name, library=known.library, options=tuple(options))
    file_name = Path(wanted).name
    name = next(
        (known.name for known in KNOWN_DELEGATES.values() if known.library == file_name), file_name
    )
    return DelegateSpec(name=name, library=wanted, options=tuple(options))


def parse_option(text: str) -> tuple[str, str]:
    """Read one KEY=VALUE.

    Raises:
        UsageError: it is none.
    """
    key, equals, value = text.partition("=")
    if not equals or not _KEY.fullmatch(key) or "\0" in value:
        raise UsageError(
            "--delegate-option", got=repr(text), expected="KEY=VALUE, such as device=usb:0"
        )
    return key, value
