"""A V4L2 camera's controls (brightness, exposure, focus), by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgeinfer.device.cameras.v4l2 import abi
from edgeinfer.device.core.errors import CameraError, UsageError, printable

MAX_CONTROLS = 512
MAX_MENU = 64

_KINDS = {
    abi.CTRL_TYPE_INTEGER: "integer",
    abi.CTRL_TYPE_BOOLEAN: "boolean",
    abi.CTRL_TYPE_MENU: "menu",
    abi.CTRL_TYPE_INTEGER_MENU: "menu",
}


@dataclass(frozen=True, kw_only=True)
class Control:
    """One of a camera's controls.

    Attributes:
        identifier: V4L2's number of it.
        name: as v4l2-ctl writes it, such as "exposure_time_absolute".
        kind: "integer", "boolean" or "menu".
        minimum: the smallest value.
        maximum: the largest value.
        step: between values, from the smallest.
        default: the driver's value.
        value: the present one; None where it cannot be read.
        menu: the names of a menu's values.
        settable: false for one that is only read, or that another control overrules now.
    """

    identifier: int
    name: str
    kind: str
    minimum: int
    maximum: int
    step: int
    default: int
    value: int | None
    menu: dict[int, str]
    settable: bool

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {
            "name": self.name,
            "kind": self.kind,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "step": self.step,
            "default": self.default,
            "value": self.value,
            "menu": {str(value): name for value, name in self.menu.items()},
            "settable": self.settable,
        }

    def allowed(self) -> str:
        """Return for people which values it takes."""
        if self.menu:
            return ", ".join(f"{value} ({name})" for value, name in self.menu.items())
        if self.kind == "boolean":
            return "0 or 1"
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.minimum} to {self.maximum}{steps}"

    def parse(self, text: str) -> int:
        """Return the value that a text gives: a number, or the name of a menu's entry.

        Raises:
            ValueError: the control does not take it.
        """
        wanted = control_name(text)
        for number, name in self.menu.items():
            if wanted and wanted == control_name(name):
                return number
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", text.strip()):
            raise ValueError("is not a value of it")
        value = int(text)
        in_range = self.minimum <= value <= self.maximum
        if not in_range or (self.menu and value not in self.menu):
            raise ValueError("is not a value of it")
        if self.kind == "integer" and self.step > 1 and (value - self.minimum) % self.step:
            raise ValueError("is between its steps")
        return value


def control_name(text: str) -> str:
    """Return a driver's name of a control as v4l2-ctl writes it: "Gain, Auto" is gain_auto."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def list_controls(descriptor: int) -> list[Control]:
    """Return a camera's controls of the kinds that a number can set, in the driver's order."""
    controls: list[Control] = []
    last = 0
    for _ in range(MAX_CONTROLS):
        query = abi.QueryControl(id=last | abi.CTRL_FLAG_NEXT)
        try:
            abi.call(descriptor, abi.VIDIOC_QUERYCTRL, query)
        except OSError:
            break
        if query.id <= last:
            break  # a driver that lists in a circle
        last = query.id
        kind = _KINDS.get(query.type)
        if kind is None or query.flags & abi.CTRL_FLAG_DISABLED:
            continue
        controls.append(
            Control(
                identifier=query.id,
                name=control_name(abi.text(query.name)),
                kind=kind,
                minimum=query.minimum,
                maximum=query.maximum,
                step=query.step,
                default=query.default_value,
                value=_value(descriptor, query.id),
                menu=_menu(descriptor, query) if kind == "menu" else {},
                settable=not query.flags & (abi.CTRL_FLAG_READ_ONLY | abi.CTRL_FLAG_INACTIVE),
            )
        )
    return controls


def set_controls(descriptor: int, wanted: Mapping[str, str], *, subject: object) -> None:
    """Set controls by name, in the order given: some allow others only after them.

    Args:
        descriptor: the open device.
        wanted: values by name.
        subject: what errors call the camera.

    Raises:
        UsageError: there is no such control, or it does not take the value.
        CameraError: the driver refused the value.
    """
    if not wanted:
        return
    controls = {control.name: control for control in list_controls(descriptor)}
    for name, text in wanted.items():
        control = controls.get(control_name(name))
        if control is None:
            raise UsageError(
                subject,
                got=f"has no control '{name}'",
                expected=f"one of {', '.join(controls)}" if controls else "",
                next_step="" if controls else "this camera has no controls at all",
            )
        try:
            value = control.parse(text)
        except ValueError as error:
            raise UsageError(
                f"{subject}: control {control.name}",
                got=f"'{text}' {error}",
                expected=control.allowed(),
            ) from error
        try:
            abi.call(
                descriptor,
                abi.VIDIOC_S_CTRL,
                abi.ControlValue(id=control.identifier, value=value),
            )
        except OSError as error:
            raise CameraError(
                f"{subject}: control {control.name}",
                got=f"the driver refused {value} ({(error.strerror or str(error)).lower()})",
                next_step="another control may overrule it, such as one that ends in _auto",
            ) from error


def _value(descriptor: int, identifier: int) -> int | None:
    answer = abi.ControlValue(id=identifier)
    try:
        abi.call(descriptor, abi.VIDIOC_G_CTRL, answer)
    except OSError:
        return None
    return int(answer.value)


def _menu(descriptor: int, query: abi.QueryControl) -> dict[int, str]:
    """Return a menu's entries; the numbers between them are not values."""
    entries: dict[int, str] = {}
    for index in range(max(0, query.minimum), min(query.maximum, MAX_MENU) + 1):
        answer = abi.QueryMenu(id=query.id, index=index)
        try:
            abi.call(descriptor, abi.VIDIOC_QUERYMENU, answer)
        except OSError:
            continue
        if query.type == abi.CTRL_TYPE_INTEGER_MENU:
            entries[index] = str(answer.item.value)
        else:
            entries[index] = printable(abi.text(answer.item.name))
    return entries
