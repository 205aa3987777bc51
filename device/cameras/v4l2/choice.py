"""Which modes of a V4L2 camera are tried, and what its driver may make of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.devices import open_device
from edgeinfer.device.cameras.v4l2.grey16 import NEEDS_RANGE
from edgeinfer.device.cameras.v4l2.layout import GREY16_BITS, memory_planes, used_size
from edgeinfer.device.cameras.v4l2.modes import (
    READABLE,
    USUAL_SIZE,
    Mode,
    ModeWish,
    list_formats,
    list_modes,
    rank_modes,
)
from edgeinfer.device.cameras.v4l2.pixels import FORMATS
from edgeinfer.device.cameras.v4l2.stream import V4l2Stream
from edgeinfer.device.core.errors import CameraError, UsageError, printable

ANOTHER_MODE = "choose another mode with --camera-size and --camera-format"


@contextmanager
def sound_data(path: Path) -> Iterator[None]:
    """Make a camera's error of what a driver's numbers break.

    Raises:
        CameraError: what is done inside failed on a number that no driver should give.
    """
    fault = None
    try:
        yield
    except (ValueError, IndexError, OverflowError, MemoryError) as error:
        fault = printable(str(error)) or type(error).__name__
    # Not above: its traceback holds views of the driver's memory, see `V4l2Stream.bytes_of`.
    if fault is not None:
        raise CameraError(
            path,
            got=f"its driver gives data that cannot be used ({fault})",
            expected="pictures of the mode that it offers",
            next_step=ANOTHER_MODE,
        )


def choose_modes(path: Path, buffer_type: int, options: CameraOptions) -> list[Mode]:
    """Return the modes that suit a user's options, the best one first.

    Args:
        path: the device.
        buffer_type: the device's; see `FoundCamera`.
        options: what the user wants.

    Raises:
        OSError: the device cannot be opened.
        CameraError: it sends nothing that can be read.
        UsageError: it has no such mode.
    """
    with open_device(path) as descriptor:
        modes = list_modes(descriptor, buffer_type)
        formats = list_formats(descriptor, buffer_type)
    if not set(formats) & set(READABLE):
        raise CameraError(
            path,
            got=f"sends {_names(formats)}",
            expected=f"one of {', '.join(READABLE)}",
            next_step="use another camera, or a program that converts its pictures",
        )
    covers = options.covers or USUAL_SIZE
    if not modes:
        # Some drivers list no sizes; they take the nearest that they have.
        modes = [Mode(fourcc=name, size=options.size or covers) for name in formats]
    wish = ModeWish(covers=covers, size=options.size, fps=options.fps, fourcc=options.pixel_format)
    ranked = rank_modes(_with_range(path, modes, options), wish)
    if not ranked:
        offered = sorted({(mode.size, mode.fourcc) for mode in modes if mode.fourcc in READABLE})
        raise UsageError(
            path,
            got="has no mode "
            + " ".join(
                [f"{size[0]}x{size[1]}" for size in [options.size] if size]
                + [name for name in [options.pixel_format] if name]
            ),
            expected=", ".join(f"{size[0]}x{size[1]} {name}" for size, name in offered),
        )
    return ranked


def _with_range(path: Path, modes: list[Mode], options: CameraOptions) -> list[Mode]:
    """Return the modes that go with `--camera-range`, or those that go without.

    Raises:
        UsageError: a range is given and no mode takes one.
    """
    if options.raw_range is None:
        plain = [mode for mode in modes if mode.fourcc not in NEEDS_RANGE]
        others = any(mode.fourcc in READABLE for mode in plain)
        return plain if others and options.pixel_format is None else modes
    asked = options.pixel_format
    raw = [mode for mode in modes if mode.fourcc in GREY16_BITS]
    if not raw or (asked and asked not in GREY16_BITS):
        names = asked or _names(list(dict.fromkeys(mode.fourcc for mode in modes)))
        raise UsageError(
            "--camera-range",
            got=f"is given, and {path} sends {names}",
            expected=f"a camera that sends one of {', '.join(GREY16_BITS)}",
        )
    return raw


def _names(formats: list[str]) -> str:
    return ", ".join(map(printable, formats)) or "no format at all"


def check_mode(path: Path, stream: V4l2Stream, asked: Mode, options: CameraOptions) -> None:
    """Refuse what the driver made of the mode that it had offered.

    Args:
        path: the device.
        stream: of it, open.
        asked: the mode that was asked for.
        options: what the user wants.

    Raises:
        CameraError: it cannot be read, or is not what the user wants.
    """
    got = stream.mode
    readable = got.fourcc in FORMATS and 0 not in used_size(got.fourcc, got.size)
    if not readable or (options.pixel_format and got.fourcc != asked.fourcc):
        raise CameraError(
            path,
            got=f"sends {printable(str(replace(got, rates=())))}",
            expected=f"{replace(asked, rates=())}, which it offers",
            next_step=ANOTHER_MODE,
        )
    if len(stream.row_bytes) < memory_planes(got.fourcc):
        raise CameraError(
            path,
            got=f"sends {got.fourcc} in {len(stream.row_bytes)} planes of memory",
            expected=str(memory_planes(got.fourcc)),
            next_step=ANOTHER_MODE,
        )
