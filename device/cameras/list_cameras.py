"""What cameras there are, with their modes and controls."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from edgeinfer.device.cameras.v4l2.controls import Control, list_controls
from edgeinfer.device.cameras.v4l2.devices import (
    FoundCamera,
    open_device,
    open_error,
    probe_cameras,
)
from edgeinfer.device.cameras.v4l2.grey16 import NEEDS_RANGE
from edgeinfer.device.cameras.v4l2.modes import (
    READABLE,
    Mode,
    ModeWish,
    list_formats,
    list_modes,
    rank_modes,
)
from edgeinfer.device.core.errors import CameraError, printable

OTHER_SOURCES = (
    ("picamera", "a Raspberry Pi's CSI camera, where Picamera2 is"),
    ("http://..., rtsp://...", "a network camera: a stream, or single pictures"),
    ("gst:PIPELINE", "a GStreamer pipeline, where OpenCV has GStreamer"),
    ("-", "JPEG pictures on stdin"),
    ("clip.mp4", "a video file"),
    ("folder/, 'photos/*.jpg'", "pictures"),
    ("simulated", "labelled pictures moving past"),
)
"""What else `--camera` takes, with a few words on each."""


@dataclass(frozen=True, kw_only=True)
class ListedCamera:
    """A V4L2 camera and what it offers.

    Attributes:
        found: what it says of itself.
        modes: what it sends; none where the driver does not list sizes.
        formats: the formats, by V4L2's names.
        controls: what can be set.
        fault: why it could not be asked; empty otherwise.
    """

    found: FoundCamera
    modes: list[Mode]
    formats: list[str]
    controls: list[Control]
    fault: str = ""

    def best(self, wish: ModeWish) -> Mode | None:
        """Return the mode that would be chosen; None where none is without more options."""
        usable = [mode for mode in self.modes if mode.fourcc not in NEEDS_RANGE]
        return next(iter(rank_modes(usable, wish)), None)

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        chosen = self.best(ModeWish())
        answer: dict[str, object] = {
            "source": str(self.found.path),
            "kind": "v4l2",
            "name": printable(self.found.name),
            "bus": printable(self.found.bus),
            "link": None if self.found.link is None else str(self.found.link),
            "formats": [printable(name) for name in self.formats],
            "modes": [
                {
                    "format": printable(mode.fourcc),
                    "size": list(mode.size),
                    "fps": list(mode.rates),
                    "readable": mode.fourcc in READABLE,
                    "chosen": mode == chosen,
                }
                for mode in self.modes
            ],
            "controls": [control.to_json() for control in self.controls],
        }
        return answer | ({"fault": self.fault} if self.fault else {})


@dataclass(frozen=True, kw_only=True)
class CsiCamera:
    """A camera that Picamera2 sees.

    Attributes:
        number: Picamera2's number of it.
        model: the sensor's name, such as "imx708".
    """

    number: int
    model: str

    @property
    def source(self) -> str:
        """What `--camera` takes for it."""
        return f"picamera:{self.number}"

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {"source": self.source, "kind": "picamera", "name": printable(self.model)}


@dataclass(frozen=True, kw_only=True)
class CameraListing:
    """All cameras, and why others cannot be used.

    Attributes:
        v4l2: cameras at /dev/videoN.
        csi: cameras that Picamera2 sees.
        denied: an error for each device that this user may not open.
    """

    v4l2: list[ListedCamera]
    csi: list[CsiCamera]
    denied: list[CameraError]

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {
            "cameras": [camera.to_json() for camera in self.v4l2]
            + [camera.to_json() for camera in self.csi],
            "denied": [{"source": error.subject, "error": str(error)} for error in self.denied],
        }

    def lines(self) -> list[str]:
        """Return it for people, with what else `--camera` takes."""
        width = max(len(source) for source, _ in OTHER_SOURCES)
        others = [f"  {source:{width}}  {what}" for source, what in OTHER_SOURCES]
        return [*self.camera_lines(), "", "--camera takes these as well:", *others]

    def camera_lines(self) -> list[str]:
        """Return the cameras alone, for people."""
        lines: list[str] = []
        for camera in self.v4l2:
            lines += [*_v4l2_lines(camera), ""]
        for csi in self.csi:
            lines += [f"{csi.source}  {printable(csi.model)}, by Picamera2", ""]
        for error in self.denied:
            lines += [f"{error}", ""]
        if not (self.v4l2 or self.csi or self.denied):
            lines += [_nothing(), ""]
        return lines[:-1]


def list_cameras() -> CameraListing:
    """Look at all cameras; none is switched on."""
    found, denied = probe_cameras()
    return CameraListing(v4l2=[_ask(camera) for camera in found], csi=_csi(), denied=denied)


def _csi() -> list[CsiCamera]:
    """Return what Picamera2 sees; nothing where it is not there."""
    if importlib.util.find_spec("picamera2") is None:
        return []
    try:
        from edgeinfer.device.cameras.picamera import import_picamera2

        found = import_picamera2().Picamera2.global_camera_info()
    except Exception:  # of whatever kind libcamera's are; opening one says what is wrong
        return []
    # libcamera lists USB cameras too, which are above already.
    return [
        CsiCamera(number=number, model=str(camera.get("Model", "camera")))
        for number, camera in enumerate(found)
        if "/usb@" not in str(camera.get("Id", ""))
    ]


def _ask(found: FoundCamera) -> ListedCamera:
    try:
        with open_device(found.path) as descriptor:
            return ListedCamera(
                found=found,
                modes=list_modes(descriptor, found.buffer_type),
                formats=list_formats(descriptor, found.buffer_type),
                controls=list_controls(descriptor),
            )
    except OSError as error:
        fault = str(open_error(found.path, error))
        return ListedCamera(found=found, modes=[], formats=[], controls=[], fault=fault)


def _v4l2_lines(camera: ListedCamera) -> list[str]:
    found = camera.found
    lines = [f"{found.path}  {printable(found.name)}, {printable(found.bus)}"]
    if found.link is not None:
        lines.append(f"  also {found.link}")
    if camera.fault:
        return [*lines, f"  {camera.fault}"]
    chosen = camera.best(ModeWish())
    by_format: dict[str, list[Mode]] = {}
    for mode in camera.modes:
        by_format.setdefault(mode.fourcc, []).append(mode)
    for name in camera.formats:
        note = "" if name in READABLE else "  (edgeinfer does not read this format)"
        if name in NEEDS_RANGE:
            note = "  (16-bit grey: needs --camera-range LOW,HIGH)"
        lines.append(f"  {printable(name)}{note}")
        for mode in by_format.get(name, []):
            mark = "  <- without a model" if mode == chosen else ""
            rates = " ".join(f"{rate:.4g}" for rate in mode.rates) or "rates unknown"
            size = f"{mode.size[0]}x{mode.size[1]}"
            lines.append(f"    {size:9}  {rates}{mark}")
        if not by_format.get(name):
            lines.append("    sizes unknown: the driver does not list them")
    if camera.controls:
        width = max(len(control.name) for control in camera.controls)
        lines.append("  controls (--camera-control NAME=VALUE)")
        for control in camera.controls:
            now = "" if control.value is None else f", now {control.value}"
            state = "" if control.settable else ", not to be set now"
            lines.append(f"    {control.name:{width}}  {control.allowed()}{now}{state}")
    return lines


def _nothing() -> str:
    return (
        "no camera found among /dev/video0 to /dev/video63: connect one, "
        "or try --camera simulated, which needs none"
    )
