"""What the kernel refuses, and what it lets through, after AMX was forbidden."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.converters.measure import no_amx

CHILD = """
import ctypes, json
from edgeinfer.converters.measure import no_amx

no_amx.has_amx = lambda: True
no_amx.forbid_amx()
told = []
libc = ctypes.CDLL(None, use_errno=True)
ARCH_PRCTL = 158
for code, argument in ((0x1023, 18), (0x1003, ctypes.byref(ctypes.c_ulong()))):
    ctypes.set_errno(0)
    told.append([libc.syscall(ARCH_PRCTL, code, argument), ctypes.get_errno()])
print(json.dumps(told))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AMX is part of x86-64")
def test_asking_for_amx_is_refused_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True)
    asked, other = json.loads(done.stdout)
    assert asked == [-1, errno.EPERM]
    assert other == [0, 0]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("flags : fpu amx_int8 avx2", True), ("flags : fpu amx_bf16 avx2", False), ("", False)],
)
def test_the_processor_tells_whether_it_has_amx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, expected: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor : 0\n{flags}\n")
    monkeypatch.setattr(no_amx, "_CPUINFO", cpuinfo)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert no_amx.has_amx() is expected
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert not no_amx.has_amx()


def test_without_cpuinfo_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_amx, "_CPUINFO", tmp_path / "none")
    assert not no_amx.has_amx()
    no_amx.forbid_amx()
