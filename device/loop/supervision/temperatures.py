"""What the board says of its temperature: thermal zones, hardware monitors, Edge TPUs on PCIe.

Linux documents the files in Documentation/ABI/testing/sysfs-class-thermal and
Documentation/hwmon/sysfs-interface.rst, Coral those of /sys/class/apex in "Manage the PCIe module
temperature"; all are in thousandths of a degree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

THROTTLE_C = 80.0
"""Where a Raspberry Pi's firmware begins to lower its clock (Raspberry Pi documentation, "Frequency
management and thermal control"); for processors whose kernel states no limit."""
BELOW_CRITICAL_C = 10.0
"""The limit is at least so far below the temperature at which the kernel shuts down."""
EDGE_TPU_LIMIT_C = 84.8
"""Where the driver of an Edge TPU on PCIe first lowers its clock, unless it states another."""
_PLAUSIBLE_C = (-40.0, 150.0)
"""Broken sensors and unused trip points say -273.2, or 256, which are not temperatures."""
_LOWEST_TRIP_C = 50.0
"""A trip point below this starts a fan, or is not set; no processor slows down there."""
_PROCESSORS = ("cpu", "soc", "core", "k10", "npu", "gpu", "tpu")
"""Parts of the names of the hardware monitors that heat from inference concerns; not disks."""


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """What one sensor says.

    Attributes:
        name: the sensor's, for the user.
        celsius: the temperature.
        limit_c: from here on the hardware slows itself down.
    """

    name: str
    celsius: float
    limit_c: float

    @property
    def margin_c(self) -> float:
        """How far it is below its limit; negative above it."""
        return self.limit_c - self.celsius


def sysfs_root() -> Path:
    """Return where sysfs is mounted: `EDGEINFER_SYSFS`, by default /sys."""
    return Path(os.environ.get("EDGEINFER_SYSFS", "/sys"))


def read_temperatures(sysfs: Path) -> list[Temperature]:
    """Read every sensor that heat from inference concerns; those that fail are left out.

    Args:
        sysfs: where sysfs is mounted.
    """
    zones = list(_zones(sysfs))
    # The kernel shows a thermal zone again as a hardware monitor, with _ for -.
    shown = {zone.name.replace("-", "_") for zone in zones}
    return [
        *zones,
        *_monitors(sysfs, skip=shown),
        *_edge_tpus(sysfs),
    ]


def _zones(sysfs: Path) -> Iterator[Temperature]:
    for zone in sorted(sysfs.glob("class/thermal/thermal_zone*")):
        celsius = _degrees(zone / "temp")
        if celsius is None:
            continue
        trips: dict[str, list[float]] = {}
        for kind in zone.glob("trip_point_*_type"):
            degrees = _degrees(kind.with_name(kind.name.removesuffix("type") + "temp"))
            if degrees is not None and degrees >= _LOWEST_TRIP_C:
                trips.setdefault(_text(kind), []).append(degrees)
        slowing = [*trips.get("passive", []), *trips.get("hot", [])]
        critical = [degrees - BELOW_CRITICAL_C for degrees in trips.get("critical", [])]
        limit_c = min(slowing) if slowing else min([THROTTLE_C, *critical])
        yield Temperature(name=_text(zone / "type") or zone.name, celsius=celsius, limit_c=limit_c)


def _monitors(sysfs: Path, *, skip: set[str]) -> Iterator[Temperature]:
    for chip in sorted(sysfs.glob("class/hwmon/hwmon*")):
        name = _text(chip / "name")
        if name in skip or not any(part in name for part in _PROCESSORS):
            continue
        for sensor in sorted(chip.glob("temp*_input")):
            celsius = _degrees(sensor)
            if celsius is None:
                continue
            stem = sensor.name.removesuffix("input")
            label = _text(chip / f"{stem}label")
            highest, critical = _degrees(chip / f"{stem}max"), _degrees(chip / f"{stem}crit")
            limit_c = THROTTLE_C if highest is None else highest
            if critical is not None:
                limit_c = min(limit_c, critical - BELOW_CRITICAL_C)
            yield Temperature(name=f"{name} {label}".strip(), celsius=celsius, limit_c=limit_c)


def _edge_tpus(sysfs: Path) -> Iterator[Temperature]:
    for chip in sorted(sysfs.glob("class/apex/apex_*")):
        celsius = _degrees(chip / "temp")
        if celsius is not None:
            limit_c = _degrees(chip / "trip_point0_temp")
            yield Temperature(
                name=f"Edge TPU {chip.name}",
                celsius=celsius,
                limit_c=EDGE_TPU_LIMIT_C if limit_c is None else limit_c,
            )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # absent, or the sensor does not answer


def _degrees(path: Path) -> float | None:
    try:
        celsius = int(_text(path)) / 1000
    except ValueError:
        return None
    low, high = _PLAUSIBLE_C
    return celsius if low < celsius < high else None
