"""What is known to go wrong with the libraries of accelerators, as sentences: cause and cure."""

from __future__ import annotations

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
    install="install a libedgetpu built for this runtime: the packages of github.com/feranick/"
    "libedgetpu with `sudo apt install ./libedgetpu1-std_*.deb`",
    absent="plug it in and look for 1a6e:089a or 18d1:9302 in `lsusb`, or for 089a in `lspci -nn`",
)
VX = Accelerator(
    name="VX",
    library="libvx_delegate.so",
    nodes=("/dev/galcore",),
    install="add `tensorflow-lite-vx-delegate` to the board's Yocto image",
    absent="run `sudo modprobe galcore`, and look at `sudo dmesg | grep -i galcore`",
)
ETHOS_U = Accelerator(
    name="Ethos-U",
    library="libethosu_delegate.so",
    nodes=("/dev/ethosu*",),
    install="add `tensorflow-lite-ethosu-delegate` to the board's Yocto image",
    absent="run `sudo modprobe ethosu`, and look at `sudo dmesg | grep -i ethosu`",
)

OLD_LIBEDGETPU = (
    "a libedgetpu built for TensorFlow before 2.12, as Coral's own is, crashes with runtimes since"
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
        usable: whether this user may use it; where not, that is told elsewhere.
    """
    library, facts = accelerator.library, end.facts
    if is_absent(end, accelerator):
        got = "is not installed"
        if connected:
            return broken(
                library, f"{got}, but there is an {accelerator.name}", fix=accelerator.install
            )
        return note(
            library,
            f"{got}; models run on the CPU",
            fix=f"only with an {accelerator.name}: {accelerator.install}",
        )
    if facts.get("missing"):
        return broken(
            library,
            f"needs {facts['missing']}, which is absent",
            fix="run `sudo apt install libusb-1.0-0`"
            if "libusb" in facts["missing"]
            else f"run `ldd {library}` and install what it does not find",
        )
    if facts.get("unloadable"):
        return broken(
            library,
            f"cannot be loaded ({facts['unloadable']})",
            expected="a library for this architecture",
            fix=accelerator.install,
        )
    if facts.get("loaded"):
        return ok(library, f"loads{_where(end)}")
    if end.crash:
        cause = OLD_LIBEDGETPU if accelerator is EDGE_TPU else "it does not fit the runtime"
        return broken(
            library,
            f"crashes {facts.get('runtime', 'the runtime')} while it is loaded ({end.crash})",
            expected=f"one that fits: {cause}",
            fix=accelerator.install,
        )
    if end.code is None:
        return broken(
            library,
            "hangs while it is loaded",
            fix=f"unplug the {accelerator.name} and plug it in again, or restart the board",
        )
    return _refused(accelerator, end, connected=connected, usable=usable)


def _refused(accelerator: Accelerator, end: ChildEnd, *, connected: bool, usable: bool) -> Finding:
    """Judge a library that loads but gives no delegate."""
    library = accelerator.library
    said = end.facts.get("refused")
    reason = f" ({said})" if said else ""
    if not connected:
        return note(
            library,
            f"loads{_where(end)}, but finds no {accelerator.name}{reason}; models run on the CPU",
            fix=accelerator.absent,
        )
    if not usable:
        return broken(
            library,
            f"cannot use the {accelerator.name}{reason}: permission denied",
            fix="see its access above",
        )
    if said is None:
        return broken(library, f"does not load ({end.reason})", fix=accelerator.install)
    return broken(
        library,
        f"cannot use the {accelerator.name}, although it is connected{reason}",
        fix="end other programs that use it, then unplug it and plug it in again",
    )


def judge_package(version: str, runtime: str) -> Finding | None:
    """Compare the installed package of libedgetpu with the runtime; None where they fit.

    Args:
        version: as dpkg tells: `16.0` is Coral's own, built for TensorFlow 2.5; `16.0tf2.17.1-1`
            is built for 2.17.1.
        runtime: `ai-edge-litert` or `tflite-runtime`; all versions that edgeinfer runs with are
            2.12 or newer.
    """
    built_for = re.search(r"tf(\d+)\.(\d+)", version)
    if built_for and (int(built_for[1]), int(built_for[2])) >= (2, 12):
        return None
    return note(
        "libedgetpu",
        f"its package is version {version}, the runtime is {runtime}",
        expected=f"a version that ends in tf2.12 or later: {OLD_LIBEDGETPU}",
        fix=EDGE_TPU.install,
    )


def _where(end: ChildEnd) -> str:
    path = end.facts.get("opened")
    return f" from {path}" if path else ""
