"""What a user may choose for any conversion, from any source of models."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.quantize.repair import RepairLimit
from edgeinfer.converters.targets.targets import Targets
from edgeinfer.device.pictures.pixel_formats import JpegReduction


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """What the user may choose; options of one kind of source are in that source.

    Examples:
        >>> options = edgeinfer.ConvertOptions(golden_frames=20, jpeg_reduction=4)
        >>> edgeinfer.convert("runs/photos", "photos.edgebundle", options)

    Attributes:
        calibration_images: how many pictures calibrate the activations.
        golden_frames: how many frames the bundle carries for `verify`.
        seed: picks the calibration pictures.
        layer_pictures: how many pictures the layer error table is made of.
        quantize: how the model that the bundle carries is made.
        repair: how far to go if INT8 loses too much.
        jpeg_reduction: JPEGs are decoded smaller by at most this factor, in calibration, evaluation
            here and from the camera on the board; see `PreprocessSpec`.
        targets: the accelerators that get their own variant.
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
