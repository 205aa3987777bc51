"""A camera's JPEG to a tensor: decoded at a part of its size against whole, on real photographs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.preprocess import Preprocessor
from edgeinfer.device.preprocess.jpeg_reduction import decode_for
from tests.benchmarks.kernel import SIZE, SPEC, TENSOR, compare, quantize
from tests.benchmarks.measure import SHARED_DATA, Row

PHOTOS = ("raccoon-183.jpg", "raccoon-194.jpg", "raccoon-197.jpg")
"""The largest photographs of the set: 1280x720 does not enlarge the first and the last."""
FRAME = (1280, 720)
QUALITY = 80


def camera_jpegs() -> list[NDArray[np.uint8]]:
    """Return the photographs as a camera would send them: 16:9, 1280x720, quality 80."""
    found = []
    for name in PHOTOS:
        picture = cv2.imread(str(SHARED_DATA / "raccoon" / "images" / name))
        assert picture is not None
        height = picture.shape[1] * FRAME[1] // FRAME[0]
        top = max(0, (picture.shape[0] - height) // 2)
        frame = cv2.resize(picture[top : top + height], FRAME, interpolation=cv2.INTER_AREA)
        encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
        found.append(np.asarray(encoded, np.uint8).reshape(-1))
    return found


def rows(repeats: int = 9) -> list[Row]:
    """Return this benchmark's part of the table."""
    if not (SHARED_DATA / "raccoon").is_dir():
        return []
    cv2.setNumThreads(1)
    jpegs = camera_jpegs()

    def ours(reduction: int) -> Callable[[], object]:
        spec = replace(SPEC, jpeg_reduction=reduction)  # type: ignore[arg-type]
        preprocessor = Preprocessor(spec, TENSOR, native=True)
        out = preprocessor.empty()

        def prepare() -> None:
            for jpeg in jpegs:
                preprocessor.tensor(decode_for(spec, jpeg), "bgr", out=out)

        return prepare

    def theirs() -> None:
        for jpeg in jpegs:
            picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
            small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
            quantize(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))

    return [
        compare(
            f"three 1280x720 JPEGs to tensors, jpeg_reduction {reduction}",
            ours(reduction),
            theirs,
            repeats=repeats,
            calls=10,
            wanted="2 or more" if reduction == 2 else "",
        )
        for reduction in (2, 1)
    ]
