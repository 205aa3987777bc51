"""Code for the start of a process that may not have separate descriptors for one thread.

Some containers refuse that: their filters of system calls answer EPERM.
"""

from __future__ import annotations

REFUSE_OWN_DESCRIPTORS = """
import ctypes, errno, platform, struct
_calls = (436, {"x86_64": 272, "aarch64": 97}[platform.machine()])  # close_range, unshare
_code = [(0x20, 0, 0, 0)]  # load the call's number
for _index, _call in enumerate(_calls):
    _code.append((0x15, len(_calls) - _index, 0, _call))  # is it this one: go to the last line
_code += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | errno.EPERM)]  # allow, refuse
_filter = b"".join(struct.pack("HBBI", *line) for line in _code)
_memory = ctypes.create_string_buffer(_filter)
_program = ctypes.create_string_buffer(
    struct.pack("HxxxxxxP", len(_code), ctypes.addressof(_memory))
)
_prctl = ctypes.CDLL(None, use_errno=True).prctl
assert _prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert _prctl(22, 2, _program, 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP, its filter
"""
"""Installs a seccomp filter in the calling thread and those that it starts."""
