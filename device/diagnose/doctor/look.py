"""What the doctor looks at of one accelerator: the usual, or what another package brings for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edgeinfer.device.accelerators.accelerator import Accelerator, Device
from edgeinfer.device.accelerators.registry import load_accelerator
from edgeinfer.device.diagnose.doctor.device_access import access_fix
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, ok
from edgeinfer.device.diagnose.doctor.system import System

GROUP = "edgeinfer.accelerators.doctor"


class Look:
    """The usual look at an accelerator; one that needs more brings a subclass of its own.

    Attributes:
        shared: its library can be tried while another program uses it.
        command: installs its library; may be empty.
    """

    shared: ClassVar[bool] = True
    command: ClassVar[str] = ""

    def judge_devices(
        self, accelerator: Accelerator, devices: Sequence[Device], system: System
    ) -> list[Finding]:
        """Say of each device whether this user may use it."""
        return [
            ok(accelerator.title, device.name)
            if device.usable or device.node is None
            else broken(
                accelerator.title,
                f"permission denied for {device.node}",
                fix=access_fix(device.node),
            )
            for device in devices
        ]

    def judge_package(self, system: System, runtime: str) -> list[Finding]:
        """Say what is wrong with the package of a library that did not fail when it was tried.

        Args:
            system: the machine.
            runtime: name and version.
        """
        return []


def look_of(accelerator: Accelerator) -> Look:
    """Return the look at an accelerator that is its own, else the usual one."""
    found = load_accelerator(GROUP, accelerator.name, Look)
    return found if isinstance(found, Look) else Look()
