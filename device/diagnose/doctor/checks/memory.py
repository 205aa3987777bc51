"""Main memory."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System

NEEDED_MIB = 128
"""Python, a runtime and a small classifier take 66 MiB (docs/run.md, "Measure the speed"); frames
and the loop take the rest."""
SMALL_MIB = 1024


class MemoryCheck:
    """Whether there is memory for a model, and swap on small boards."""

    title = "Memory"

    def run(self, system: System) -> Sequence[Finding]:
        """Read /proc/meminfo."""
        total, available = meminfo_mib(system, "MemTotal"), meminfo_mib(system, "MemAvailable")
        if not total:
            return [note("memory", "the system does not say", fix="look at `cat /proc/meminfo`")]
        return [
            judge_memory(total, available),
            *judge_swap(total, meminfo_mib(system, "SwapTotal")),
        ]


def meminfo_mib(system: System, key: str) -> int:
    """Return a value of /proc/meminfo in MiB; 0 if it is missing."""
    for line in system.text("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if name == key and words and words[0].isdecimal():
            return int(words[0]) // 1024
    return 0


def judge_memory(total_mib: int, available_mib: int) -> Finding:
    """Compare the free memory with the need of the camera loop."""
    got = f"{available_mib:,} of {total_mib:,} MiB available"
    if available_mib < NEEDED_MIB:
        return broken(
            "memory",
            got,
            expected=f"{NEEDED_MIB} MiB or more",
            fix="stop large programs: `ps -eo rss,comm --sort=-rss | head`; a board that only "
            "runs the camera needs no desktop: `sudo systemctl set-default multi-user.target`",
        )
    return ok("memory", got)


def judge_swap(total_mib: int, swap_mib: int) -> list[Finding]:
    """Return whether a small board has no swap: a short peak then ends a process."""
    if swap_mib or total_mib >= SMALL_MIB:
        return []
    return [note("swap", "none, and little memory", fix="run `sudo apt install zram-tools`")]
