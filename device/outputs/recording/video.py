"""Annotated video: one file of a file's frames, or clips, of a live source or a condition."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import Path

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.base import Output, capture_time
from edgeinfer.device.outputs.drawing.draw import annotate
from edgeinfer.device.outputs.recording.clip import Clip
from edgeinfer.device.outputs.recording.condition import Condition
from edgeinfer.device.outputs.recording.folder import RecordFolder
from edgeinfer.device.pictures.frame import Frame

LIVE_FPS = 15.0
"""The rate of videos of live sources: enough to see what happened."""
FILE_FPS = 25.0
"""The rate of videos of folders, every picture once, and of files that do not tell theirs."""

CLIP_S = 300.0
"""A clip goes on in a new file after so long: a file that is being written is lost with the
power."""
CLIP_SHARE = 8
"""And one never takes more than this part of the room, or there would be few older ones."""

LONGEST_GAP_S = 2.0
"""A camera that was silent for longer is shortened to this in the video."""
LONGEST_FILE_GAP_S = 60.0
"""And so is a video file that shows one picture for longer."""

LOOK_EVERY_S = 1.0
"""How often, in seconds of video, the room on the disk is looked at."""

BEFORE_BYTES = 64 * 2**20
"""The most memory that frames from before a condition held may take."""
CATCH_UP = 3
"""With each new frame this many of those are encoded: with all in one step, new ones would be
lost."""


class VideoSink(Output):
    """Writes frames, with their answers drawn onto them, as video.

    Args:
        folder: names the clips and makes room for them.
        live: frames have their times of capture, and those that come too soon are left out. Else
            they have their positions in a video file, or the same time after the one before, and
            none is left out.
        fps: the video's rate, in frames a second.
        when: only while this holds, and `roll_s` before and after; None for always.
        roll_s: see `when`; before, no more than fits `BEFORE_BYTES`.
        max_bytes: the most that all clips hold together.
        single: the one file to write, instead of clips.
    """

    def __init__(
        self,
        folder: RecordFolder,
        *,
        live: bool,
        fps: float,
        max_bytes: int,
        when: Condition | None = None,
        roll_s: float = 0.0,
        single: Path | None = None,
    ) -> None:
        self._folder = folder
        self._when = when
        self._roll_s = roll_s
        self._single = single
        self._live = live
        self._fps = fps
        self._clip_bytes = max_bytes // CLIP_SHARE
        self._clip: Clip | None = None
        self._look_at_s = 0.0
        self._until_s = float("-inf")
        self._recording = False
        self._waiting: deque[tuple[float, Answer]] = deque()
        self._waiting_bytes = 0
        self._count = 0

    def write(self, answer: Answer) -> None:
        """Record a frame, or keep it for some time in case that the condition holds soon."""
        time_s = self._time_s(answer.frame)
        self._count += 1
        if self._when is None:
            self._record(time_s, answer)
            return
        if self._when.holds(answer.prediction):
            self._until_s = time_s + self._roll_s
        if time_s <= self._until_s:
            if not self._recording:
                self._recording = True
                self._forget(time_s)
            self._push(time_s, answer)
            for _ in range(min(CATCH_UP, len(self._waiting))):
                self._record(*self._pop())
        else:
            self._end_recording()
            self._keep(time_s, answer)

    def _time_s(self, frame: Frame) -> float:
        if self._live:
            return frame.captured_ns / 1e9
        return self._count / self._fps if frame.position_s is None else frame.position_s

    def close(self) -> None:
        """Complete the last clip."""
        self._end_recording()

    def _end_recording(self) -> None:
        if self._recording:
            self._recording = False
            while self._waiting:
                self._record(*self._pop())
        self._end_clip()

    def _record(self, time_s: float, answer: Answer) -> None:
        if self._live and self._clip is not None and not self._clip.wants(time_s):
            return
        moment = capture_time(answer.frame)
        picture = annotate(answer, caption=f"{moment:%Y-%m-%d %H:%M:%S}Z")
        try:
            if self._clip is not None and time_s >= self._look_at_s:
                self._look(self._clip, time_s)
            if self._clip is None:
                path = self._path(moment)
                self._clip = Clip(
                    path,
                    first=picture,
                    begin_s=time_s,
                    fps=self._fps,
                    longest_gap_s=LONGEST_GAP_S if self._live else LONGEST_FILE_GAP_S,
                )
                self._look_at_s = time_s + LOOK_EVERY_S
            self._clip.write(picture, time_s)
        except EdgeinferError:
            if self._clip is not None:
                self._clip.abandon()
                self._clip = None
            raise

    def _path(self, moment: datetime) -> Path:
        name = None if self._single is None else self._single.name
        return self._folder.begin(moment, name=name)

    def _look(self, clip: Clip, time_s: float) -> None:
        """Make room for what was written, and begin a new file when this one is large enough."""
        self._look_at_s = time_s + LOOK_EVERY_S
        size = clip.bytes
        try:
            self._folder.make_room(0 if self._single else size)
        except EdgeinferError:
            # What there is so far is worth keeping.
            self._end_clip()
            raise
        full = size >= self._clip_bytes or time_s >= clip.begin_s + CLIP_S
        if full and self._single is None:
            self._end_clip()

    def _end_clip(self) -> None:
        if self._clip is not None:
            clip, self._clip = self._clip, None
            clip.finish()
            try:
                size = 0 if self._single else clip.bytes
                self._folder.make_room(size, leave_free=False)
            except EdgeinferError:
                clip.abandon()
                raise
            self._folder.finish(clip.path)

    def _keep(self, time_s: float, answer: Answer) -> None:
        """Hold a frame back in case that the condition holds soon."""
        if self._live and self._waiting and time_s < self._waiting[-1][0] + 0.5 / self._fps:
            return  # too soon after the last one to have a place in the video
        self._push(time_s, answer)
        self._forget(time_s)

    def _forget(self, time_s: float) -> None:
        """Release frames that are too old at that time, or too many for the memory."""
        while self._waiting and (
            self._waiting[0][0] < time_s - self._roll_s or self._waiting_bytes > BEFORE_BYTES
        ):
            self._pop()

    def _push(self, time_s: float, answer: Answer) -> None:
        self._waiting.append((time_s, answer))
        self._waiting_bytes += answer.frame.pixels.nbytes

    def _pop(self) -> tuple[float, Answer]:
        time_s, answer = self._waiting.popleft()
        self._waiting_bytes -= answer.frame.pixels.nbytes
        return time_s, answer
