"""Temperature, throttling and undervoltage."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.boards import detect_board
from edgeinfer.device.diagnose.doctor.child import run_child
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.loop.supervision.rpi_firmware import Throttled, read_throttled
from edgeinfer.device.loop.supervision.temperatures import (
    Temperature,
    read_temperatures,
    sysfs_root,
)

_NEAR_C = 10.0

_COOL = "add a heat sink or a fan; `edgeinfer run --max-fps 5` makes less heat"
_POWER = (
    "use the power supply made for the board (5.1 V; 3 A for a Raspberry Pi 4, 5 A for a 5) "
    "and a short cable; check with `vcgencmd get_throttled` afterwards"
)


class HeatCheck:
    """Whether heat or the power supply slows the board down."""

    title = "Heat and power"

    def run(self, system: System) -> Sequence[Finding]:
        """Check the temperatures, and what the firmware says about the power supply."""
        sysfs = sysfs_root() if system.root == Path("/") else system.path("/sys")
        return [
            *judge_temperatures(read_temperatures(sysfs)),
            *_power(sysfs, system),
            *usb_current(system),
        ]


def judge_temperatures(sensors: Sequence[Temperature]) -> list[Finding]:
    """Judge each sensor that is near its limit; if none is, return only the warmest."""
    if not sensors:
        return [ok("temperature", "the system has no sensor")]
    findings = [judge_temperature(sensor) for sensor in sensors]
    hot = [finding for finding in findings if finding.state != "ok"]
    return hot or [judge_temperature(max(sensors, key=lambda sensor: sensor.celsius))]


def judge_temperature(sensor: Temperature) -> Finding:
    """Compare a temperature with the limit at which the chip slows down."""
    got = f"{sensor.celsius:.0f} °C ({sensor.name})"
    expected = f"below {sensor.limit_c:.0f} °C, where it slows down"
    if sensor.margin_c <= 0:
        return broken("temperature", got, expected=expected, fix=_COOL)
    if sensor.margin_c <= _NEAR_C:
        return note("temperature", got, expected=f"well {expected}", fix=_COOL)
    return ok("temperature", got)


def _power(sysfs: Path, system: System) -> list[Finding]:
    """Judge the power supply of a Raspberry Pi; nothing on other boards."""
    throttled = read_throttled(sysfs)
    if throttled is not None:
        return judge_throttled(throttled)
    program = shutil.which("vcgencmd")
    if program is None:
        return []
    end = run_child([program, "get_throttled"], timeout_s=system.timeout_s)
    return [
        note(
            "power",
            f"vcgencmd does not answer ({end.reason})",
            fix="run `sudo usermod -aG video $USER`, then log in again: it needs that group",
        )
    ]


def judge_throttled(said: Throttled) -> list[Finding]:
    """Judge what the firmware says about the power supply and the clock."""
    if said.undervoltage:
        findings = [broken("power", "the voltage of the power supply is too low now", fix=_POWER)]
    elif said.undervoltage_occurred:
        got = "the voltage of the power supply was too low since the start"
        findings = [note("power", got, fix=_POWER)]
    else:
        findings = [ok("power", "the voltage of the power supply is right")]
    if said.slowed:
        findings.append(broken("clock rate", "the processor is slowed down now", fix=_COOL))
    elif said.capped_occurred or said.throttled_occurred or said.soft_limit_occurred:
        got = "the processor was slowed down since the start"
        findings.append(note("clock rate", got, fix=_COOL))
    return findings


def usb_current(system: System) -> list[Finding]:
    """Return whether a Raspberry Pi 5 limits its USB current, because the supply is below 5 A."""
    program = shutil.which("vcgencmd")
    if program is None or detect_board(system.root).name != "rpi5":
        return []
    end = run_child([program, "get_config", "usb_max_current_enable"], timeout_s=system.timeout_s)
    if "usb_max_current_enable=0" not in end.stdout:
        return []
    return [
        note(
            "USB power",
            "the power supply reports less than 5 A, so all USB devices together get 600 mA",
            expected="a supply of 5 V and 5 A; with less, USB cameras and accelerators may fail",
            fix="use the 27 W supply; or put `usb_max_current_enable=1` in "
            "/boot/firmware/config.txt if the supply has 5 A but does not report it",
        )
    ]
