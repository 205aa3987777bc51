"""Temperatures and the power supply, in a made-up /sys; vcgencmd is a program of our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.checks.heat import HeatCheck, judge_throttled
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.loop.supervision.rpi_firmware import decode_throttled

Write = Callable[[str, str], Path]
ZONE = "/sys/class/thermal/thermal_zone0"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return System(root=tmp_path / "root", timeout_s=5)


def found(system: System) -> dict[str, Finding]:
    return {finding.subject: finding for finding in HeatCheck().run(system)}


@pytest.mark.parametrize(
    ("millidegrees", "state"), [("55000", "ok"), ("72000", "note"), ("80000", "broken")]
)
def test_the_hottest_zone_counts(
    write: Write, system: System, millidegrees: str, state: str
) -> None:
    write(f"{ZONE}/temp", millidegrees + "\n")
    write(f"{ZONE}/type", "cpu-thermal\n")
    write("/sys/class/thermal/thermal_zone1/temp", "41000\n")
    write("/sys/class/thermal/thermal_zone2/temp", "no number\n")
    finding = found(system)["temperature"]
    assert finding.state == state
    assert "cpu-thermal" in finding.got


def test_a_zones_own_limit_counts(write: Write, system: System) -> None:
    write(f"{ZONE}/temp", "66000\n")
    for number, (kind, temperature) in enumerate([("active", "40000"), ("passive", "65000")]):
        write(f"{ZONE}/trip_point_{number}_type", kind + "\n")
        write(f"{ZONE}/trip_point_{number}_temp", temperature + "\n")
    finding = found(system)["temperature"]
    assert finding.state == "broken"
    assert "65 °C" in finding.expected


def test_an_edgetpu_on_pcie(write: Write, system: System) -> None:
    write(f"{ZONE}/temp", "50000\n")
    write("/sys/class/apex/apex_0/temp", "90000\n")
    (finding,) = HeatCheck().run(system)
    assert finding.state == "broken"
    assert "apex_0" in finding.got


def test_a_machine_without_sensors(system: System) -> None:
    assert found(system)["temperature"].state == "ok"


@pytest.mark.parametrize(
    ("bits", "states"),
    [
        (0x0, {"power": "ok"}),
        (0x50005, {"power": "broken", "clock rate": "broken"}),
        (0x10000, {"power": "note"}),
        (0x80008, {"power": "ok", "clock rate": "broken"}),
        (0x60000, {"power": "ok", "clock rate": "note"}),
    ],
)
def test_the_firmwares_bits(bits: int, states: dict[str, str]) -> None:
    found = judge_throttled(decode_throttled(bits))
    assert {finding.subject: finding.state for finding in found} == states


def test_the_kernel_tells_the_bits_in_hexadecimal(write: Write, system: System) -> None:
    write("/sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    assert found(system)["power"].state == "broken"


def test_the_voltage_alarm_of_hwmon(write: Write, system: System) -> None:
    write("/sys/class/hwmon/hwmon0/name", "rpi_volt\n")
    write("/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
    assert found(system)["power"].state == "broken"
    write("/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0\n")
    assert found(system)["power"].state == "ok"


def make_vcgencmd(tmp_path: Path, script: str) -> None:
    program = tmp_path / "bin" / "vcgencmd"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(("model", "told"), [("Raspberry Pi 5", True), ("Raspberry Pi 4", False)])
def test_a_supply_that_promises_too_little(
    write: Write, tmp_path: Path, system: System, model: str, told: bool
) -> None:
    write("/proc/device-tree/model", f"{model} Model B Rev 1.0\0")
    script = 'test $1 = get_config && echo "$2=0" || echo throttled=0x0'
    make_vcgencmd(tmp_path, script)
    findings = found(system)
    assert findings["power"].state == "ok"
    assert ("USB power" in findings) == told


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("echo throttled=0x0", "ok"),
        ("echo throttled=0x1", "broken"),
        ("echo 'VCHI initialization failed' >&2; exit 255", "note"),
    ],
)
def test_vcgencmd(tmp_path: Path, system: System, script: str, state: str) -> None:
    make_vcgencmd(tmp_path, script)
    assert found(system)["power"].state == state
