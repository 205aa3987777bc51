"""Boards in a folder: a sysfs that tests fill and change."""

from __future__ import annotations

from pathlib import Path


class FakeBoard:
    """A sysfs; temperatures in °C."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: object) -> None:
        """Write a file below the root, whole, as the kernel's are."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.fresh")
        fresh.write_text(f"{content}\n")
        fresh.replace(file)

    def zone(
        self, celsius: float, *, number: int = 0, name: str = "cpu-thermal", **trips: float
    ) -> None:
        """Set a thermal zone; trips by kind, for example passive=85."""
        folder = f"class/thermal/thermal_zone{number}"
        self.write(f"{folder}/type", name)
        self.write(f"{folder}/temp", round(celsius * 1000))
        for index, (kind, degrees) in enumerate(trips.items()):
            self.write(f"{folder}/trip_point_{index}_type", kind)
            self.write(f"{folder}/trip_point_{index}_temp", round(degrees * 1000))

    def monitor(self, number: int, name: str, **files: object) -> None:
        """Set a hardware monitor's files."""
        self.write(f"class/hwmon/hwmon{number}/name", name)
        for file, content in files.items():
            self.write(f"class/hwmon/hwmon{number}/{file}", content)

    def throttled(self, bits: int) -> None:
        """Set the firmware's bits, as the Raspberry Pi's kernel shows them."""
        self.write("devices/platform/soc/soc:firmware/get_throttled", f"{bits:x}")
