"""What is known to go wrong with the libraries of accelerators, as sentences: cause and cure.

The sentences are those of `edgeinfer run`.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass

from edgeinfer.device.doctor.child import ChildEnd
from edgeinfer.device.doctor.finding import Finding, broken, note, ok


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """An accelerator beside the processor.

    Attributes:
        name: what people call it.
        library: the delegate's library.
        nodes: devices, as patterns, any of which shows that it is there.
        install: the command that brings the library.
        absent: what to do where the device is not found.
    """

    name: str
    library: str
    nodes: tuple[str, ...]
    install: str
    absent: str


EDGE_TPU = Accelerator(
    name="Edge TPU",
    library="libedgetpu.so.1",
    nodes=("/dev/apex_*",),
    install="run `sudo apt install libedgetpu1-std` with Coral's own repository, or install a "
    "build for your runtime",
    absent="plug it in: `lsusb` shows 1a6e:089a or 18d1:9302; a PCIe one has /dev/apex_0, which "
    "the driver gasket-dkms makes",
)
VX = Accelerator(
    name="VeriSilicon NPU",
    library="libvx_delegate.so",
    nodes=("/dev/galcore",),
    install="it is part of the board vendor's system image (i.MX 8M Plus: NXP's Yocto Linux)",
    absent="load its kernel driver, which makes /dev/galcore: `sudo modprobe galcore`",
)
ETHOS_U = Accelerator(
    name="Arm Ethos-U",
    library="libethosu_delegate.so",
    nodes=("/dev/ethosu*",),
    install="it is part of the board vendor's system image (i.MX 93: NXP's Yocto Linux)",
    absent="load its kernel driver, which makes /dev/ethosu0: `sudo modprobe ethosu`",
)

MATCHING_LIBEDGETPU = (
    "Google's libedgetpu crashes with runtimes from 2.12 on; install a libedgetpu that was built "
    "for this runtime (feranick's builds are reported good with tflite-runtime 2.13 to 2.15): "
    "`sudo apt install ./libedgetpu1-std_*.deb`"
)
"""google-coral/edgetpu#812, tensorflow/tensorflow#62371."""


def is_absent(end: ChildEnd, accelerator: Accelerator) -> bool:
    """True where the library itself is not installed."""
    return end.facts.get("missing") == accelerator.library


def judge_library(
    accelerator: Accelerator, end: ChildEnd, *, connected: bool, usable: bool = True
) -> Finding:
    """Say what loading a delegate's library in a child process showed.

    Args:
        accelerator: which.
        end: how `probe_delegate` ended.
        connected: whether the accelerator itself was found.
        usable: whether this user may use it; where not, that is told of the device.
    """
    library, facts = accelerator.library, end.facts
    if is_absent(end, accelerator):
        if connected:
            got = f"is not installed, but there is an {accelerator.name}"
            return broken(library, got, fix=accelerator.install)
        fix = f"only with an {accelerator.name}: {accelerator.install}"
        return note(library, "is not installed; models run on the CPU", fix=fix)
    if "missing" in facts or "unloadable" in facts:
        return _not_loadable(accelerator, end)
    if facts.get("loaded"):
        return ok(library, f"loads{_where(end)}")
    if end.crash:
        return _crashed(accelerator, end)
    if end.code is None:
        return broken(
            library,
            "loading it did not end",
            fix=f"unplug the {accelerator.name} and plug it in again, on a port or hub with "
            "enough power, or restart the board",
        )
    return _refused(accelerator, end, connected=connected, usable=usable)


def _not_loadable(accelerator: Accelerator, end: ChildEnd) -> Finding:
    """Judge a library that the dynamic loader does not take."""
    missing = end.facts.get("missing")
    if missing is None:
        return broken(
            accelerator.library,
            f"cannot be loaded ({end.facts['unloadable']})",
            expected=f"a shared library for {platform.machine()}",
            fix=accelerator.install,
        )
    known = str(missing).startswith("libusb-1.0")
    fix = (
        "run `sudo apt install libusb-1.0-0`"
        if known
        else f"install the package that has that library: `apt-file search {missing}` names it"
    )
    return broken(accelerator.library, f"needs {missing}, which is not installed", fix=fix)


def _crashed(accelerator: Accelerator, end: ChildEnd) -> Finding:
    """Judge a library that ended the process."""
    got = f"crashed (the process was ended by {end.crash} while it was loaded{_where(end)})"
    runtime = end.facts.get("runtime")
    if runtime is None:
        return broken(accelerator.library, got, fix=f"install it again: {accelerator.install}")
    got += f": it and {runtime} do not fit"
    if accelerator is EDGE_TPU:
        return broken(accelerator.library, got, fix=MATCHING_LIBEDGETPU)
    return broken(accelerator.library, got, fix=f"install a build of it for {runtime}")


def _refused(accelerator: Accelerator, end: ChildEnd, *, connected: bool, usable: bool) -> Finding:
    """Judge a library that loads but gives no delegate."""
    library = accelerator.library
    said = end.facts.get("refused")
    if said is None:  # it did not come to that
        got, fix = f"could not be tried ({end.reason})", "mend the runtime first, see above"
        return broken(library, got, fix=fix) if connected else note(library, got, fix=fix)
    reason = f" ({said})" if said else ""
    if not connected:
        got = f"finds no {accelerator.name}{reason}; models run on the CPU"
        return note(library, got, fix=accelerator.absent)
    if not usable:
        return broken(library, f"may not use the {accelerator.name}{reason}", fix="see above")
    return broken(
        library,
        f"does not start, though the {accelerator.name} is there{reason}",
        fix="end other programs that use it, or unplug it and plug it in again",
    )


def judge_package(version: str, runtime: str) -> Finding | None:
    """Compare the installed package of libedgetpu with the runtime; None where they fit.

    Args:
        version: as dpkg tells: `16.0` is Coral's own, built for TensorFlow 2.5; `16.0tf2.17.1-1`
            is built for 2.17.1.
        runtime: name and version; all that edgeinfer runs with are 2.12 or newer.
    """
    built_for = re.search(r"tf(\d+)\.(\d+)", version)
    if built_for and (int(built_for[1]), int(built_for[2])) >= (2, 12):
        return None
    return note(
        "libedgetpu",
        f"its package is version {version}, the runtime is {runtime}",
        expected="a version with tf2.12 or later in its name",
        fix=MATCHING_LIBEDGETPU,
    )


def _where(end: ChildEnd) -> str:
    path = end.facts.get("opened")
    return f" from {path}" if path else ""
