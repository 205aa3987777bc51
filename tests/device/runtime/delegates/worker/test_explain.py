"""Failures of a worker as sentences: what is the matter, and what helps."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.spec import delegate_spec
from edgeinfer.device.runtime.delegates.worker.explain import explain
from edgeinfer.device.runtime.delegates.worker.process import How, Stage, WorkerStartError
from tests.device.accelerators.test_devices import usb
from tests.system.reference_delegate.build import c_compiler

SILENT = "Failed to load delegate from libedgetpu.so.1\n"


def failure(
    text: str,
    *,
    stage: Stage = "delegate",
    how: How = "refused",
    kind: str = "ValueError",
    log: str = "",
) -> WorkerStartError:
    return WorkerStartError(stage=stage, how=how, kind=kind, text=text, version="2.14.0", log=log)


def told(name: str, error: WorkerStartError, root: Path, **options: str) -> str:
    spec = delegate_spec(name, tuple(options.items()))
    return str(explain(spec, error, runtime="tflite-runtime", root=root))


def test_libedgetpu_without_an_edge_tpu(tmp_path: Path) -> None:
    text = told("edgetpu", failure(SILENT), tmp_path)
    assert text.startswith("libedgetpu.so.1: finds no Edge TPU; plug it in")
    assert "1a6e:089a or 18d1:9302" in text
    assert "/dev/apex_0" in text


def test_libedgetpu_that_may_not_use_it(tmp_path: Path) -> None:
    usb(tmp_path, "2-1", "18d1", "9302", node=False)
    text = told("edgetpu", failure(SILENT), tmp_path)
    assert "may not use" in text
    assert "usermod -aG plugdev $USER" in text
    assert "udev rules" in text


def test_a_pcie_edge_tpu_that_may_not_be_used(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may use everything")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch(mode=0o000)
    assert "usermod -aG apex $USER" in told("edgetpu", failure(SILENT), tmp_path)


def test_libedgetpu_whose_edge_tpu_is_in_use(tmp_path: Path) -> None:
    usb(tmp_path, "2-1", "18d1", "9302")
    text = told("edgetpu", failure(SILENT), tmp_path)
    assert "does not start, though usb:0 is there; end other programs" in text
    text = told("edgetpu", failure(SILENT), tmp_path, device="usb:3")
    assert "finds no usb:3; choose one of usb:0" in text


@pytest.mark.parametrize("stage", ["delegate", "model", "first run"])
def test_libedgetpu_that_crashes_with_a_newer_runtime(tmp_path: Path, stage: Stage) -> None:
    error = failure("was ended by SIGSEGV", stage=stage, how="died", kind="")
    text = told("edgetpu", error, tmp_path)
    assert "libedgetpu and tflite-runtime 2.14.0 do not fit" in text
    assert "crashes with runtimes from 2.12 on" in text


def test_a_killed_worker_is_not_a_crash_of_libedgetpu(tmp_path: Path) -> None:
    error = failure("was ended by SIGKILL", how="died", kind="")
    assert "do not fit" not in told("edgetpu", error, tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vx", "finds no VeriSilicon NPU; load its kernel driver, which makes /dev/galcore"),
        ("ethos-u", "finds no Arm Ethos-U; load its kernel driver, which makes /dev/ethosu0"),
    ],
)
def test_npus_without_their_driver(tmp_path: Path, name: str, said: str) -> None:
    assert said in told(name, failure("Failed to load delegate from x\n"), tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("libusb-1.0.so.0: cannot open shared object file: No such file", "needs libusb-1.0.so.0"),
        ("libedgetpu.so.1: cannot open shared object file: No such file", "is not installed"),
        ("/usr/lib/libedgetpu.so.1: wrong ELF class: ELFCLASS32", "built for another processor"),
        ("/usr/lib/libedgetpu.so.1: invalid ELF header", "is not a shared library"),
        ("/lib/libc.so.6: version `GLIBC_2.38' not found (required by x)", "needs GLIBC_2.38"),
        ("/usr/lib/x.so: undefined symbol: _Unwind_SetIP", "needs the symbol _Unwind_SetIP"),
        ("something else", "cannot be loaded (something else)"),
    ],
)
def test_what_the_dynamic_loader_says(tmp_path: Path, text: str, said: str) -> None:
    assert said in told("edgetpu", failure(text, kind="OSError"), tmp_path)


def test_refused_options(tmp_path: Path) -> None:
    error = failure("Failed to load delegate from x\nbad option x=y")
    assert "refuses its options (bad option x=y); check --delegate-option" in told(
        "/opt/x.so", error, tmp_path, x="y"
    )


def test_the_last_words_of_a_dead_worker_are_reported(tmp_path: Path) -> None:
    error = failure("was ended by SIGABRT", how="died", kind="", log="a\nterminate called\n")
    assert "terminate called" in told("/opt/x.so", error, tmp_path)


# ---- the same with real libraries ----


def load(library: Path, model: bytes) -> str:
    with pytest.raises(DelegateError) as caught:
        DelegateRunner(model, delegate_spec(str(library)), subject="sample")
    return str(caught.value)


def test_libraries_that_are_none(model: bytes, tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library at all, of more bytes than an ELF header has\n" * 4)
    assert "text.so: is not a shared library" in load(text, model)
    assert "absent.so: is not installed" in load(tmp_path / "absent.so", model)


def test_a_library_that_is_not_a_delegate(model: bytes, tmp_path: Path) -> None:
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler")
    source = tmp_path / "x.c"
    source.write_text("int x;\n")
    library = tmp_path / "x.so"
    subprocess.run([*compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    assert "x.so: is not a TFLite delegate" in load(library, model)


def test_a_library_of_another_machine(
    reference_delegate: Path, model: bytes, tmp_path: Path
) -> None:
    library = tmp_path / "other.so"
    shutil.copy(reference_delegate, library)
    content = bytearray(library.read_bytes())
    content[18:20] = b"\x08\x00"  # e_machine: MIPS
    library.write_bytes(content)
    assert "built for another processor" in load(library, model)
