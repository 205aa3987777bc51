"""The whole benchmark of one model on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeinfer.boards import BoardProfile, detect_board
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.diagnose.benchmark.cold_start import time_cold_starts
from edgeinfer.device.diagnose.benchmark.compare import compare
from edgeinfer.device.diagnose.benchmark.frames import check_size, make_frames
from edgeinfer.device.diagnose.benchmark.machine import resident_mib, this_machine
from edgeinfer.device.diagnose.benchmark.op_times import profile_operators
from edgeinfer.device.diagnose.benchmark.report import (
    BenchmarkReport,
    FrameKind,
    ModelFile,
    RuntimeUsed,
)
from edgeinfer.device.diagnose.benchmark.subject import Subject
from edgeinfer.device.pictures.frame import Frame, FrameFormat
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import RuntimeName, choose_runtime, installed_runtimes


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions:
    """What is measured.

    Attributes:
        frame_size: (width, height) of the frames, pixels.
        frame_format: as a camera gives them.
        threads: thread counts to compare; None for 1, the board's, and one a core. The stages are
            timed with the board's where it is among them, else with the first.
        runtime: the only runtime to measure; None compares all that are installed, and times the
            stages with the preferred one.
        ops: whether each operator is timed.
        seconds: how long the stages are timed, and each of what is compared.
        cold_starts: how many fresh processes are started; 0 leaves the cold start out.
        opening: how the model is opened: the delegate that the stages and cold starts are timed
            with, and how a plain `.tflite` is read. Its threads and its runtime do not count.
            Runtimes, threads and operators are compared on the CPU.
    """

    frame_size: tuple[int, int] = (640, 480)
    frame_format: FrameFormat = "bgr"
    threads: tuple[int, ...] | None = None
    runtime: RuntimeName | None = None
    ops: bool = False
    seconds: float = 2.0
    cold_starts: int = 5
    opening: OpenOptions = field(default_factory=OpenOptions)

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        check_size(self.frame_size, self.frame_format)
        if self.threads is not None and not (self.threads and min(self.threads) >= 1):
            raise ValueError(f"threads are {self.threads}, expected counts from 1")
        if not 0 < self.seconds < float("inf"):
            raise ValueError(f"seconds is {self.seconds}, expected more than 0")
        if self.cold_starts < 0:
            raise ValueError(f"cold_starts is {self.cold_starts}, expected 0 or more")


def threads_to_compare(board: BoardProfile, wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the thread counts: those that are wanted, else 1, the board's, and one a core."""
    if wanted is not None:
        return tuple(dict.fromkeys(wanted))
    return tuple(sorted({1, board.thread_count(), os.cpu_count() or 1}))


def benchmark_model(
    path: AnyPath,
    options: BenchmarkOptions | None = None,
    *,
    progress: Callable[[str], None] = lambda text: None,
) -> BenchmarkReport:
    """Measure a model on this machine.

    Args:
        path: a bundle, or a `.tflite`; of one that is not an image classifier only inference is
            timed.
        options: what is measured.
        progress: gets what is being measured, a few words at a time.

    Raises:
        BundleError: the bundle is damaged or of another version.
        DelegateError: a required delegate does not work.
        ModelError: the file is not a model, no runtime can run it, or its operators cannot be
            timed.
        MissingExtraError: no runtime is installed, or not the wanted one.
    """
    path = Path(path)
    options = options or BenchmarkOptions()
    board = detect_board()
    counts = threads_to_compare(board, options.threads)
    threads = board.thread_count() if board.thread_count() in counts else counts[0]
    runtime = choose_runtime(options.runtime)
    progress("opening the model")
    opening = replace(options.opening, threads=threads, runtime=runtime)
    with Subject(path, opening) as subject:
        cold_start = None
        if options.cold_starts and subject.model is not None:
            cold_start = time_cold_starts(
                path, opening, runs=options.cold_starts, progress=progress
            )
        progress("stages")
        frames, kind = _frames(subject, options)
        counted, stages = subject.time_stages(frames, seconds=options.seconds)
        rss_mib = resident_mib()
        comparison = compare(
            subject.content,
            subject=str(path),
            tensors=subject.cpu_tensors,
            # What the stages were timed with comes first.
            runtimes=(runtime,)
            if options.runtime
            else tuple(dict.fromkeys((runtime, *installed_runtimes()))),
            threads=counts,
            board_threads=board.thread_count(),
            seconds=options.seconds,
            trust=options.opening.trust,
            progress=progress,
        )
        ops = None
        if options.ops:
            ops = profile_operators(
                subject.content,
                subject=str(path),
                tensors=subject.cpu_tensors,
                threads=threads,
                runtime=runtime,
                progress=progress,
            )
        runner = subject.runner
        return BenchmarkReport(
            model=model_file(path, subject.model.name if subject.model else path.stem),
            machine=this_machine(board),
            runtime=RuntimeUsed(
                name=runner.runtime,
                version=runner.version,
                kernels=runner.kernels,
                threads=threads,
                variant="" if subject.choice is None else str(subject.choice),
                delegate=str(getattr(runner, "delegate", "")),
            ),
            frame=kind,
            frames=counted,
            stages=stages,
            cold_start=cold_start,
            rss_mib=None if rss_mib is None else round(rss_mib, 2),
            comparison=comparison,
            ops=ops,
            note=subject.note,
        )


def model_file(path: Path, name: str) -> ModelFile:
    """Return what the report says of the file."""
    return ModelFile(name=name, file=str(path), size_bytes=path.stat().st_size)


def _frames(subject: Subject, options: BenchmarkOptions) -> tuple[list[Frame], FrameKind | None]:
    if subject.model is None:
        return [], None
    pictures = [pixels for pixels, _ in subject.model.golden_frames()]
    width, height = options.frame_size
    kind = FrameKind(
        width=width,
        height=height,
        format=options.frame_format,
        pixels="golden" if pictures else "made-up",
    )
    return make_frames(pictures, options.frame_size, options.frame_format), kind
