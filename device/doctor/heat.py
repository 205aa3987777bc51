"""Temperature, throttling and undervoltage."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from edgeinfer.boards import detect_board
from edgeinfer.device.doctor.child import ChildEnd, run_child
from edgeinfer.device.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.doctor.system import System, read_number, read_text

THROTTLE_C = 80.0
"""Where a Raspberry Pi begins to slow down (Raspberry Pi documentation, "Frequency management and
thermal control"); other systems state limits of their own."""
EDGE_TPU_HOT_C = 85.0
"""Where the driver of an Edge TPU on PCIe lowers its clock first (84.8 °C: Coral's "Manage the PCIe
module temperature")."""
_NEAR_C = 10.0

UNDERVOLTAGE, CAPPED, THROTTLED, SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
_SINCE_BOOT = 16
"""`vcgencmd get_throttled`: the same bits, so far up, tell what has happened since the start."""

_GET_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"

_COOL = "give it a heat sink or a fan, and air; `edgeinfer run --max-fps 5` makes less heat"
_POWER = (
    "use the power supply made for the board (5.1 V; 3 A for a Raspberry Pi 4, 5 A for a 5) "
    "and a short cable; look at `vcgencmd get_throttled` afterwards"
)


class HeatCheck:
    """Whether heat or the power supply slows the board down."""

    title = "Heat and power"

    def run(self, system: System) -> Sequence[Finding]:
        """Look at temperatures, and at what the firmware says of its supply."""
        return [*temperatures(system), *power(system), *usb_current(system)]


def temperatures(system: System) -> list[Finding]:
    """Judge the hottest zone of the processor, and each Edge TPU on PCIe."""
    zones = []
    for zone in system.glob("/sys/class/thermal/thermal_zone*"):
        millidegrees = read_number(zone / "temp")
        if millidegrees is not None:
            zones.append((millidegrees / 1000, read_text(zone / "type") or zone.name, zone))
    if not zones:
        findings = [ok("temperature", "the system tells none")]
    else:
        celsius, name, zone = max(zones)
        trips = [
            read_number(trip.with_name(trip.name.replace("_type", "_temp")))
            for trip in sorted(zone.glob("trip_point_*_type"))
            if read_text(trip) in ("passive", "hot", "critical")
        ]
        limits = [trip / 1000 for trip in trips if trip is not None and trip > 0]
        findings = [judge_temperature(name, celsius, min([*limits, THROTTLE_C]))]
    for chip in system.glob("/sys/class/apex/apex_*"):
        millidegrees = read_number(chip / "temp")
        if millidegrees is not None:
            name = f"Edge TPU {chip.name}"
            findings.append(judge_temperature(name, millidegrees / 1000, EDGE_TPU_HOT_C))
    return findings


def judge_temperature(name: str, celsius: float, limit_c: float) -> Finding:
    """Compare a temperature with the one from which the chip slows down, both in °C."""
    got = f"{celsius:.0f} °C ({name})"
    expected = f"below {limit_c:.0f} °C, where it slows down"
    if celsius >= limit_c:
        return broken("temperature", got, expected=expected, fix=_COOL)
    if celsius >= limit_c - _NEAR_C:
        return note("temperature", got, expected=f"well {expected}", fix=_COOL)
    return ok("temperature", got)


def power(system: System) -> list[Finding]:
    """Judge the supply of a Raspberry Pi; nothing where the firmware cannot be asked."""
    program = shutil.which("vcgencmd")
    text = system.text(_GET_THROTTLED)
    if re.fullmatch(r"(0x)?[0-9a-f]+", text):
        return judge_throttled(int(text, 16))
    if program is not None:
        return judge_vcgencmd(run_child([program, "get_throttled"], timeout_s=system.timeout_s))
    alarms = [
        read_number(sensor / "in0_lcrit_alarm")
        for sensor in system.glob("/sys/class/hwmon/hwmon*")
        if read_text(sensor / "name") == "rpi_volt"
    ]
    return judge_throttled(UNDERVOLTAGE if any(alarms) else 0) if alarms else []


def usb_current(system: System) -> list[Finding]:
    """Say where a Raspberry Pi 5 gives its USB devices little, since the supply promised no 5 A."""
    program = shutil.which("vcgencmd")
    if program is None or detect_board(system.root).name != "rpi5":
        return []
    end = run_child([program, "get_config", "usb_max_current_enable"], timeout_s=system.timeout_s)
    if "usb_max_current_enable=0" not in end.stdout:
        return []
    return [
        note(
            "USB power",
            "the supply promises less than 5 A, so all USB devices together get 600 mA",
            expected="a supply of 5 V and 5 A: cameras and accelerators on USB drop out otherwise",
            fix="use the 27 W supply; or put `usb_max_current_enable=1` in "
            "/boot/firmware/config.txt where the supply has 5 A and does not say so",
        )
    ]


def judge_vcgencmd(end: ChildEnd) -> list[Finding]:
    """Judge what `vcgencmd get_throttled` printed, such as `throttled=0x50005`."""
    found = re.search(r"throttled=0x([0-9a-f]+)", end.stdout)
    if found:
        return judge_throttled(int(found[1], 16))
    return [
        note(
            "power",
            f"vcgencmd does not answer ({end.reason})",
            fix="run `sudo usermod -aG video $USER`, then log in again: it wants that group",
        )
    ]


def judge_throttled(bits: int) -> list[Finding]:
    """Judge the firmware's bits."""
    now, since_boot = bits, bits >> _SINCE_BOOT
    findings = []
    if now & UNDERVOLTAGE:
        findings.append(broken("power", "the supply's voltage is too low now", fix=_POWER))
    elif since_boot & UNDERVOLTAGE:
        got = "the supply's voltage was too low since the start"
        findings.append(note("power", got, fix=_POWER))
    else:
        findings.append(ok("power", "the supply's voltage is right"))
    if now & (CAPPED | THROTTLED | SOFT_LIMIT):
        findings.append(broken("clock rate", "the processor is slowed down now", fix=_COOL))
    elif since_boot & (CAPPED | THROTTLED | SOFT_LIMIT):
        findings.append(
            note("clock rate", "the processor was slowed down since the start", fix=_COOL)
        )
    return findings
