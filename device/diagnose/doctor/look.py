"""What the doctor checks of one accelerator: the usual, or what another package adds."""

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
    """The usual check of an accelerator; an accelerator that needs more has its own subclass.

    Attributes:
        shared: its library can be tried while another program uses the accelerator.
        command: installs its library; may be empty.
    """

    shared: ClassVar[bool] = True
    command: ClassVar[str] = ""

    def judge_devices(
        self, accelerator: Accelerator, devices: Sequence[Device], system: System
    ) -> list[Finding]:
        """Return for each device whether this user may use it."""
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
        """Return what is wrong with the package of a library that loaded without an error.

        Args:
            system: the machine.
            runtime: name and version of the runtime.
        """
        return []


def look_of(accelerator: Accelerator) -> Look:
    """Return the check of an accelerator: its own, or the usual one."""
    found = load_accelerator(GROUP, accelerator.name, Look)
    return found if isinstance(found, Look) else Look()
