"""Opens the outputs that the user asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edgeinfer.device.cameras.base import Warn
from edgeinfer.device.outputs.base import Output
from edgeinfer.device.outputs.csv_rows import COLUMNS, CsvSink, csv_line
from edgeinfer.device.outputs.fan_out import Outputs
from edgeinfer.device.outputs.json_lines import LINE_BEGINS, JsonLinesSink
from edgeinfer.device.outputs.line_file import LineFile
from edgeinfer.device.outputs.options import OutputOption
from edgeinfer.device.outputs.queued import FOREVER, QueuedOutput
from edgeinfer.device.outputs.terminal import TerminalSink
from edgeinfer.device.outputs.text import TextWriter
from edgeinfer.device.signals import StopRequest

MAX_FILE_BYTES = 100_000_000
STALLED_S = 10.0
"""How long a file as the source waits for an output that takes nothing."""


def open_outputs(
    options: Sequence[OutputOption],
    *,
    live: bool,
    warn: Warn,
    stop: StopRequest | None = None,
    max_file_bytes: int = MAX_FILE_BYTES,
) -> Outputs:
    """Open outputs, each on a thread of its own.

    Args:
        options: what the user asked for.
        live: whether the source is; see `Outputs`.
        warn: takes a line when an output fails, works again, or is too slow.
        stop: requested when the user closes the last output.
        max_file_bytes: the most that a file of lines may hold.

    Raises:
        EdgeinferError: one can never work here.
    """
    outputs: list[QueuedOutput] = []
    try:
        for option in options:
            outputs.append(_open(option, max_file_bytes=max_file_bytes, live=live, warn=warn))
    except BaseException:
        Outputs(outputs, live=live).close()
        raise
    return Outputs(outputs, live=live, stop=stop)


def _open(option: OutputOption, *, max_file_bytes: int, live: bool, warn: Warn) -> QueuedOutput:
    patience_s = 0.0 if live else FOREVER if option.on_stdout else STALLED_S
    sink = _text_sink(option, max_file_bytes)
    return QueuedOutput(option.text, sink, warn=warn, patience_s=patience_s)


def _text_sink(option: OutputOption, max_file_bytes: int) -> Output:
    if option.kind == "terminal":
        return TerminalSink(sys.stdout)
    if option.target is None:
        return JsonLinesSink(TextWriter(sys.stdout))
    if option.kind == "json":
        file = LineFile(option.target, begins=LINE_BEGINS, max_bytes=max_file_bytes)
        file.check()
        return JsonLinesSink(file)
    header = csv_line(COLUMNS)
    file = LineFile(option.target, begins=header, header=header, max_bytes=max_file_bytes)
    file.check()
    return CsvSink(file)
