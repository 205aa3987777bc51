"""What the user asks for with `--output KIND[:TARGET]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.device.outputs.recording.condition import Condition

OutputKind = Literal["terminal", "json", "csv", "video", "stills", "window", "status"]
KINDS: tuple[OutputKind, ...] = get_args(OutputKind)

_TARGETS: dict[OutputKind, str] = {
    "csv": "FILE",
    "video": "FILE.mp4 or FILE.avi",
    "stills": "FOLDER",
    "status": "FILE",
}
"""Kinds that need a target, and what it is."""

VIDEO_SUFFIXES = (".mp4", ".avi")


@dataclass(frozen=True, kw_only=True)
class OutputOption:
    """One `--output`.

    Attributes:
        text: as the user wrote it.
        kind: which output.
        target: the file or folder; None for stdout or the screen.
    """

    text: str
    kind: OutputKind
    target: Path | None = None

    @property
    def records(self) -> bool:
        """Whether it writes pictures, of which `--record-when` decides."""
        return self.kind in ("video", "stills")

    @property
    def on_stdout(self) -> bool:
        """Whether it writes to stdout."""
        return self.kind == "terminal" or (self.kind == "json" and self.target is None)


@dataclass(frozen=True, kw_only=True)
class OutputLimits:
    """How much outputs write, and when.

    Attributes:
        max_file_bytes: the most that a file of JSON or CSV holds before a new one begins.
        when: only frames of which this holds are recorded; None for all.
        roll_s: of video, so long before and after as well.
        max_record_bytes: the most that the recordings of one output hold together.
        keep_free_bytes: how much of the disk recordings leave free.
        stills_every_s: of a live source, a still at most once in this time.
        stills_clean: stills as the camera sent them, with nothing drawn onto them.
    """

    max_file_bytes: int = 100_000_000
    when: Condition | None = None
    roll_s: float = 3.0
    max_record_bytes: int = 1_000_000_000
    keep_free_bytes: int = 200_000_000
    stills_every_s: float = 1.0
    stills_clean: bool = False


def parse_outputs(texts: Sequence[str], *, as_json: bool) -> list[OutputOption]:
    """Read all `--output` of a command line; without one, the terminal or lines of JSON.

    Args:
        texts: the options' values.
        as_json: `--json`: lines of JSON on stdout.

    Raises:
        UsageError: an output is unknown, has no target, or two write to the same place.
    """
    options = [parse_output(text) for text in texts]
    if as_json and not any(option.text == "json" for option in options):
        options.append(OutputOption(text="json", kind="json"))
    if not options:
        options.append(OutputOption(text="terminal", kind="terminal"))
    if sum(option.on_stdout for option in options) > 1:
        raise UsageError(
            "--output",
            got="two outputs write to stdout",
            expected="one of 'terminal' and 'json'",
            next_step="write one into a file: json:FILE",
        )
    places = [option.target.absolute() for option in options if option.target is not None]
    for index, place in enumerate(places):
        if place in places[:index]:
            raise UsageError("--output", got=f"two outputs write to {place}", expected="one")
    if sum(option.kind == "window" for option in options) > 1:
        raise UsageError("--output", got="two windows", expected="one")
    return options


def parse_output(text: str) -> OutputOption:
    """Read one `--output`.

    Raises:
        UsageError: the kind is unknown, or its target is missing or cannot be.
    """
    kind_text, colon, target = text.partition(":")
    kind = next((kind for kind in KINDS if kind == kind_text), None)
    if kind is None:
        raise UsageError(
            f"--output {text}",
            got="is not an output",
            expected="terminal, json, json:FILE, csv:FILE, status:FILE, video:FILE.mp4, "
            "stills:FOLDER or window",
        )
    if kind in _TARGETS and not target:
        raise UsageError(
            f"--output {text}", got="names no target", expected=f"{kind}:{_TARGETS[kind]}"
        )
    if colon and kind not in _TARGETS and not (kind == "json" and target):
        raise UsageError(f"--output {text}", got="takes no target", expected=kind)
    if kind == "video" and Path(target).suffix.lower() not in VIDEO_SUFFIXES:
        raise UsageError(
            f"--output {text}", got="is not a video", expected=f"video:{_TARGETS[kind]}"
        )
    return OutputOption(text=text, kind=kind, target=Path(target) if target else None)
