"""What a Raspberry Pi's firmware says of its supply and of its clock."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.processes import run_to_end

_SINCE_START = 16
"""So much further up are the same bits for what has happened since the start."""
_FILE = "devices/platform/soc/soc:firmware/get_throttled"
_ANSWER_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Throttled:
    """The bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "vcgencmd").

    Attributes:
        undervoltage: the supply's voltage is too low now.
        capped: the clock is held below its highest rate now.
        throttled: the clock is lowered now.
        soft_limit: the temperature is above its soft limit now.
        undervoltage_occurred: the voltage was too low at some time since the start.
        capped_occurred: the same for `capped`.
        throttled_occurred: the same for `throttled`.
        soft_limit_occurred: the same for `soft_limit`.
    """

    undervoltage: bool = False
    capped: bool = False
    throttled: bool = False
    soft_limit: bool = False
    undervoltage_occurred: bool = False
    capped_occurred: bool = False
    throttled_occurred: bool = False
    soft_limit_occurred: bool = False

    @property
    def slowed(self) -> bool:
        """The processor runs slower than it could now, for whatever reason."""
        return self.capped or self.throttled or self.soft_limit


def decode_throttled(bits: int) -> Throttled:
    """Return what the firmware's bits say."""
    past = bits >> _SINCE_START
    return Throttled(
        undervoltage=bool(bits & 1),
        capped=bool(bits & 2),
        throttled=bool(bits & 4),
        soft_limit=bool(bits & 8),
        undervoltage_occurred=bool(past & 1),
        capped_occurred=bool(past & 2),
        throttled_occurred=bool(past & 4),
        soft_limit_occurred=bool(past & 8),
    )


def read_throttled(sysfs: Path) -> Throttled | None:
    """Ask the firmware: its file in sysfs, `vcgencmd`, or the kernel's voltage monitor.

    Args:
        sysfs: where sysfs is mounted.

    Returns:
        None where there is no such firmware, or it does not answer.
    """
    bits = _bits(_read(sysfs / _FILE))
    if bits is None:
        bits = _bits(_ask_vcgencmd())
    if bits is not None:
        return decode_throttled(bits)
    for chip in sorted(sysfs.glob("class/hwmon/hwmon*")):
        if _read(chip / "name") == "rpi_volt":
            low = _read(chip / "in0_lcrit_alarm") == "1"
            return Throttled(undervoltage=low, undervoltage_occurred=low)
    return None


def _bits(text: str) -> int | None:
    """Read `50005` of sysfs, or `throttled=0x50005` of vcgencmd; both are hexadecimal."""
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", text)
    return None if found is None else int(found[1], 16)


def _ask_vcgencmd() -> str:
    program = shutil.which("vcgencmd")
    if program is None:
        return ""
    try:
        return run_to_end([program, "get_throttled"], limit_s=_ANSWER_S).stdout.strip()
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
