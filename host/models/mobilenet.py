"""A MobileNetV2 with a width factor, trained from scratch.

Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2.
Small pictures keep their detail longer: below 96 pixels the stem, below 48 also the first
reduction keeps the resolution.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.models.blocks import classifier, conv, inverted_residual, scaled

_STAGES = (
    # stride, expansion, filters, repeats
    (1, 1, 16, 1),
    (2, 6, 24, 2),
    (2, 6, 32, 3),
    (2, 6, 64, 4),
    (1, 6, 96, 3),
    (2, 6, 160, 3),
    (1, 6, 320, 1),
)
_LAST_FILTERS = 1280


def build(
    input_shape: tuple[int, int, int], classes: int, *, initializer: str, width: float
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out."""
    import keras

    side = min(input_shape[:2])
    inputs = keras.Input(input_shape, name="image")
    x = conv(
        inputs,
        scaled(32, width),
        stride=1 if side < 96 else 2,
        initializer=initializer,
        name="stem",
    )
    block = 0
    for stage, (stage_stride, expand, filters, repeats) in enumerate(_STAGES):
        first_stride = 1 if stage == 1 and side < 48 else stage_stride
        for repeat in range(repeats):
            x = inverted_residual(
                x,
                scaled(filters, width),
                kernel=3,
                stride=first_stride if repeat == 0 else 1,
                expand=expand,
                initializer=initializer,
                name=f"block{block}",
            )
            block += 1
    # The paper keeps 1,280 filters here for its 1,000 classes; a few classes need only
    # their share.
    x = conv(x, scaled(_LAST_FILTERS, width), kernel=1, initializer=initializer, name="head")
    outputs = classifier(x, classes, initializer=initializer)
    return keras.Model(inputs, outputs, name="mobilenet")
