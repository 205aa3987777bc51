"""What the camera loop gives out: an answer for each frame, and a summary at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.tasks.prediction import Prediction


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of a camera stream: a frame and its prediction. `Stream.answers` gives them.

    Examples:
        >>> for answer in stream.answers():
        ...     print(answer.frame.sequence, answer.prediction.text(), answer.age_ms)
        0 cat 98.1% 12.4

    Attributes:
        frame: the frame that was answered.
        prediction: the prediction for this frame.
        age_ms: time from the capture of the frame to the end of the prediction, in milliseconds.
        region: the part of the frame that the model saw, see `PreprocessSpec`; None for all of it.
    """

    frame: Frame
    prediction: Prediction
    age_ms: float
    region: Region | None = None

    def without_picture(self) -> Answer:
        """Return the same answer with one grey pixel as its frame: a queue of texts needs no
        pictures."""
        return replace(self, frame=replace(self.frame, pixels=_PIXEL, format="grey"))


_PIXEL = np.zeros((1, 1), np.uint8)


@dataclass(frozen=True, kw_only=True)
class OutputReport:
    """What an output did.

    Attributes:
        name: the output as the user named it.
        written: answers that it took.
        dropped: answers that it was too slow for, or that came while it failed.
        failure: what is wrong with it at the end; None if nothing is.
    """

    name: str
    written: int
    dropped: int
    failure: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {
            "name": self.name,
            "written": self.written,
            "dropped": self.dropped,
            "failure": self.failure,
        }

    def __str__(self) -> str:
        """Return it for people, one line."""
        text = f"{self.name}: {self.dropped:,} of {self.written + self.dropped:,} answers dropped"
        return text if self.failure is None else f"{text} ({self.failure})"


@dataclass(frozen=True, kw_only=True)
class LoopSummary:
    """What a loop did.

    Attributes:
        frames: answers given.
        dropped: frames that were too old, or that a newer one replaced before they were looked at
            (live sources only).
        seconds: from the loop's start to its end.
        age_p50_ms: the median age of the answers, capture to result; None without answers.
        age_p99_ms: the age that 99 of 100 answers do not exceed; None without answers.
        labelled_frames: frames whose true class is known and is one of the model's.
        correct_frames: those of them that were answered right.
        unreadable: files or pictures of the source that could not be decoded.
        outputs: what each output did, where they run on separate threads.
    """

    frames: int
    dropped: int
    seconds: float
    age_p50_ms: float | None
    age_p99_ms: float | None
    labelled_frames: int
    correct_frames: int
    unreadable: int
    outputs: tuple[OutputReport, ...] = ()

    @property
    def fps(self) -> float:
        """Answers per second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def accuracy(self) -> float | None:
        """The part of the labelled frames answered right, 0 to 1; None where none is labelled."""
        return self.correct_frames / self.labelled_frames if self.labelled_frames else None

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {
            "frames": self.frames,
            "dropped": self.dropped,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "age_p50_ms": _rounded(self.age_p50_ms),
            "age_p99_ms": _rounded(self.age_p99_ms),
            "accuracy": None if self.accuracy is None else round(self.accuracy, 4),
            "labelled_frames": self.labelled_frames,
            "unreadable": self.unreadable,
            "outputs": [output.to_json() for output in self.outputs],
        }

    def __str__(self) -> str:
        """Return the summary for people: a line, one for accuracy, one for each lossy output."""
        parts = [f"{self.frames:,} frames in {self.seconds:.1f} s", f"{self.fps:.1f} frames/s"]
        parts.append(f"{self.dropped:,} dropped")
        if self.age_p50_ms is not None and self.age_p99_ms is not None:
            parts.append(
                f"capture to result {self.age_p50_ms:.1f} ms (p99 {self.age_p99_ms:.1f} ms)"
            )
        if self.unreadable:
            parts.append(f"{self.unreadable:,} unreadable skipped")
        text = ", ".join(parts)
        if self.accuracy is not None:
            text += (
                f"\n{self.accuracy:.1%} of {self.labelled_frames:,} labelled frames answered right"
            )
        # The outputs that lost nothing need no line.
        lossy = [str(output) for output in self.outputs if output.dropped or output.failure]
        return "\n".join([text, *lossy])


class Sink(Protocol):
    """Where answers go."""

    def write(self, answer: Answer) -> None:
        """Take an answer.

        Raises:
            StorageError: it cannot be written.
            BrokenPipeError: the reader has gone.
        """
        ...

    def finish(self, summary: LoopSummary) -> None:
        """Take the summary after the last answer; raises as `write` does."""
        ...


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
