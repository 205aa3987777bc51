"""The options of `edgeinfer run` that say where the answers are written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.pages import option_group

if TYPE_CHECKING:
    from edgeinfer.device.outputs.options import OutputLimits, OutputOption


@dataclass(frozen=True, kw_only=True)
class OutputChoice:
    """What the user chose on the command line.

    Attributes:
        texts: the values of `--output`.
        max_file_mb: `--output-max-mb`.
        when: `--record-when`; None if it is not given.
        seconds: `--record-seconds`.
        max_mb: `--record-max-mb`.
        keep_free_mb: `--record-keep-free-mb`.
        stills_every_s: `--stills-every`.
        stills_clean: `--stills-clean`.
    """

    texts: Sequence[str]
    max_file_mb: float
    when: str | None
    seconds: float
    max_mb: float
    keep_free_mb: float
    stills_every_s: float
    stills_clean: bool

    def parse(self, *, as_json: bool) -> tuple[list[OutputOption], OutputLimits]:
        """Return the outputs and their limits.

        Args:
            as_json: `--json` is given.

        Raises:
            UsageError: an output or the condition cannot be read, or the condition or
                `--stills-clean` is given and no output records.
        """
        from edgeinfer.device.core.errors import UsageError
        from edgeinfer.device.outputs.options import OutputLimits, parse_outputs

        options = parse_outputs(self.texts, as_json=as_json)
        when = None
        if self.when is not None:
            from edgeinfer.device.outputs.recording.condition import parse_condition

            when = parse_condition(self.when)
        if when is not None and not any(option.records for option in options):
            raise UsageError(
                "--record-when",
                got="nothing is recorded",
                expected="--output video:FILE.mp4 or --output stills:FOLDER with it",
            )
        if self.stills_clean and not any(option.kind == "stills" for option in options):
            raise UsageError(
                "--stills-clean",
                got="no stills are written",
                expected="--output stills:FOLDER with it",
            )
        return options, OutputLimits(
            max_file_bytes=round(self.max_file_mb * 1e6),
            when=when,
            roll_s=self.seconds,
            max_record_bytes=round(self.max_mb * 1e6),
            keep_free_bytes=round(self.keep_free_mb * 1e6),
            stills_every_s=self.stills_every_s,
            stills_clean=self.stills_clean,
        )


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command takes them as `outputs`, an `OutputChoice`."""

    @functools.wraps(command)
    def with_choice(
        *,
        output: tuple[str, ...],
        output_max_mb: float,
        record_when: str | None,
        record_seconds: float,
        record_max_mb: float,
        record_keep_free_mb: float,
        stills_every: float,
        stills_clean: bool,
        **others: Any,
    ) -> Any:
        choice = OutputChoice(
            texts=output,
            max_file_mb=output_max_mb,
            when=record_when,
            seconds=record_seconds,
            max_mb=record_max_mb,
            keep_free_mb=record_keep_free_mb,
            stills_every_s=stills_every,
            stills_clean=stills_clean,
        )
        return command(outputs=choice, **others)

    for option in reversed(_OPTIONS):
        with_choice = option(with_choice)
    return with_choice


_POSITIVE = click.FloatRange(0, min_open=True)
_NOT_NEGATIVE = click.FloatRange(0)

_output = option_group("Output")
_recording = option_group("Recording")

_OPTIONS = (
    _output(
        "--output",
        multiple=True,
        metavar="OUTPUT",
        show_default="terminal, or json with --json",
        help="terminal, json, json:FILE, csv:FILE, status:FILE, video:FILE.mp4, stills:FOLDER or "
        "window. May be repeated.",
    ),
    _output(
        "--output-max-mb",
        type=_POSITIVE,
        default=100.0,
        metavar="MB",
        help="Start a new json:FILE or csv:FILE at this size and keep the last one as FILE.1.",
    ),
    _recording(
        "--record-when",
        metavar="CONDITION",
        help='Record video and stills only while this is true: "dog>0.8", "cat>0.5 and not '
        'dog>0.5", "value>30".',
    ),
    _recording(
        "--record-seconds",
        type=_NOT_NEGATIVE,
        default=3.0,
        metavar="SECONDS",
        help="How much video to keep before and after --record-when is true.",
    ),
    _recording(
        "--record-max-mb",
        type=_POSITIVE,
        default=1000.0,
        metavar="MB",
        help="Most space for recordings; the oldest are deleted.",
    ),
    _recording(
        "--record-keep-free-mb",
        type=_NOT_NEGATIVE,
        default=200.0,
        metavar="MB",
        help="Disk space that recordings leave free.",
    ),
    _recording(
        "--stills-every",
        type=_NOT_NEGATIVE,
        default=1.0,
        metavar="SECONDS",
        help="Least time between two stills of a live source.",
    ),
    _recording(
        "--stills-clean",
        is_flag=True,
        help="Write stills as the camera sent them, with nothing drawn: pictures to train with.",
    ),
)
