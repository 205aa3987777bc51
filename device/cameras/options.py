"""What a user may say about a camera, for the sources that know what to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field

SILENCE_S = 5.0
"""How long a camera may be silent; the slowest need about 3 s before their first frame."""


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """How to open a camera.

    Examples:
        >>> mode = edgeinfer.CameraOptions(size=(1280, 720), fps=30, wait=True)
        >>> edgeinfer.open("photos.edgebundle", camera="/dev/video0", camera_options=mode)

    Attributes:
        covers: (width, height) of the model's input; the smallest mode that covers it is chosen.
            None where that is not known.
        size: (width, height) to use instead.
        fps: frames per second to use; None chooses.
        pixel_format: the format to use, by V4L2's name such as "MJPG"; None chooses.
        controls: values of the camera's controls by name, such as {"brightness": "100"}.
        timeout_s: how long it may be without a new picture before it counts as stopped.
        wait: wait for a camera that is not there yet instead of failing.
        give_up_s: end that wait after this time; None for never.
    """

    covers: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    pixel_format: str | None = None
    controls: dict[str, str] = field(default_factory=dict)
    timeout_s: float = SILENCE_S
    wait: bool = False
    give_up_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        for name, sides in (("covers", self.covers), ("size", self.size)):
            if sides is not None and min(sides) < 1:
                raise ValueError(f"{name} is {sides}, expected sides from 1")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise ValueError(f"fps is {self.fps}, expected a rate above 0")
        if self.give_up_s is not None and not self.give_up_s > 0:
            raise ValueError(f"give_up_s is {self.give_up_s}, expected seconds above 0")
        if not 0 < self.timeout_s < float("inf"):
            raise ValueError(f"timeout_s is {self.timeout_s}, expected seconds above 0")
