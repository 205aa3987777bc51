"""The ranges of a quantized model's activations, from pictures.

A wide range makes steps coarse, a narrow one clips. Methods:

- `min-max`: all values. One odd picture may make the steps of all others coarser.
- `percentile`: values outside of the middle 99.99 % are clipped.
- `mse`: of the ranges inside the whole one, the one with the smallest expected squared error: of
  rounding inside and of clipping outside, over the tensor's histogram (as Choukroun et al. 2019,
  arXiv:1902.06822).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess import PreprocessSpec

CalibrationMethod = Literal["min-max", "percentile", "mse"]
"""How value ranges are chosen, see `QuantizeOptions.calibration`."""

PERCENTILE = 99.99
BINS = 2048
LEVELS = 256
"""Of an 8-bit activation."""
_SHRINKS = np.linspace(1.0, 0.2, 81)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """The histogram of a tensor's values.

    Attributes:
        low: smallest value.
        high: largest value.
        counts: (BINS,) int64, of bins of equal width from low to high.
    """

    low: float
    high: float
    counts: NDArray[np.int64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """The bins' middles."""
        edges = np.linspace(self.low, self.high, len(self.counts) + 1)
        middles: NDArray[np.float64] = (edges[:-1] + edges[1:]) / 2
        return middles


def activation_histograms(
    model: bytes,
    preprocess: PreprocessSpec,
    pictures: Callable[[], Iterable[Pixels]],
    *,
    progress: Progress | None = None,
) -> dict[str, Histogram]:
    """Run a float model over pictures twice: for the extremes, then for the values between them.

    Args:
        model: the float `.tflite` bytes.
        preprocess: how a picture becomes the input.
        pictures: gives the pictures, (H, W, 3) uint8 RGB each, from the start at each call.
        progress: reports each picture, in both rounds.

    Returns:
        The histogram of each tensor that depends on a picture, by name.

    Raises:
        ConversionError: there are no pictures.
    """
    progress = progress or Silent()
    watched = WatchedModel(model, preprocess)
    tensors = watched.computed()
    low = dict.fromkeys(tensors, np.inf)
    high = dict.fromkeys(tensors, -np.inf)
    any_picture = False
    for pixels in pictures():
        watched.run(pixels)
        for index in tensors:
            values = watched.value(index)
            low[index] = min(low[index], float(values.min()))
            high[index] = max(high[index], float(values.max()))
        any_picture = True
        progress.advance()
    if not any_picture:
        raise ConversionError(
            "calibration", got="no pictures", expected="at least one", next_step="name some"
        )
    counts = {index: np.zeros(BINS, np.int64) for index in tensors}
    for pixels in pictures():
        watched.run(pixels)
        for index in tensors:
            span = (low[index], max(high[index], np.nextafter(low[index], np.inf)))
            counts[index] += np.histogram(watched.value(index), BINS, span)[0]
        progress.advance()
    return {
        watched.graph.tensors[index].name: Histogram(
            low=low[index], high=high[index], counts=counts[index]
        )
        for index in tensors
    }


def sample_histograms(
    model: bytes, preprocess: PreprocessSpec, samples: Sequence[Sample], progress: Progress
) -> dict[str, Histogram]:
    """Run a float model over samples, each read when it is needed; see `activation_histograms`."""

    def pictures() -> Iterator[Pixels]:
        return (read_sample(sample.source, preprocess) for sample in samples)

    return activation_histograms(model, preprocess, pictures, progress=progress)


def choose_ranges(
    histograms: Mapping[str, Histogram], method: CalibrationMethod
) -> dict[str, tuple[float, float]]:
    """Return the range of each tensor by its name; see `choose_range`."""
    return {name: choose_range(histogram, method) for name, histogram in histograms.items()}


def choose_range(histogram: Histogram, method: CalibrationMethod) -> tuple[float, float]:
    """Return the range, (low, high), of a tensor; it always contains 0.

    0 stands for padding and for what a ReLU cuts off, so it must be exact.
    """
    low, high = min(0.0, histogram.low), max(0.0, histogram.high)
    if method == "percentile":
        tail = (100 - PERCENTILE) / 200
        share = np.cumsum(histogram.counts) / histogram.counts.sum()
        edges = np.linspace(histogram.low, histogram.high, len(histogram.counts) + 1)
        low = min(0.0, float(edges[int(np.searchsorted(share, tail, side="right"))]))
        high = max(0.0, float(edges[1 + int(np.searchsorted(share, 1 - tail))]))
    elif method == "mse":
        low, high = min(
            _candidates(low, high), key=lambda limits: quantization_error(histogram, *limits)
        )
    return low, high


def quantization_error(histogram: Histogram, low: float, high: float) -> float:
    """Return the expected squared error of values held in `LEVELS` steps from low to high."""
    step = (high - low) / (LEVELS - 1)
    if step <= 0:
        return float("inf") if histogram.high > histogram.low else 0.0
    values = histogram.centres
    outside = np.maximum(low - values, 0) + np.maximum(values - high, 0)
    # The mean squared error of rounding to a step is step**2 / 12.
    errors = np.where(outside > 0, np.square(outside), step**2 / 12)
    return float(errors @ histogram.counts / histogram.counts.sum())


def _candidates(low: float, high: float) -> Sequence[tuple[float, float]]:
    """Return ranges to try: both ends moved inwards together, and only the longer one."""
    together = [(low * shrink, high * shrink) for shrink in _SHRINKS]
    if -low > high:
        return together + [(low * shrink, high) for shrink in _SHRINKS]
    return together + [(low, high * shrink) for shrink in _SHRINKS]
