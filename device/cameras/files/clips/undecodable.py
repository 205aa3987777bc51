"""Why no frame of a video can be decoded, and what to do about it."""

from __future__ import annotations

import shlex
from pathlib import Path

from edgeinfer.device.cameras.files.clips.codecs import AV1
from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.core.errors import CameraError

CODEC = "codec"
"""The detail of the error's code for a video that this OpenCV has no decoder for."""


def undecodable(path: Path, facts: ClipFacts, *, opened: bool) -> CameraError:
    """Return the error for a video of which not one frame was decoded.

    Args:
        path: the file.
        facts: what its container says.
        opened: whether OpenCV opened it: it found a stream of pictures and a decoder for that.
    """
    if facts.fault:
        return no_video(path, facts.fault)
    if facts.pictures is False:
        return CameraError(
            path, got="holds no pictures, only sound or other data", expected="a video file"
        )
    # FFmpeg's own decoder of AV1 opens everywhere, and needs a graphics card's help to decode.
    absent = not opened and facts.whole is not False
    if facts.codec is not None and (absent or facts.codec == AV1):
        return CameraError(
            path,
            got=f"is {facts.codec} video, which this OpenCV cannot decode",
            expected="a video that it can, such as H.264",
            next_step=f"convert it with: {_conversion(path)}",
            detail=CODEC,
        )
    return no_video(path, "no frame can be decoded")


def no_video(path: Path, got: str) -> CameraError:
    """Return the error for a file that is not a whole video."""
    return CameraError(
        path,
        got=got,
        expected="a complete video file",
        next_step="play it elsewhere to see whether it is damaged",
    )


def _conversion(path: Path) -> str:
    """Return the command that makes an H.264 video of a file, in its folder."""
    converted = path.with_name(f"{path.stem}-h264.mp4")
    arguments = ["ffmpeg", "-i", str(path), "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    return shlex.join([*arguments, str(converted)])
