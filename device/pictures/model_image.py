"""The choices of how a picture becomes the image of a model."""

from __future__ import annotations

from typing import Literal

Channels = Literal["rgb", "bgr", "grey"]
"""The colour channels of a model's input, and their order."""

InputChannels = Literal["rgb", "bgr", "grey", "rgba"]
"""The same, and a fourth channel of full opacity, which some models of others have."""

Layout = Literal["hwc", "chw", "hw"]
"""The order of a model input's axes, see `PreprocessSpec.layout`."""

CropPolicy = Literal["stretch", "center-crop", "letterbox"]
"""What happens to a picture of another aspect ratio, see `PreprocessSpec.crop`."""
