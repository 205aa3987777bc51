"""Opens a V4L2 camera, and the same one again."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.camera import V4l2Camera
from edgeinfer.device.cameras.v4l2.devices import FoundCamera, find_again, first_camera


class V4l2Opener:
    """Opens a camera, and the same one again after it was unplugged, under whatever number.

    Args:
        path: the device that the user named; None for the first that is found.
        options: as for `V4l2Camera`.
    """

    def __init__(self, path: Path | None, options: CameraOptions) -> None:
        self._path = path
        self._options = options
        self._known: FoundCamera | None = None

    def __call__(self) -> V4l2Camera:
        """Open it; raises as `V4l2Camera` does."""
        if self._known is not None:
            path = find_again(self._known)
        else:
            path = self._path if self._path is not None else first_camera().path
        camera = V4l2Camera(path, self._options)
        self._known = camera.found
        return camera
