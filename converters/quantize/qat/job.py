"""The input and the result of quantization-aware training."""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.device.preprocess import PreprocessSpec

TUNED_FILE = "tuned.keras"


@dataclass(frozen=True, kw_only=True)
class QatJob:
    """What to train, and how.

    Attributes:
        keras_model: the `.keras` file; its input is (H, W, C) float32.
        preprocess: how the images become inputs.
        images: raw uint8 images of `preprocess.shape`, one after another.
        output_folder: receives TUNED_FILE.
        calibration_images: how many of the images, the first, give the activations' ranges.
        epochs: rounds over all images.
        learning_rate: of Adam at the start; a cosine takes it to 0.
        batch_size: images a step.
        seed: of their order.
        calibration: how ranges are chosen.
        per_tensor_dense: one scale for all weights of a dense layer.
        distribution: whether the numbers of the output are one distribution, as logits are.
    """

    keras_model: str
    preprocess: PreprocessSpec
    images: str
    output_folder: str
    calibration_images: int
    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    calibration: CalibrationMethod
    per_tensor_dense: bool
    distribution: bool = True


@dataclass(frozen=True, kw_only=True)
class QatAnswer:
    """The result.

    Attributes:
        losses: before training and of each epoch, the mean over the images.
        uncovered: names of layers whose inner results were not rounded.
    """

    losses: tuple[float, ...]
    uncovered: tuple[str, ...]
