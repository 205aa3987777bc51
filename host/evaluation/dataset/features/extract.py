"""Features of pictures from EfficientNet-Lite0 with its ImageNet weights, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.data.groups.near.sketch import read_small
from edgeinfer.host.evaluation.dataset.looks import Look
from edgeinfer.host.extras import check_host_extra, require_host_extra
from edgeinfer.host.models import efficientnet_lite

SIDE = 224
"""Pictures are scaled to a square of this side; at 160 heads are wrong half as often again."""

_BATCH = 32


def check_available(command: str) -> None:
    """Check, without importing anything, that features can be computed.

    Raises:
        MissingExtraError: the [host] extra, or the weights, are not installed.
    """
    check_host_extra(command)
    efficientnet_lite.packaged_weights()


def extract(looks: Sequence[Look], *, progress: Progress, threads: int = 2) -> NDArray[np.float32]:
    """Return the features of every picture, (n, 1280) float32.

    Args:
        looks: the pictures.
        progress: reports each picture.
        threads: how many pictures are decoded at the same time.

    Raises:
        MissingExtraError: the [host] extra, or the weights, are not installed.
        ImageError: a picture cannot be read.
    """
    require_host_extra("data check --deep", progress)
    import keras
    import tensorflow as tf

    model = efficientnet_lite.build((SIDE, SIDE, 3), 2, initializer="zeros")
    efficientnet_lite.load_weights(model)
    frozen = keras.Model(model.input, model.get_layer("pool").output)
    call = tf.function(lambda batch: frozen(batch, training=False), reduce_retracing=True)
    features = np.empty((len(looks), frozen.output_shape[-1]), np.float32)
    progress.start("features of the pictures", len(looks))
    inputs = ordered_map(_input, (look.sample.source for look in looks), threads=threads)
    start = 0
    while batch := list(islice(inputs, _BATCH)):
        features[start : start + len(batch)] = np.asarray(call(np.stack(batch)))
        start += len(batch)
        progress.advance(len(batch))
    return features


def _input(path: str) -> NDArray[np.float32]:
    pixels, _ = read_small(path)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return (small.astype(np.float32) - 127) / 128
