"""What a user may choose for any conversion, from any source of models."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.quantize.repair import RepairLimit
from edgeinfer.converters.targets.targets import Targets
from edgeinfer.device.pictures.pixel_formats import JpegReduction


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """How to convert a model, for `edgeinfer.convert`.

    Examples:
        >>> options = edgeinfer.ConvertOptions(golden_frames=20, jpeg_reduction=4)
        >>> edgeinfer.convert("runs/photos", "photos.edgebundle", options)

    Attributes:
        calibration_images: how many pictures are used to find the value ranges of the model's
            layers.
        golden_frames: how many test pictures are stored in the bundle, with their answers.
            `edgeinfer verify` compares them with the answers of a board.
        seed: random seed of the choice of these pictures.
        layer_pictures: how many pictures are used to measure how much each layer loses.
        quantize: how the model is made smaller. By default INT8.
        repair: what may be tried if the INT8 model loses too much accuracy: "none", "clipping",
            "equalization", "mixed" or "training". Each one also allows those before it; "training"
            takes minutes.
        jpeg_reduction: JPEGs are decoded at 1/2, 1/4 or 1/8 of their size if this is 2, 4 or 8, but
            never smaller than the model's input. This is faster on the board; the accuracy is
            measured with it. 1 decodes at full size.
        targets: the accelerators that get a separate variant, with their settings. To choose
            them by a board's name, use `edgeinfer.convert(board=...)` instead.

    Raises:
        ValueError: a number of pictures is below 1.
    """

    calibration_images: int = 300
    golden_frames: int = 10
    seed: int = 0
    layer_pictures: int = 64
    quantize: QuantizeOptions = field(default_factory=QuantizeOptions)
    repair: RepairLimit = "training"
    jpeg_reduction: JpegReduction = 1
    targets: Targets = field(default_factory=Targets)

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if min(self.calibration_images, self.golden_frames, self.layer_pictures) < 1:
            raise ValueError("calibration_images, golden_frames, layer_pictures must be 1 or more")
