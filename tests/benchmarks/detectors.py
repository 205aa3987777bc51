"""Processor time of one answer of our detector, compared with a network that many boards run.

That is one of the shape of SSD-MobileNet v1 at 300x300 with COCO's 90 classes (Liu et al. 2016,
"SSD"; Howard et al. 2017, "MobileNets"): the same layers with random weights, which take the same
time. Both are INT8 with XNNPACK on one thread, in turns. Ours comes with its decoder, which the
other's file would have as one of its operators.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.reader import read_tflite
from tests.benchmarks.measure import Row, interleaved, ratio
from tests.benchmarks.peers import open_interpreter

SIDE, POINTS_SIDE, SSD_SIDE, SSD_CLASSES = 256, 128, 300, 91
_PICTURES = 4
_MOBILENET = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5)
"""Filters and stride of each block up to the first feature map."""


def ssd_mobilenet_v1() -> Any:
    """Return a Keras model of that shape, up to its boxes and class scores."""
    import keras
    from keras import layers

    def convolved(x: Any, filters: int, kernel: int = 1, stride: int = 1) -> Any:
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    def block(x: Any, filters: int, stride: int) -> Any:
        x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(x)
        return convolved(layers.ReLU(6.0)(layers.BatchNormalization()(x)), filters)

    inputs = keras.Input((SSD_SIDE, SSD_SIDE, 3))
    x = convolved(inputs, 32, 3, 2)
    for filters, stride in _MOBILENET:
        x = block(x, filters, stride)
    maps = [x]
    x = block(block(x, 1024, 2), 1024, 1)
    maps.append(x)
    for narrow, wide in ((256, 512), (128, 256), (128, 256), (64, 128)):
        x = convolved(convolved(x, narrow), wide, 3, 2)
        maps.append(x)
    boxes, scores = [], []
    for number, features in enumerate(maps):
        anchors = 3 if number == 0 else 6
        boxes.append(layers.Reshape((-1, 4))(layers.Conv2D(4 * anchors, 1)(features)))
        found = layers.Conv2D(SSD_CLASSES * anchors, 1)(features)
        scores.append(layers.Reshape((-1, SSD_CLASSES))(found))
    return keras.Model(
        inputs,
        [
            layers.Concatenate(axis=1, name="boxes")(boxes),
            layers.Activation("sigmoid", name="scores")(layers.Concatenate(axis=1)(scores)),
        ],
    )


def ours() -> Any:
    """Return a detector with the settings by default, of one class, with random weights."""
    from edgeinfer.host.models import build_model
    from edgeinfer.host.tasks.detection.network import with_boxes

    model = build_model("efficientnet-lite0", input_shape=(SIDE, SIDE, 3), classes=1)
    return with_boxes(model, 1)


def our_points() -> Any:
    """Return a network of points with the settings by default, in the same way."""
    from edgeinfer.host.models import build_model
    from edgeinfer.host.tasks.points.network import with_points

    shape = (POINTS_SIDE, POINTS_SIDE, 3)
    return with_points(build_model("efficientnet-lite0", input_shape=shape, classes=1), 1)


def rows(repeats: int = 9, calls: int = 10) -> list[Row]:
    """Return this benchmark's part of the table."""
    with tempfile.TemporaryDirectory() as temporary, TensorflowProcess() as tensorflow:
        folder = Path(temporary)
        samples = []
        for number in range(_PICTURES):
            pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            path = folder / f"{number}.png"
            path.write_bytes(encode_png(pixels))
            samples.append(Sample(source=str(path), target=None))
        files = {}
        for name, make, side in (
            ("ours", ours, SIDE),
            ("points", our_points, POINTS_SIDE),
            ("ssd", ssd_mobilenet_v1, SSD_SIDE),
        ):
            make().save(folder / f"{name}.keras")
            files[name] = convert_keras(
                folder / f"{name}.keras",
                PreprocessSpec(size=(side, side)),
                samples,
                tensorflow=tensorflow,
            ).small
    interpreters = {name: open_interpreter(content) for name, content in files.items()}
    steps: dict[str, Callable[[], object]] = {
        **{name: one.invoke for name, one in interpreters.items()},
        "answer": _answer(interpreters["ours"], files["ours"]),
    }
    spent = interleaved(
        {name: lambda step=step: _spent_s(step, calls) for name, step in steps.items()},  # type: ignore[misc]
        repeats,
    )
    ssd = f"{1e3 * statistics.median(spent['ssd']):.1f} ms, the shape of SSD-MobileNet v1 300"
    return [
        Row(
            what=f"detector, EfficientNet-Lite0 {SIDE}: invoke, INT8, one thread",
            figure=f"{1e3 * statistics.median(spent['ours']):.1f} ms",
            compared_with=ssd,
            ratio=ratio(spent["ours"], spent["ssd"]),
            wanted="0.75 or less",
        ),
        Row(
            what="the same with its decoder",
            figure=f"{1e3 * statistics.median(spent['answer']):.1f} ms",
            compared_with=ssd,
            ratio=ratio(spent["answer"], spent["ssd"]),
        ),
        Row(
            what=f"points, EfficientNet-Lite0 {POINTS_SIDE}: invoke, INT8, one thread",
            figure=f"{1e3 * statistics.median(spent['points']):.2f} ms",
            compared_with=ssd,
            ratio=ratio(spent["points"], spent["ssd"]),
            wanted="0.12 or less",
        ),
    ]


def _answer(interpreter: Any, content: bytes) -> Callable[[], object]:
    """Return what invokes a detector and decodes its outputs."""
    from edgeinfer.host.tasks.detection.task import grids

    tensors = [output.spec() for output in read_tflite(content, subject="detector").outputs]
    places = [detail["index"] for detail in interpreter.get_output_details()]
    said = Said(labels=("thing",), decoder=Decoder(grids=grids()))
    decode = make_decode("detection", said, tensors, PreprocessSpec(size=(SIDE, SIDE)))

    def answer() -> object:
        interpreter.invoke()
        return decode([interpreter.get_tensor(place) for place in places])

    return answer


def _spent_s(step: Callable[[], object], calls: int) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    for _ in range(calls):
        step()
    return (time.process_time() - start) / calls
