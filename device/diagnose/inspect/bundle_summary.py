"""What matters first about a bundle: what it tells apart, how well, on which files."""

from __future__ import annotations

from collections.abc import Mapping

from edgeinfer.device.pictures.region import region_text
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.model import TfliteModel

_BEST_FIRST = ("test", "pictures", "validation")
"""Pictures that a model was measured on: those that nothing was chosen by come first."""
_SHARES = ("top1", "top5", "agreement")
_TIMES = ("_ms", ".ms", "speedup", "inferences_per_second")


def frames_text(spec: PreprocessSpec) -> str:
    """Return how a frame becomes the model's input."""
    text = f"{spec.size[0]} x {spec.size[1]} {spec.channels}, {spec.crop}, {spec.resize}"
    if spec.region is not None:
        text += f", region {region_text(spec.region)} of each frame"
    if spec.jpeg_reduction > 1:
        text += f", JPEGs decoded at down to 1/{spec.jpeg_reduction}"
    return text


def accuracy_text(metrics: Mapping[str, float]) -> str:
    """Return how well the model answers, on the pictures that say most; empty if that is not known.

    >>> accuracy_text({"test.int8.top1": 0.5, "test.samples": 40, "validation.int8.top1": 0.75})
    'int8 top1 50.00 %, on 40 pictures (test)'
    """
    for pictures in _BEST_FIRST:
        figures = {
            name.removeprefix(f"{pictures}."): value
            for name, value in sorted(metrics.items(), key=_float32_last)
            if name.startswith(f"{pictures}.")
        }
        count = figures.pop("samples", None)
        if figures:
            parts = [f"{name.replace('.', ' ')} {_figure(name, figures[name])}" for name in figures]
            parts += [f"on {count:,.0f} pictures ({pictures})"] if count is not None else []
            return ", ".join(parts)
    return ""


def speed_text(metrics: Mapping[str, float]) -> str:
    """Return what is known of the model's speed; empty if nothing is."""
    return ", ".join(
        f"{name} {value:.4g}" for name, value in sorted(metrics.items()) if name.endswith(_TIMES)
    )


def needs_text(delegate: str | None, model: TfliteModel) -> str:
    """Return what a variant needs: its delegate, or the work of the CPU."""
    if delegate:
        return f"needs delegate {delegate}"
    macs = model_macs(model)
    return "" if macs is None else f"{macs:,} MACs"


def _float32_last(figure: tuple[str, float]) -> tuple[bool, str]:
    return ".float32." in figure[0], figure[0]


def _figure(name: str, value: float) -> str:
    if any(share in name for share in _SHARES) and 0 <= value <= 1:
        return f"{100 * value:.2f} %"
    return f"{value:.4g}"
