"""What a user may say about a camera, for the sources that know what to do with it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

SILENCE_S = 5.0
"""How long a camera may be silent; the slowest need about 3 s before their first frame."""

MAX_RAW = 65_535
"""The largest value of 16 bits."""


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """Settings of a camera, for `edgeinfer.open(camera_options=...)`.

    Examples:
        >>> settings = edgeinfer.CameraOptions(size=(1280, 720), fps=30, wait=True)
        >>> stream = edgeinfer.open(
        ...     "photos.edgebundle", camera="/dev/video0", camera_options=settings
        ... )

    Attributes:
        covers: (width, height) in pixels that the camera's pictures should have at least. None
            takes the size of the model's input.
        size: (width, height) of the camera's pictures in pixels. None takes the smallest size that
            is not below `covers`.
        fps: frame rate of the camera, in frames per second; of several rates the nearest is used.
            None takes the slowest one that is at least 24.
        pixel_format: format of the camera's pictures, by its V4L2 name such as "MJPG" or "YUYV".
            None takes the one that needs the least time.
        raw_range: (low, high) of a camera that sends grey of more than 8 bits, such as a thermal
            camera: the raw values that become black (0) and white (255); what is outside becomes
            those too. None takes the whole range of the formats Y10, Y12 and Y14; Y16 needs it.
        controls: values of the camera's controls by name, such as {"brightness": "100"}. The
            command `edgeinfer cameras` lists the controls of a camera.
        timeout_s: after this time without a new picture, in seconds, the camera counts as failed
            and is opened again.
        wait: whether to wait for a camera that is not connected yet, instead of raising a
            `CameraError`.
        tls_ca: a file with the certificates that a camera at an https:// URL may have, in PEM, such
            as its own self-signed one. None takes the authorities that the system trusts.
        tls_insecure: whether to accept any certificate. Others on the network can then read the
            password and replace the pictures.
        give_up_s: how long `wait` waits at most, in seconds. None waits for ever.

    Raises:
        ValueError: a size, rate or time is not above 0, or `raw_range` is not a range of 16 bits.
    """

    covers: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    pixel_format: str | None = None
    raw_range: tuple[int, int] | None = None
    controls: dict[str, str] = field(default_factory=dict)
    timeout_s: float = SILENCE_S
    wait: bool = False
    give_up_s: float | None = None
    tls_ca: str | os.PathLike[str] | None = None
    tls_insecure: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name, sides in (("covers", self.covers), ("size", self.size)):
            if sides is not None and min(sides) < 1:
                raise ValueError(f"{name} is {sides}, expected sides from 1")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise ValueError(f"fps is {self.fps}, expected a rate above 0")
        if self.raw_range is not None:
            low, high = self.raw_range
            if not 0 <= low < high <= MAX_RAW:
                raise ValueError(
                    f"raw_range is {self.raw_range}, expected low < high from 0 to {MAX_RAW}"
                )
        if self.give_up_s is not None and not self.give_up_s > 0:
            raise ValueError(f"give_up_s is {self.give_up_s}, expected seconds above 0")
        if not 0 < self.timeout_s < float("inf"):
            raise ValueError(f"timeout_s is {self.timeout_s}, expected seconds above 0")
