"""What a V4L2 camera can send: formats, sizes and rates; and which of them suits a model best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from edgeinfer.device.cameras.v4l2 import abi
from edgeinfer.device.cameras.v4l2.grey16 import NEEDS_RANGE
from edgeinfer.device.cameras.v4l2.layout import GREY16_BITS

COMPRESSED = ("MJPG", "JPEG")
READABLE = (
    *("YUYV", "NV12", "UYVY", "NV21", "YU12", "YV12", "NM12", "NM21", "YM12", "YM21"),
    *("RGB3", "BGR3"),
    *COMPRESSED,
    "GREY",
    *GREY16_BITS,
)
"""The formats that edgeinfer reads, by V4L2's names."""

ENOUGH_FPS = 24.0
"""Raw pictures are taken when they come at least this fast; they need no decoding."""
USUAL_SIZE = (640, 480)
"""What is covered where no model says what it needs."""
STEPPED_SIZES = ((160, 120), (320, 240), (640, 480), (800, 600), (1280, 720), (1920, 1080))
"""What is chosen from where a camera takes any size."""
DECODING_COST = 5
"""How much more a pixel costs that has to be decoded first: a JPEG of 1280x720 took 5 ms, preparing
a raw frame of that size about 1 ms (x86-64)."""

MAX_ENTRIES = 256
"""More formats, sizes or rates than this are a driver that does not end its list."""

A = TypeVar("A", abi.FormatDescription, abi.FrameSize, abi.FrameInterval)


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One way in which a camera sends pictures.

    Attributes:
        fourcc: V4L2's name of the format, such as "YUYV".
        size: (width, height) in pixels.
        rates: frames per second on offer, fastest first; empty where the driver does not say.
    """

    fourcc: str
    size: tuple[int, int]
    rates: tuple[float, ...] = ()

    def rate(self, fps: float | None = None) -> float | None:
        """Return the rate to ask for: the one nearest to `fps`, by default the slowest fluent one.

        None where there is nothing to choose from.
        """
        if not self.rates:
            return fps
        if fps is not None:
            return min(self.rates, key=lambda rate: abs(rate - fps))
        fluent = [rate for rate in self.rates if rate >= ENOUGH_FPS]
        return min(fluent) if fluent else max(self.rates)

    def __str__(self) -> str:
        """Return it for people, such as "640x480 YUYV, 30 frames/s"."""
        text = f"{self.size[0]}x{self.size[1]} {self.fourcc}"
        if self.rates:
            text += f", {' '.join(f'{rate:.4g}' for rate in self.rates)} frames/s"
        return text


@dataclass(frozen=True, kw_only=True)
class ModeWish:
    """What is wanted of a camera's mode.

    Attributes:
        covers: (width, height) that a model takes; the picture should not be smaller.
        size: the very size to use, None to choose.
        fps: the rate to use, None to choose.
        fourcc: the format to use, None to choose.
    """

    covers: tuple[int, int] = USUAL_SIZE
    size: tuple[int, int] | None = None
    fps: float | None = None
    fourcc: str | None = None


def list_modes(descriptor: int, buffer_type: int = abi.BUF_TYPE_VIDEO_CAPTURE) -> list[Mode]:
    """Return a camera's modes; none where the driver does not list them."""
    return [
        Mode(fourcc=abi.fourcc_name(code), size=size, rates=_rates(descriptor, code, size))
        for code in _formats(descriptor, buffer_type)
        for size in _sizes(descriptor, code)
    ]


def list_formats(descriptor: int, buffer_type: int = abi.BUF_TYPE_VIDEO_CAPTURE) -> list[str]:
    """Return the names of a camera's formats; drivers that list no sizes list these."""
    return [abi.fourcc_name(code) for code in _formats(descriptor, buffer_type)]


def rank_modes(modes: list[Mode], wish: ModeWish) -> list[Mode]:
    """Return the modes that meet a wish, the best one first.

    The best covers the model's input, is fluent and in colour, and costs least to prepare: the
    smallest, and a raw one unless it is far larger than a compressed one. Where none covers the
    input the largest comes first, and where none is fluent the fastest.
    """
    enough = (wish.fps or ENOUGH_FPS) * 0.99  # 29.97 will do for 30

    def key(mode: Mode) -> tuple[float, ...]:
        width, height = mode.size
        covers = (width >= wish.covers[0] and height >= wish.covers[1]) or wish.size is not None
        fastest = max(mode.rates, default=enough)
        cost = width * height * (DECODING_COST if mode.fourcc in COMPRESSED else 1)
        return (
            not covers,
            fastest < enough,
            0 if covers else -width * height,
            0 if fastest >= enough else -fastest,
            _colourless(mode.fourcc),
            cost,
            READABLE.index(mode.fourcc),
        )

    fitting = (
        mode
        for mode in modes
        if mode.fourcc in READABLE
        and (wish.size is None or mode.size == wish.size)
        and (wish.fourcc is None or mode.fourcc == wish.fourcc)
    )
    return sorted(fitting, key=key)


def _colourless(fourcc: str) -> int:
    """Return how much of a picture's meaning a format leaves out, from 0."""
    if fourcc in NEEDS_RANGE:
        return 3
    return 2 if fourcc in GREY16_BITS else int(fourcc == "GREY")


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) from "WIDTHxHEIGHT".

    Raises:
        ValueError: it is not a size.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,4})[xX]([1-9][0-9]{0,4})", text)
    if match is None:
        raise ValueError(f"'{text}' is not a size, expected WIDTHxHEIGHT such as 640x480")
    return int(match[1]), int(match[2])


def _answers(descriptor: int, request: int, ask: Callable[[int], A]) -> Iterator[A]:
    """Yield what a driver lists, until it says that there is no more."""
    for index in range(MAX_ENTRIES):
        argument = ask(index)
        try:
            abi.call(descriptor, request, argument)
        except OSError:
            return
        yield argument


def _formats(descriptor: int, buffer_type: int) -> list[int]:
    def ask(index: int) -> abi.FormatDescription:
        return abi.FormatDescription(index=index, type=buffer_type)

    found = _answers(descriptor, abi.VIDIOC_ENUM_FMT, ask)
    return list(dict.fromkeys(answer.pixelformat for answer in found))


def _sizes(descriptor: int, code: int) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    for answer in _answers(
        descriptor,
        abi.VIDIOC_ENUM_FRAMESIZES,
        lambda index: abi.FrameSize(index=index, pixel_format=code),
    ):
        sides = answer.sides
        if answer.type == abi.FRAME_DISCRETE:
            sizes.append((sides[0], sides[1]))
            continue
        # Any size between two: width from, to, step, then height.
        sizes += [
            (width, height)
            for width, height in STEPPED_SIZES
            if _within(width, *sides[:3]) and _within(height, *sides[3:])
        ] or [(sides[1], sides[4])]
        break
    return list(dict.fromkeys(size for size in sizes if 0 not in size))


def _within(value: int, smallest: int, largest: int, step: int) -> bool:
    return smallest <= value <= largest and (value - smallest) % max(step, 1) == 0


def _rates(descriptor: int, code: int, size: tuple[int, int]) -> tuple[float, ...]:
    def ask(index: int) -> abi.FrameInterval:
        return abi.FrameInterval(index=index, pixel_format=code, width=size[0], height=size[1])

    rates = set()
    for answer in _answers(descriptor, abi.VIDIOC_ENUM_FRAMEINTERVALS, ask):
        # Of a range, its two ends.
        ends = answer.times[:1] if answer.type == abi.FRAME_DISCRETE else answer.times[:2]
        rates |= {round(t.denominator / t.numerator, 3) for t in ends if t.numerator} - {0.0}
        if answer.type != abi.FRAME_DISCRETE:
            break
    return tuple(sorted(rates, reverse=True))
