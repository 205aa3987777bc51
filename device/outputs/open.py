"""Opens the outputs that the user asked for; each kind is imported when it is wanted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.outputs.base import LoopFacts, Output
from edgeinfer.device.outputs.fan_out import Outputs
from edgeinfer.device.outputs.options import OutputLimits, OutputOption
from edgeinfer.device.outputs.queue import FOREVER, QueuedOutput
from edgeinfer.device.outputs.text.json_lines import LINE_BEGINS, JsonLinesSink
from edgeinfer.device.outputs.text.line_file import LineFile
from edgeinfer.device.outputs.text.writer import TextWriter

STALLED_S = 10.0
"""How long a file as the source waits for an output that takes nothing."""
WAITING_PICTURES = 8
"""How many frames wait for an encoder: each holds its picture, megabytes of it."""


def open_outputs(
    options: Sequence[OutputOption],
    *,
    live: bool,
    stop: StopRequest | None = None,
    limits: OutputLimits | None = None,
    facts: LoopFacts | None = None,
    video_fps: float | None = None,
) -> Outputs:
    """Open outputs, each on a separate thread.

    Args:
        options: what the user asked for.
        live: whether the source is; see `Outputs`.
        stop: requested when the user closes the last output.
        limits: how much they write, and when.
        facts: what `status:FILE` reports of the loop in addition to its answers.
        video_fps: the source's rate, in frames a second, where it is a video file; a video of it
            has the same.

    Raises:
        EdgeinferError: one can never work here.
    """
    limits = OutputLimits() if limits is None else limits
    outputs: list[QueuedOutput] = []
    try:
        for option in options:
            outputs.append(_open(option, limits, facts, live=live, video_fps=video_fps))
    except BaseException:
        Outputs(outputs, live=live).close()
        raise
    return Outputs(outputs, live=live, stop=stop)


def _open(
    option: OutputOption,
    limits: OutputLimits,
    facts: LoopFacts | None,
    *,
    live: bool,
    video_fps: float | None,
) -> QueuedOutput:
    patience_s = 0.0 if live else FOREVER if option.on_stdout else STALLED_S
    if option.kind == "window":
        return _window(option)
    if option.records:
        return QueuedOutput(
            option.text,
            _recorder(option, limits, live=live, video_fps=video_fps),
            capacity=WAITING_PICTURES,
            # What led to an event matters more than a gap behind it.
            overflow="drop-newest",
            patience_s=patience_s,
            pictures=True,
        )
    sink = _text_sink(option, limits.max_file_bytes, facts)
    return QueuedOutput(option.text, sink, patience_s=patience_s)


def _text_sink(option: OutputOption, max_file_bytes: int, facts: LoopFacts | None) -> Output:
    if option.kind == "terminal":
        from edgeinfer.device.outputs.text.terminal import TerminalSink

        return TerminalSink(sys.stdout)
    if option.target is None:
        return JsonLinesSink(TextWriter(sys.stdout))
    if option.kind == "json":
        file = LineFile(option.target, begins=LINE_BEGINS, max_bytes=max_file_bytes)
        file.check()
        return JsonLinesSink(file)
    if option.kind == "status":
        from edgeinfer.device.outputs.text.status import StatusSink

        status = StatusSink(option.target, facts)
        status.check()
        return status
    from edgeinfer.device.outputs.text.csv_rows import (
        COLUMNS,
        EARLIER_COLUMNS,
        CsvSink,
        csv_line,
    )

    header = csv_line(COLUMNS)
    file = LineFile(
        option.target,
        begins=header,
        header=header,
        earlier=tuple(map(csv_line, EARLIER_COLUMNS)),
        max_bytes=max_file_bytes,
    )
    file.check()
    return CsvSink(file)


def _recorder(
    option: OutputOption, limits: OutputLimits, *, live: bool, video_fps: float | None
) -> Output:
    # They draw, and most loops do not: what they import is left out of the others' start.
    from edgeinfer.device.outputs.recording.folder import RecordFolder
    from edgeinfer.device.outputs.recording.stills import STILL_SUFFIX, StillsSink
    from edgeinfer.device.outputs.recording.video import FILE_FPS, LIVE_FPS, VideoSink

    target = Path(option.target or ".")
    stills = option.kind == "stills"
    folder = RecordFolder(
        target if stills else target.parent,
        stem="still" if stills else target.stem,
        suffix=STILL_SUFFIX if stills else target.suffix,
        max_bytes=limits.max_record_bytes,
        keep_free_bytes=limits.keep_free_bytes,
    )
    folder.check()
    if stills:
        every_s = limits.stills_every_s if live else 0.0
        return StillsSink(folder, when=limits.when, every_s=every_s, clean=limits.stills_clean)
    return VideoSink(
        folder,
        live=live,
        fps=LIVE_FPS if live else video_fps or FILE_FPS,
        max_bytes=limits.max_record_bytes,
        when=limits.when,
        roll_s=limits.roll_s,
        single=None if live or limits.when is not None else target,
    )


def _window(option: OutputOption) -> QueuedOutput:
    from edgeinfer.device.outputs.window import WindowSink, check_window

    check_window()
    # The newest frame alone is worth showing.
    sink = WindowSink()
    return QueuedOutput(option.text, sink, capacity=1, pictures=True, samples=True)
