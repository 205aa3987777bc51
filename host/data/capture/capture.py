"""The loop of a capture: from frames, keys and the clock to saved pictures."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal

from edgeinfer.device.cameras.base import DAMAGED_IN_A_ROW, MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.core.errors import EdgeinferError, ImageError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.outputs.base import capture_time
from edgeinfer.device.outputs.recording.stills import clean_jpeg
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data.capture.entry import NumberEntry
from edgeinfer.host.data.capture.frames import EndOfItems, FrameReader
from edgeinfer.host.data.capture.guard import Guard
from edgeinfer.host.data.capture.keyboard import Keyboard
from edgeinfer.host.data.capture.settings import END_KEY, UNDO_KEY, CaptureSettings
from edgeinfer.host.data.capture.store import CaptureFolder, Saved
from edgeinfer.host.data.folders.check import pixel_digest

POLL_S = 0.05
"""How often keys and requests to stop are looked at while no frame comes."""
WAIT_FOR_FRAME_S = 3.0
"""A key that no frame follows in this time saves nothing: the scene may be another one by then."""

MOST_TAKEN_BACK = 100
"""This many of the last pictures can be taken back."""

_ROUNDING_S = 1e-6
"""Sums of times are rounded."""

Ended = Literal["key", "stopped", "frames", "seconds", "source", "failed"]


@dataclass
class Captured:
    """What a capture saved.

    Attributes:
        saved: how many pictures of each label; of a value all under its name.
        equal: pictures that were not saved because an equal one was.
        blurred: pictures that were not saved because they are not sharp.
        damaged: pictures of the source that could not be decoded.
        ended: why it ended.
        failure: the error that ended it, if one did.
    """

    saved: dict[str, int] = field(default_factory=dict)
    equal: int = 0
    blurred: int = 0
    damaged: int = 0
    ended: Ended = "source"
    failure: EdgeinferError | None = None

    @property
    def count(self) -> int:
        """How many pictures were saved."""
        return sum(self.saved.values())


def capture(
    camera: Camera,
    folder: CaptureFolder,
    settings: CaptureSettings,
    *,
    keyboard: Keyboard | None,
    stop: StopRequest,
    fps: float,
    tell: Callable[[str], None],
) -> Captured:
    """Save pictures of a source until it ends, or someone ends it.

    Args:
        camera: the source; the caller closes it.
        folder: where the pictures go.
        settings: when, and as what.
        keyboard: the keys; None where pictures are saved by themselves.
        stop: ends it when requested.
        fps: at which rate the pictures of a folder count, for their times.
        tell: takes lines for the user.

    Returns:
        What was saved, also where a camera or a full disk ended it: then with the failure.
    """
    loop = _Loop(camera, folder, settings, keyboard, fps, tell)
    with FrameReader(camera) as reader:
        try:
            loop.result.ended = loop.run(reader, stop)
        except EndOfItems:
            loop.result.ended = "source"
        except EdgeinferError as error:
            loop.result.ended, loop.result.failure = "failed", error
    if keyboard is not None:
        keyboard.show("")
    return loop.result


class _Loop:
    """One capture."""

    def __init__(
        self,
        camera: Camera,
        folder: CaptureFolder,
        settings: CaptureSettings,
        keyboard: Keyboard | None,
        fps: float,
        tell: Callable[[str], None],
    ) -> None:
        self._camera = camera
        self._folder = folder
        self._settings = settings
        self._keyboard = keyboard
        self._fps = fps
        self._tell = tell
        self._began = datetime.now(timezone.utc)
        self._guard = Guard(settings.change, settings.min_sharpness)
        self._labels = {one.key: one.label for one in settings.labels}
        value = settings.value
        self._entry = None if value is None else NumberEntry(value.number)
        self._typed: deque[str] = deque()
        self._wanted: tuple[str, float] | None = None
        self._due_s = float("-inf")
        self._damaged_in_a_row = 0
        self._last: deque[Saved] = deque(maxlen=MOST_TAKEN_BACK)
        self.result = Captured()

    def run(self, reader: FrameReader, stop: StopRequest) -> Ended:
        """Take frames until something ends it; say what.

        Raises:
            EndOfItems: the source has ended.
            EdgeinferError: the source failed, or the disk is full.
        """
        settings = self._settings
        deadline = time.monotonic() + (settings.max_seconds or float("inf"))
        self._show()
        while True:
            if stop.requested:
                return "stopped"
            if time.monotonic() >= deadline:
                return "seconds"
            if settings.max_frames is not None and self.result.count >= settings.max_frames:
                return "frames"
            if self._keyboard is not None:
                if self._take_keys(self._keyboard):
                    return "key"
                self._give_up()
            frame = reader.next(POLL_S)
            if frame is not None:
                self._take_frame(frame)
                del frame  # its memory may be used again

    def _take_keys(self, keyboard: Keyboard) -> bool:
        """Take what was typed; return whether it ends the capture.

        A key that saves is followed by its picture before the next one counts.
        """
        self._typed.extend(keyboard.typed())
        while self._typed and self._wanted is None:
            key = self._typed.popleft()
            if key == END_KEY:
                return True
            if key == UNDO_KEY:
                self._take_back()
            elif self._entry is not None:
                try:
                    number = self._entry.press(key)
                except ValueError as error:
                    self._say(f"not saved: {error}")
                    number = None
                if number is not None:
                    self._wanted = f"{number:.12g}", time.monotonic()
            elif key in self._labels:
                self._wanted = self._labels[key], time.monotonic()
            self._show()
        return keyboard.ended and self._wanted is None

    def _give_up(self) -> None:
        """Forget a key that no picture followed."""
        if self._wanted is not None and time.monotonic() - self._wanted[1] > WAIT_FOR_FRAME_S:
            self._wanted = None
            self._typed.clear()
            self._say(f"not saved: no picture came in {WAIT_FOR_FRAME_S:g} s")

    def _take_frame(self, frame: Frame) -> None:
        """Save a frame if it is wanted."""
        label = self._label(frame)
        if label is None and not (self._settings.keyed and self._guard.looks_at_all):
            return
        pixels = self._decoded(frame)
        if pixels is None:
            return
        sharp = self._guard.sharp(pixels)
        if label is None or not self._guard.changed(pixels):
            return
        self._wanted = None
        if not sharp:
            self.result.blurred += 1
            if self._settings.keyed:
                self._say("not saved: it is less sharp than usual")
            return
        if not self._guard.is_new(pixels):
            self.result.equal += 1
            if self._settings.keyed:
                self._say("not saved: an equal picture was saved before")
            return
        self._save(frame, pixels, label)

    def _label(self, frame: Frame) -> str | None:
        """Return as what a frame is to be saved now; None if it is not."""
        if self._settings.keyed:
            return None if self._wanted is None else self._wanted[0]
        if self._settings.every_s is not None and self._time_s(frame) < self._due_s - _ROUNDING_S:
            return None
        if self._settings.value is not None:
            return f"{self._settings.value.number:.12g}"
        return self._settings.labels[0].label

    def _time_s(self, frame: Frame) -> float:
        """Return when a frame was captured; in a file by the file's own time."""
        if self._camera.live:
            return frame.captured_ns / 1e9
        return frame.sequence / self._fps if frame.position_s is None else frame.position_s

    def _decoded(self, frame: Frame) -> Pixels | None:
        """Return a frame's pixels, or None for a damaged one.

        Raises:
            CameraError: there were too many in a row.
        """
        try:
            pixels = frame.rgb()
        except ImageError as error:
            self.result.damaged += 1
            self._damaged_in_a_row += 1
            if self._damaged_in_a_row >= MAX_DAMAGED:
                if not self._camera.restart(DAMAGED_IN_A_ROW):
                    raise too_many_damaged(self._camera.description) from error
                self._damaged_in_a_row = 0
            return None
        self._damaged_in_a_row = 0
        return pixels

    def _save(self, frame: Frame, pixels: Pixels, label: str) -> None:
        lossless = self._settings.lossless
        moment = capture_time(frame)
        if not self._camera.live:
            moment = self._began + timedelta(seconds=self._time_s(frame))
        saved = self._folder.save(
            encode_png(pixels) if lossless else clean_jpeg(frame),
            moment,
            label=label,
            suffix=".png" if lossless else ".jpg",
            digest=pixel_digest(pixels),
        )
        self._guard.saved(pixels)
        self._last.append(saved)
        self._due_s = self._time_s(frame) + (self._settings.every_s or 0.0)
        self._count(saved, 1)
        self._say(f"{self.result.saved[self._name(saved)]}\t{label}\t{saved.path}")

    def _take_back(self) -> None:
        if not self._last:
            self._say("there is no picture of this capture to take back")
            return
        saved = self._last.pop()
        self._folder.take_back(saved)
        self._guard.forget(saved.digest)
        self._count(saved, -1)
        self._say(f"taken back: {saved.path}")

    def _name(self, saved: Saved) -> str:
        return saved.label if self._settings.value is None else self._settings.value.name

    def _count(self, saved: Saved, change: int) -> None:
        name = self._name(saved)
        self.result.saved[name] = self.result.saved.get(name, 0) + change

    def _say(self, line: str) -> None:
        """Print a line that stays, above the one that is typed."""
        if self._keyboard is not None and self._entry is not None:
            self._keyboard.show("")
        self._tell(line)
        self._show()

    def _show(self) -> None:
        """Show what is being typed."""
        value = self._settings.value
        if self._keyboard is None or self._entry is None or value is None:
            return
        again = "" if self._entry.number is None else f" (Enter: {self._entry.number:.12g})"
        self._keyboard.show(f"{value.name}{again}: {self._entry.text}")
