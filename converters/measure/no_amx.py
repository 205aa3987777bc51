"""Keeps a process from using Intel's matrix extension AMX, which only server processors have.

XNNPACK's INT8 kernels for AMX work on 64 output channels at a time, even if a layer has fewer: a
network with half of the channels takes as long, and a small one longer than without AMX (ResNet8
with 28x28 pixels 2.3 times as long, on a Xeon with ai-edge-litert 2.3). No board has AMX, so a
measurement for a board must not use it. XNNPACK asks the kernel for AMX with the call that is
refused here, and uses its code for AVX-512 or AVX2 when that fails.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
"""From the kernel's include/uapi/linux/prctl.h and seccomp.h."""

_AUDIT_ARCH_X86_64 = 0xC000003E
_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM = 158, 0x1023
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_OFFSET_CALL, _OFFSET_ARCH, _OFFSET_ARGUMENT = 0, 4, 16
"""Of `struct seccomp_data`; the lower half of the first argument."""


class _Instruction(ctypes.Structure):
    """`struct sock_filter`."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("operand", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def has_amx() -> bool:
    """Return whether this processor has AMX for INT8."""
    if platform.machine() != "x86_64":
        return False
    try:
        lines = _CPUINFO.read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and "amx_int8" in line.split() for line in lines)


def forbid_amx() -> None:
    """Have the kernel refuse AMX to this thread and all that it starts, permanently.

    Call it before an interpreter is loaded. Without AMX it does nothing.

    Raises:
        OSError: the kernel takes no such filter (a kernel that knows AMX does).
    """
    if not has_amx():
        return
    filters = (_Instruction * 8)(
        _Instruction(_LOAD, 0, 0, _OFFSET_ARCH),
        _Instruction(_EQUAL, 0, 5, _AUDIT_ARCH_X86_64),
        _Instruction(_LOAD, 0, 0, _OFFSET_CALL),
        _Instruction(_EQUAL, 0, 3, _SYS_ARCH_PRCTL),
        _Instruction(_LOAD, 0, 0, _OFFSET_ARGUMENT),
        _Instruction(_EQUAL, 0, 1, _ARCH_REQ_XCOMP_PERM),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EPERM),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    )
    program = _Program(len(filters), filters)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # Without root this is allowed only if no program that is started later can gain rights.
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)
    ):
        code = ctypes.get_errno()
        raise OSError(code, f"AMX cannot be forbidden ({os.strerror(code)})")
