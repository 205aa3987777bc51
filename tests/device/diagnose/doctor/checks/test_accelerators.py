"""Edge TPUs in a made-up /sys, and a broken library instead of libedgetpu."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.doctor.checks.accelerators import ON_THE_CPU, AcceleratorsCheck
from edgeinfer.device.diagnose.doctor.checks.edgetpu import judge_package, package_version
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from tests.device.diagnose.doctor.conftest import BreakPackage
from tests.support.program import edgeinfer, error_line

Write = Callable[[str, str], Path]
LIBRARY = "libedgetpu.so.1"


@pytest.fixture(scope="session")
def fake_edgetpu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libedgetpu.so.1 of our own, see fake_edgetpu.c."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a libedgetpu from C")
    folder = tmp_path_factory.mktemp("edgetpu")
    source = Path(__file__).parent.parent / "fake_edgetpu.c"
    build = [*compiler.split(), "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*build, "-o", str(folder / LIBRARY), str(source)], check=True)
    return folder


@pytest.fixture
def fake_library(fake_edgetpu: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """fake_library("crashes"): children find that libedgetpu.so.1."""

    def make(behaviour: str) -> None:
        monkeypatch.setenv("LD_LIBRARY_PATH", str(fake_edgetpu))
        monkeypatch.setenv("FAKE_EDGETPU", behaviour)

    return make


@pytest.fixture
def system(tmp_path: Path) -> System:
    (tmp_path / "root").mkdir(exist_ok=True)
    return System(root=tmp_path / "root")


@pytest.fixture
def usb_tpu(write: Write) -> Path:
    """A USB Accelerator on USB 3 that this user may use."""
    for name, value in {
        "idVendor": "1a6e\n",
        "idProduct": "089a\n",
        "busnum": "2\n",
        "devnum": "3\n",
        "speed": "5000\n",
    }.items():
        write(f"/sys/bus/usb/devices/2-1/{name}", value)
    write("/sys/bus/usb/devices/usb2/idVendor", "1d6b\n")
    return write("/dev/bus/usb/002/003", "")


def found(system: System) -> dict[str, Finding]:
    return {finding.subject: finding for finding in AcceleratorsCheck().run(system)}


@pytest.fixture
def no_library() -> None:
    """Skip where the machine has a real libedgetpu, which would be found."""
    import ctypes

    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return
    pytest.skip(f"{LIBRARY} is installed here: this test needs a machine without it")


@pytest.mark.usefixtures("no_library")
def test_no_library_and_no_edgetpu(system: System) -> None:
    findings = found(system)
    assert list(findings) == [LIBRARY]
    assert findings[LIBRARY].state == "note"
    assert "is not installed" in findings[LIBRARY].got


@pytest.mark.usefixtures("no_library", "usb_tpu")
def test_an_edgetpu_without_its_library(system: System) -> None:
    findings = found(system)
    assert findings["Edge TPU"].state == "ok"
    assert findings[LIBRARY].state == "broken"
    assert findings[LIBRARY].got == "is not installed, but there is an Edge TPU"
    assert "apt install" in findings[LIBRARY].fix


def test_the_library_without_an_edgetpu(
    system: System, fake_library: Callable[[str], None]
) -> None:
    fake_library("no-tpu")
    finding = found(system)[LIBRARY]
    assert finding.state == "note"
    assert "finds no Edge TPU" in finding.got
    assert "lsusb" in finding.fix


@pytest.mark.usefixtures("usb_tpu")
def test_an_edgetpu_that_the_library_cannot_use(
    system: System, fake_library: Callable[[str], None]
) -> None:
    fake_library("says")
    finding = found(system)[LIBRARY]
    assert finding.state == "broken"
    assert finding.got.endswith("(the firmware cannot be loaded)")


def test_a_library_that_could_not_be_tried_is_not_said_to_find_nothing(
    system: System, fake_library: Callable[[str], None], break_package: BreakPackage
) -> None:
    fake_library("no-tpu")
    break_package("numpy", "raise ImportError('broken on purpose')")
    finding = found(system)[LIBRARY]
    assert finding.state == "note"
    assert finding.got == "could not be tried (ImportError: broken on purpose)"


@pytest.mark.usefixtures("usb_tpu")
def test_both(system: System, fake_library: Callable[[str], None], fake_edgetpu: Path) -> None:
    fake_library("loads")
    findings = found(system)
    assert {finding.state for finding in findings.values()} == {"ok"}
    assert str(fake_edgetpu) in findings[LIBRARY].got


def test_a_library_that_crashes_the_runtime(
    system: System, fake_library: Callable[[str], None]
) -> None:
    fake_library("crashes")
    finding = found(system)[LIBRARY]
    assert finding.state == "broken"
    assert "ended by SIGSEGV while it was loaded" in finding.got
    assert re.search(
        r"libedgetpu and (ai-edge-litert|tflite-runtime) 2\.[0-9.]+ do not fit", finding.got
    )
    assert "Google's libedgetpu crashes with runtimes from 2.12 on" in finding.fix


def test_an_edgetpu_at_work_is_left_alone(
    write: Write, system: System, usb_tpu: Path, fake_library: Callable[[str], None]
) -> None:
    fake_library("crashes")
    write("/proc/42/comm", "edgeinfer\n")
    (system.path("/proc/42") / "fd").mkdir()
    (system.path("/proc/42") / "fd" / "7").symlink_to(usb_tpu)
    finding = found(system)[LIBRARY]
    assert finding.state == "ok"
    assert finding.got == "in use by edgeinfer (process 42), so it was not tried"


DENIED = """
import dataclasses, json, os, sys; from pathlib import Path
from edgeinfer.device.accelerators.accelerator import Device
from edgeinfer.device.diagnose.doctor.checks.edgetpu import judge_edgetpu
from edgeinfer.device.diagnose.doctor.system import System
node = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
device = Device(name="usb:0", node=node, group=None)
print(json.dumps([dataclasses.asdict(judge_edgetpu(device, System(root=node.parent)))]))
"""


def test_an_edgetpu_that_this_user_may_not_use() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        node = Path(folder) / "003"
        node.touch(mode=0o000)
        command = [sys.executable, "-c", DENIED, str(node)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rules = Path(folder) / "etc" / "udev" / "rules.d"
        rules.mkdir(parents=True)
        # What the fix says is typed, as far as no rights are needed.
        (finding,) = json.loads(done.stdout)
        command_line = finding["fix"].split("`")[1].replace("sudo tee /", f"tee {folder}/")
        subprocess.run(["sh", "-c", command_line], capture_output=True, check=True)
        rule = (rules / "60-edgetpu.rules").read_text()
        ruled = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (finding["state"], "permission denied" in finding["got"]) == ("broken", True)
    assert rule == "".join(
        f'SUBSYSTEM=="usb",ATTRS{{idVendor}}=="{vendor}",GROUP="plugdev",MODE="0664"\n'
        for vendor in ("1a6e", "18d1")
    )
    (finding,) = json.loads(ruled.stdout)
    assert "udev" not in finding["fix"]


@pytest.mark.parametrize("behaviour", ["no-tpu", "says", "crashes"])
def test_run_says_the_same(
    system: System, fake_library: Callable[[str], None], sample_bundle: Path, behaviour: str
) -> None:
    fake_library(behaviour)
    finding = found(system)[LIBRARY]
    command = ["run", "--camera", "simulated", "--model", sample_bundle, "--max-frames", 1]
    said = error_line(edgeinfer(*command, "--delegate", LIBRARY, "--require-delegate"))
    assert said == f"error: {LIBRARY}: {finding.got.removesuffix(ON_THE_CPU)}; {finding.fix}"


@pytest.mark.usefixtures("usb_tpu")
def test_a_library_that_hangs(tmp_path: Path, fake_library: Callable[[str], None]) -> None:
    fake_library("hangs")
    # Starting counts as well: where it does not get as far as to hang, it gets more time.
    for limit_s in (3, 12, 48, 192):
        finding = found(System(root=tmp_path / "root", timeout_s=limit_s))[LIBRARY]
        assert finding.state == "broken"
        if finding.got == f"loading it did not end within {limit_s / 2:g} s":
            return
    pytest.fail(finding.got)


def test_a_library_that_needs_another(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch, fake_edgetpu: Path
) -> None:
    """Linked against a libusb that is removed afterwards."""
    compiler = (os.environ.get("CC") or "cc").split()
    source = tmp_path / "empty.c"
    source.write_text("int edgeinfer_test;\n")
    build = [*compiler, "-shared", "-fPIC", str(source)]
    usb = tmp_path / "libusb-1.0-nowhere.so.0"
    subprocess.run([*build, "-Wl,-soname,libusb-1.0-nowhere.so.0", "-o", str(usb)], check=True)
    subprocess.run(
        [*build, "-Wl,--no-as-needed", str(usb), "-o", str(tmp_path / LIBRARY)], check=True
    )
    usb.unlink()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    finding = found(system)[LIBRARY]
    assert finding.got == "needs libusb-1.0-nowhere.so.0, which is not installed"
    assert "libusb-1.0-0" in finding.fix


def test_a_file_that_is_not_a_library(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LIBRARY).write_text("not found")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    finding = found(system)[LIBRARY]
    assert finding.state == "broken"
    assert finding.got == "is not a shared library"


def test_usb_2_and_a_driver_that_is_absent(write: Write, system: System, usb_tpu: Path) -> None:
    write("/sys/bus/usb/devices/2-1/speed", "480\n")
    write("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x1ac1\n")
    write("/sys/bus/pci/devices/0000:01:00.0/device", "0x089a\n")
    usb, pcie = [f for f in AcceleratorsCheck().run(system) if f.subject == "Edge TPU"]
    assert (usb.state, pcie.state) == ("note", "broken")
    assert "480 Mbit/s" in usb.got
    assert "gasket-dkms" in pcie.fix


def test_apex_takes_the_place_of_the_pci_device(write: Write, system: System) -> None:
    write("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x1ac1\n")
    write("/sys/bus/pci/devices/0000:01:00.0/device", "0x089a\n")
    write("/dev/apex_0", "")
    assert found(system)["Edge TPU"].state == "ok"


def test_other_accelerators_are_reported_only_where_a_part_is_found(
    write: Write, system: System
) -> None:
    write("/dev/galcore", "")
    findings = found(system)
    assert findings["VeriSilicon NPU"].state == "ok"
    assert findings["libvx_delegate.so"].state == "broken"
    assert "libethosu_delegate.so" not in findings


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Freescale i.MX8MQ Phanbell", "Edge TPU"),
        ("NXP i.MX8MPlus EVK board", "VeriSilicon NPU"),
        ("NXP i.MX93 11X11 EVK board", "Arm Ethos-U"),
    ],
)
def test_a_board_that_should_have_one(write: Write, system: System, model: str, name: str) -> None:
    write("/proc/device-tree/model", model + "\0")
    finding = found(system)[name]
    assert finding.state == "broken"
    assert finding.got.startswith("not found, although a board")


PACKAGES = """Package: libusb-1.0-0
Status: install ok installed
Version: 2:1.0.26-1

Package: libedgetpu1-std
Status: {status}
Version: {version}
Description: Support library for Edge TPU
 of several lines
"""


def test_the_package_of_the_library(write: Write, system: System) -> None:
    write("/var/lib/dpkg/status", PACKAGES.format(status="install ok installed", version="16.0"))
    assert package_version(system, ("libedgetpu1-std",)) == "16.0"
    removed = PACKAGES.format(status="deinstall ok config-files", version="16.0")
    write("/var/lib/dpkg/status", removed)
    assert package_version(system, ("libedgetpu1-std",)) == ""


@given(st.text())
def test_a_damaged_list_of_packages_is_not_an_error(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "var" / "lib" / "dpkg" / "status"
        path.parent.mkdir(parents=True)
        path.write_bytes(text.encode(errors="surrogatepass"))
        assert package_version(System(root=Path(folder)), ("libedgetpu1-std",)) == ""


@pytest.mark.parametrize(
    ("version", "old"),
    [("16.0", True), ("16.0tf2.11.1-1", True), ("16.0tf2.13.1-2", False), ("16.0tf3.1", False)],
)
def test_which_packages_are_old(version: str, old: bool) -> None:
    assert bool(judge_package(version, "tflite-runtime 2.14.0")) == old


def test_an_old_package_is_reported_before_it_crashes(
    write: Write, system: System, fake_library: Callable[[str], None]
) -> None:
    fake_library("no-tpu")
    write("/var/lib/dpkg/status", PACKAGES.format(status="install ok installed", version="16.0"))
    assert found(system)["libedgetpu"].state == "note"
