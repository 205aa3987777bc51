"""The check that the service's camera exists and is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import RemoteError, printable
from edgeinfer.device.diagnose.doctor.checks.csi import is_internal
from edgeinfer.device.releases.untrusted_json import parse_json
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.run_options import RunOptions

SERVICE = "edgeinfer.service"
PROBE = Path(__file__).resolve().parent / "camera_probe.py"


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A video device there, see `camera_probe`."""

    node: str
    name: str
    state: str
    holders: tuple[str, ...]
    units: tuple[str, ...]


def read_cameras(board: Board, python: str) -> tuple[Camera, ...]:
    """Ask a board for its cameras, as root, who can see which programs use them.

    Raises:
        UnreachableError: the connection failed.
        RemoteError: it does not list them.
    """
    source = PROBE.read_text(encoding="utf-8")
    return parse_cameras(board.name, board.as_root([python, "-I", "-c", source]).stdout)


def parse_cameras(host: str, text: str) -> tuple[Camera, ...]:
    """Read what the camera probe printed.

    Raises:
        RemoteError: that is not its list.
    """
    try:
        document = parse_json(text.strip().splitlines()[-1])
        return tuple(_camera(entry) for entry in document)
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise RemoteError(
            host, got="does not list its cameras", expected="Python 3 that works there"
        ) from error


def check_camera(cameras: Sequence[Camera], options: RunOptions, host: str) -> Camera | None:
    """Refuse if the service's camera is missing or used by another program.

    Returns:
        The camera; None if it is not a V4L2 camera.

    Raises:
        RemoteError: it is missing, or another program uses it.
    """
    wanted = options.v4l2_node
    if wanted is None:
        return None
    real = [each for each in cameras if each.state != "no" and not is_internal(each.name)]
    if wanted.startswith("/dev/video"):
        real = [each for each in cameras if each.node == wanted and each.state != "no"]
    elif wanted:
        return None  # udev's links are resolved there
    if not real:
        raise RemoteError(
            host,
            got=f"has no camera{f' {wanted}' if wanted else ''}",
            expected="a connected camera",
            next_step="connect it, name another after `--` (`-- --camera SOURCE`), or try with "
            "`-- --camera simulated`",
        )
    free = [each for each in real if each.state == "free" or SERVICE in each.units]
    if free:
        return free[0]
    taken = real[0]
    if taken.state == "busy":
        raise RemoteError(
            host,
            got=f"its camera {taken.node} is used by {' and '.join(taken.holders) or 'another'}",
            expected="a free camera",
            next_step="end that program there" + _stop_advice(taken),
        )
    raise RemoteError(
        host,
        got=f"its camera {taken.node} cannot be opened ({taken.state})",
        expected="a working camera",
        next_step="unplug it and plug it in again",
    )


def _camera(entry: Mapping[str, object]) -> Camera:
    holders = entry["holders"]
    if not isinstance(holders, list):
        raise TypeError("holders")
    return Camera(
        node=printable(str(entry["node"])),
        name=printable(str(entry["name"])),
        state=printable(str(entry["state"])),
        holders=tuple(
            printable(f"{each['unit'] or each['name'] or 'a program'} (process {each['process']})")
            for each in holders
        ),
        units=tuple(printable(str(each["unit"])) for each in holders),
    )


def _stop_advice(camera: Camera) -> str:
    unit = next((unit for unit in camera.units if unit), "")
    return f": sudo systemctl disable --now {unit}" if unit else ""
