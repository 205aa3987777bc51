"""What runs on the board: preprocessing, inference, verification and the camera loop.

    import edgeinfer.device

    for prediction in edgeinfer.device.open("x.edgebundle", camera="/dev/video0"):
        print(prediction.label, prediction.probability)

What goes on while it works, such as a camera that is away, is logged with the standard library's
`logging`, below the logger `edgeinfer`. A script that does not set up logging gets nothing.

Nothing here imports TensorFlow, Keras or the host's code; a test holds that. The names below are
imported when they are first asked for, so that a command that needs none of them starts fast.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeinfer.device.loop.stream import Stream
    from edgeinfer.device.loop.stream import open_stream as open
    from edgeinfer.device.models.model import Model
    from edgeinfer.device.pictures.decode import read_image
    from edgeinfer.device.runtime.delegates.request import DelegateRequest
    from edgeinfer.device.runtime.open_options import OpenOptions

__all__ = ["DelegateRequest", "Model", "OpenOptions", "Stream", "open", "read_image"]

# Otherwise Python would print warnings on the stderr of scripts that have not asked for them.
logging.getLogger("edgeinfer").addHandler(logging.NullHandler())

# A second bound after that of `pictures`: OpenCV refuses larger pictures by itself. It looks when
# it is loaded, so this works where nobody has loaded it before; it keeps what is set already.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))

_HOMES = {
    "DelegateRequest": ("edgeinfer.device.runtime.delegates.request", "DelegateRequest"),
    "Model": ("edgeinfer.device.models.model", "Model"),
    "OpenOptions": ("edgeinfer.device.runtime.open_options", "OpenOptions"),
    "Stream": ("edgeinfer.device.loop.stream", "Stream"),
    "open": ("edgeinfer.device.loop.stream", "open_stream"),
    "read_image": ("edgeinfer.device.pictures.decode", "read_image"),
}


if not TYPE_CHECKING:  # a checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        """Import a public name from its module (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)
