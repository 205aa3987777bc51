"""Opens the outputs that the user asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edgeinfer.device.cameras.base import Warn
from edgeinfer.device.outputs.fan_out import Outputs
from edgeinfer.device.outputs.json_lines import JsonLinesSink
from edgeinfer.device.outputs.options import OutputOption
from edgeinfer.device.outputs.queued import FOREVER, QueuedOutput
from edgeinfer.device.outputs.terminal import TerminalSink
from edgeinfer.device.outputs.text import TextWriter
from edgeinfer.device.signals import StopRequest

STALLED_S = 10.0
"""How long a file as the source waits for an output that takes nothing."""


def open_outputs(
    options: Sequence[OutputOption], *, live: bool, warn: Warn, stop: StopRequest | None = None
) -> Outputs:
    """Open outputs, each on a thread of its own.

    Args:
        options: what the user asked for.
        live: whether the source is; see `Outputs`.
        warn: takes a line when an output fails, works again, or is too slow.
        stop: requested when the user closes the last output.

    Raises:
        EdgeinferError: one can never work here.
    """
    outputs: list[QueuedOutput] = []
    try:
        for option in options:
            outputs.append(_open(option, live=live, warn=warn))
    except BaseException:
        Outputs(outputs, live=live).close()
        raise
    return Outputs(outputs, live=live, stop=stop)


def _open(option: OutputOption, *, live: bool, warn: Warn) -> QueuedOutput:
    patience_s = 0.0 if live else FOREVER if option.on_stdout else STALLED_S
    if option.kind == "terminal":
        sink = TerminalSink(sys.stdout)
        return QueuedOutput(option.text, sink, warn=warn, patience_s=patience_s)
    lines = JsonLinesSink(TextWriter(sys.stdout))
    return QueuedOutput(option.text, lines, warn=warn, patience_s=patience_s)
