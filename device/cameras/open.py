"""Opening the source of frames that a user names; each kind is imported when it is wanted."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.camera_url import GSTREAMER, without_secrets
from edgeinfer.device.core.errors import CameraError, UsageError
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from edgeinfer.device.cameras.files.labelled import LabelledPicture
    from edgeinfer.device.cameras.network.protocol.tls import Trust
    from edgeinfer.device.cameras.recovery.reconnect import Holder
    from edgeinfer.device.preprocess.spec import PreprocessSpec

SIMULATED = "simulated"
PLAYED_FPS = 30.0
"""The rate of what does not say one."""
STDIN = "-"
_NUMBER = re.compile("[0-9]{1,3}")
_PICAMERA = re.compile("picamera(:.*)?")
_URL = re.compile("[a-z]{3,5}://.*", re.IGNORECASE | re.DOTALL)
_SOURCES = "a camera, a URL, a video file, a folder or pattern of images, '-' or 'simulated'"


def needs_model(source: str) -> bool:
    """True for a source whose frames depend on the model: it can be opened only after that."""
    if is_device(source):
        return False
    named = source == SIMULATED or source.startswith(f"{SIMULATED}:")
    return named or is_pattern(source) or Path(source).is_dir()


def is_pattern(source: str) -> bool:
    """True for a pattern such as "photos/*.jpg"; a file of that very name comes first."""
    if source.startswith(GSTREAMER) or _URL.fullmatch(source):
        return False
    return glob.has_magic(source) and not Path(source).exists()


def is_device(source: str) -> bool:
    """True for a source that is a camera at this machine; its mode depends on the model's input."""
    named = _NUMBER.fullmatch(source) or _PICAMERA.fullmatch(source)
    return not source or named is not None or source.startswith("/dev/")


def open_camera(
    source: AnyPath | None,
    *,
    pictures: Callable[[], Sequence[LabelledPicture]] | None = None,
    fps: float | None = None,
    seed: int = 0,
    frame_limit: int | None = None,
    spec: PreprocessSpec | None = None,
    realtime: bool = False,
    options: CameraOptions | None = None,
) -> Camera:
    """Open the source that `source` names; a camera is opened again each time it fails.

    Args:
        source: None or "" for the first camera found; "0" or "/dev/video0"; "picamera" or
            "picamera:1"; a URL; "gst:PIPELINE"; a video file; a folder of images, or a pattern
            such as "photos/*.jpg"; "-" for JPEGs on stdin; "simulated" or "simulated:FOLDER". A
            file or folder with one of these names can be given as "./simulated".
        pictures: gives the labelled pictures that "simulated" shows, such as a bundle's golden
            frames; called only for that source.
        fps: the rate of the simulated camera, of a folder under `realtime`, and at which a URL that
            gives single pictures is asked for them. None takes 30, and of such a URL 1, or the
            rate in `options`.
        seed: the simulated camera's.
        frame_limit: after how many frames the simulated camera ends; None for never.
        spec: decode JPEG files as this model's preprocessing states; None for whole.
        realtime: play files at their own rate, as if they were live.
        options: a camera's mode and controls, and whether to wait for it.

    Raises:
        CameraError: there is no such source, or it cannot be opened.
        UsageError: the camera has no such mode or control, sends no grey of which a range is taken,
            or the source has no use for one of the options.
    """
    source = os.fspath(source or "")
    options = options if options is not None else CameraOptions()
    _refuse_unused(source, options)
    trust = _trust(source, options)
    rate = PLAYED_FPS if fps is None else fps
    if not source:
        return _open_device(None, options)
    if source == SIMULATED or source.startswith(f"{SIMULATED}:"):
        from edgeinfer.device.cameras.files.labelled import PictureFolder
        from edgeinfer.device.cameras.simulated import SimulatedCamera

        folder = source[len(SIMULATED) + 1 :]
        shown = PictureFolder(Path(folder)) if folder else _own_pictures(pictures)
        return SimulatedCamera(shown, fps=rate, seed=seed, frame_limit=frame_limit)
    path = Path(source)
    if _NUMBER.fullmatch(source):
        return _open_device(Path(f"/dev/video{int(source)}"), options)
    if _PICAMERA.fullmatch(source):
        return _open_picamera(source, options)
    if is_device(source):
        return _open_device(path, options)
    if source == STDIN:
        from edgeinfer.device.cameras.network.stdin import StdinCamera

        return StdinCamera(timeout_s=options.timeout_s)
    if source.startswith(GSTREAMER) or _URL.fullmatch(source):
        return _open_network(source, options, fps or options.fps, trust)
    if is_pattern(source):
        from edgeinfer.device.cameras.files.folder import PatternCamera

        return PatternCamera(source, fps=rate if realtime else None, spec=spec)
    if path.exists():
        return _open_files(path, fps=rate, spec=spec, realtime=realtime)
    from edgeinfer.device.cameras.v4l2.devices import connected

    raise CameraError(
        without_secrets(source),
        got="no such camera, file or folder",
        expected=_SOURCES,
        next_step=connected(),
    )


def _refuse_unused(source: str, options: CameraOptions) -> None:
    """Refuse the settings that a source has no use for, before it is opened.

    Raises:
        UsageError: one is given.
    """
    device = is_device(source)
    v4l2 = device and _PICAMERA.fullmatch(source) is None
    url = source.startswith(GSTREAMER) or _URL.fullmatch(source) is not None
    camera, of_v4l2 = "a camera at this machine", "a camera at /dev/videoN"
    for option, given, obeyed, expected in (
        ("--camera-size", options.size is not None, device, camera),
        ("--camera-fps", options.fps is not None, device or url, f"{camera} or at a URL"),
        ("--camera-format", options.pixel_format is not None, v4l2, of_v4l2),
        ("--camera-control", bool(options.controls), device, camera),
        (
            "--camera-range",
            options.raw_range is not None,
            v4l2,
            f"{of_v4l2} that sends grey of 10 to 16 bits",
        ),
    ):
        if given and not obeyed:
            raise UsageError(
                option,
                got=f"is given for {without_secrets(source)}",
                expected=expected,
                next_step="leave it out",
            )


def _open_device(path: Path | None, options: CameraOptions) -> Camera:
    """Open a V4L2 device, the first that is found where `path` is None."""
    from edgeinfer.device.cameras.v4l2.opener import V4l2Opener

    return _steady(V4l2Opener(path, options), options)


def _open_picamera(source: str, options: CameraOptions) -> Camera:
    from edgeinfer.device.cameras.picamera import PicameraCamera, picamera_number

    number = picamera_number(source)
    return _steady(lambda: PicameraCamera(number, options), options)


def _trust(source: str, options: CameraOptions) -> Trust | None:
    """Return which certificates of a camera are accepted; None if the user does not say.

    Raises:
        UsageError: the user does, and the source has none; or the file cannot be read.
    """
    if options.tls_ca is None and not options.tls_insecure:
        return None
    from edgeinfer.device.cameras.network.protocol.tls import CA_OPTION, INSECURE_OPTION, Trust

    if not source.lower().startswith("https://"):
        raise UsageError(
            INSECURE_OPTION if options.tls_insecure else CA_OPTION,
            got=f"is given for {without_secrets(source) or 'the first camera found'}",
            expected="a camera at an https:// URL, since only that shows a certificate",
        )
    return Trust(options.tls_ca, insecure=options.tls_insecure)


def _open_network(
    source: str, options: CameraOptions, fps: float | None, trust: Trust | None
) -> Camera:
    """Open a URL or a GStreamer pipeline."""
    from edgeinfer.device.cameras.network.opencv import OpencvCamera, open_url
    from edgeinfer.device.cameras.network.snapshot import SNAPSHOT_FPS
    from edgeinfer.device.cameras.network.urls import is_http, is_url
    from edgeinfer.device.cameras.recovery.reconnect import CONNECTION

    open_it: Callable[[], Camera]
    fps = SNAPSHOT_FPS if fps is None else fps
    if source.startswith(GSTREAMER):
        open_it = partial(OpencvCamera, source, without_secrets(source), options.timeout_s)
    elif is_url(source):
        open_it = partial(open_url, source, options, fps, trust)
    else:
        raise CameraError(
            without_secrets(source), got="is a URL of an unknown kind", expected="http, rtsp, ..."
        )
    # Between single pictures, nothing comes.
    pause_s = 1 / fps if is_http(source) else 0.0
    return _steady(open_it, options, holder=CONNECTION, pause_s=pause_s)


def _steady(
    open_it: Callable[[], Camera],
    options: CameraOptions,
    *,
    holder: Holder | None = None,
    pause_s: float = 0.0,
) -> Camera:
    """Return a camera that is opened again when it fails, as patiently as the options say."""
    from edgeinfer.device.cameras.recovery.reconnect import DRIVER, SteadyCamera

    return SteadyCamera(
        open_it,
        timeout_s=options.timeout_s + pause_s,
        wait=options.wait,
        give_up_s=options.give_up_s,
        holder=holder or DRIVER,
    )


def _open_files(path: Path, *, fps: float, spec: PreprocessSpec | None, realtime: bool) -> Camera:
    if path.is_dir():
        from edgeinfer.device.cameras.files.folder import FolderCamera

        return FolderCamera(path, fps=fps if realtime else None, spec=spec)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise CameraError(
            path,
            got="is a single photograph",
            expected=_SOURCES,
            next_step="`edgeinfer predict PHOTO` answers single photographs",
        )
    from edgeinfer.device.cameras.files.video import VideoCamera

    return VideoCamera(path, realtime=realtime)


def _own_pictures(
    pictures: Callable[[], Sequence[LabelledPicture]] | None,
) -> Sequence[LabelledPicture]:
    shown = pictures() if pictures is not None else []
    if not shown:
        raise CameraError(
            SIMULATED,
            got="the model does not contain pictures",
            next_step="name a folder with one sub-folder per class: --camera simulated:FOLDER",
        )
    return shown
