"""A benchmark's report as aligned tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.text.wrapping import COLUMNS, wrap
from edgeinfer.device.diagnose.benchmark.report import (
    AGREES_WITHIN,
    BenchmarkReport,
    Candidate,
    Comparison,
    OpProfile,
)

_WIDTH = COLUMNS

_STAGES = {
    "decode": "JPEG decode",
    "preprocess": "preprocess",
    "invoke": "inference",
    "postprocess": "output decode",
    "whole": "whole",
}


def report_lines(report: BenchmarkReport) -> list[str]:
    """Return the report, a line each, no control characters."""
    blocks = [_head(report), _stages(report), _starts(report), _comparison(report)]
    if report.ops is not None:
        blocks += [_operators(report.ops), _types(report.ops)]
    lines: list[str] = []
    for block in blocks:
        if block:
            lines += ["", *block] if lines else block
    return [printable(line) for line in lines]


def _head(report: BenchmarkReport) -> list[str]:
    machine, runtime = report.machine, report.runtime
    # A generic profile's cores and memory are the system's own.
    processor = f"{machine.processor}, " if machine.processor else ""
    memory = f", {machine.memory_mib:,} MiB" if machine.memory_mib else ""
    rows = [
        ("file", f"{report.model.file}, {report.model.size_bytes:,} bytes"),
        *([("host", report.host)] if report.host else []),
        ("board", f"{machine.title} ({machine.board})"),
        ("machine", f"{processor}{_count(machine.cores, 'core')}{memory}, {machine.architecture}"),
        ("software", f"edgeinfer {machine.edgeinfer}, Python {machine.python}"),
        (
            "runtime",
            f"{runtime.name} {runtime.version} ({runtime.kernels}), "
            f"{_count(runtime.threads, 'thread')}",
        ),
        *([("variant", runtime.variant)] if runtime.variant else []),
        *([("delegate", f"{runtime.delegate}, in a worker process")] if runtime.delegate else []),
    ]
    if report.frame is not None:
        made = "the bundle's golden frames, scaled"
        if report.frame.pixels != "golden":
            made = "seeded noise (the model brings no frames)"
        rows.append(
            ("frames", f"{report.frame.width}x{report.frame.height} {report.frame.format}: {made}")
        )
    if report.note:
        rows.append(("note", report.note))
    lines = [report.model.name]
    for name, text in rows:
        lines += _wrapped(text, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)
    return lines


def _stages(report: BenchmarkReport) -> list[str]:
    rows = [[_STAGES[s.stage], _ms(s.p50_ms), _ms(s.p95_ms), _ms(s.p99_ms)] for s in report.stages]
    what = "frames" if report.frame is not None else "runs"
    return _table(
        ["stage, ms", "p50", "p95", "p99", f"of {report.frames:,} {what}"],
        [[*row, ""] for row in rows],
    )


def _starts(report: BenchmarkReport) -> list[str]:
    lines: list[str] = []
    start = report.cold_start
    if start is not None:
        lines.append(
            f"cold start  {start.median_ms / 1e3:.2f} s from process start to the first answer "
            f"({start.min_ms / 1e3:.2f} to {start.max_ms / 1e3:.2f})"
        )
        peak = f"peak {start.peak_rss_mib:,.0f} MiB; " if start.peak_rss_mib else ""
        lines.append(f"            {peak}medians of {_count(start.runs, 'fresh process', 'es')}")
    if report.rss_mib is not None:
        lines.append(f"memory      {report.rss_mib:,.0f} MiB resident here, after the stages")
    return lines


def _comparison(report: BenchmarkReport) -> list[str]:
    comparison = report.comparison
    rows, reasons = [], []
    for item in comparison.candidates:
        if item.p50_ms is None or item.p95_ms is None:
            rows.append([item.runtime, "", str(item.threads), "-", "-"])
            text = f"{item.runtime}: {item.reason}"
            if text not in reasons:
                reasons.append(text)
        else:
            name = f"{item.runtime} {item.version}"
            rows.append(
                [name, item.kernels or "", str(item.threads), _ms(item.p50_ms), _ms(item.p95_ms)]
            )
    header = ["inference, ms", "kernels", "threads", "p50", "p95"]
    lines = _table(header, rows, left=2)
    for text in [*reasons, *advice(comparison, report.runtime.name, report.machine.cores)]:
        lines += _wrapped(text)
    return lines


def advice(comparison: Comparison, runtime: str, cores: int) -> list[str]:
    """Return which thread count was the fastest, and whether the board profile's is as fast.

    Args:
        comparison: what was measured.
        runtime: the one that the commands take, whose thread count the profile states.
        cores: how many the machine has.
    """
    best = comparison.fastest(runtime)
    if best is None:
        return []
    lines = [f"fastest with {runtime}: {_count(best.threads, 'thread')}"]
    overall: Candidate | None = comparison.fastest()
    if overall is not None and overall.runtime != runtime:
        lines.append(
            f"fastest of all: {overall.runtime} with {_count(overall.threads, 'thread')}; "
            f"EDGEINFER_RUNTIME={overall.runtime} makes it the one that is used"
        )
    count = _count(comparison.board_threads, "thread")
    slower = comparison.slower_by(comparison.board_threads, runtime)
    if slower is None:
        lines.append(f"the board profile's {count}: not among those compared")
    elif slower <= AGREES_WITHIN:
        exact = slower == 0
        lines.append(
            f"the board profile's {count}: agrees"
            + ("" if exact else f" ({_percent(slower)} slower, within what repeats differ by)")
        )
    else:
        line = f"the board profile's {count}: disagrees, {_percent(slower)} slower"
        line += f"; try --threads {best.threads}"
        if comparison.board_threads < cores <= best.threads:
            line += ", which leaves no core to capture and preprocessing"
        lines.append(line)
    return lines


def _operators(ops: OpProfile) -> list[str]:
    rows = [
        [
            str(item.index),
            item.op[:32],
            f"{' x '.join(map(str, item.shape)) or 'scalar'} {item.dtype}",
            _difference(item.ms),
            _share(item.ms, ops.total_ms),
        ]
        for item in ops.operators
    ]
    lines = _table(["op", "operator", "output", "ms", "share"], rows, left=3)
    below = sum(item.ms < 0 for item in ops.operators)
    lines += _wrapped(
        f"{ops.runtime}, {_count(ops.threads, 'thread')}, {ops.rounds} rounds. Differences of the "
        "medians of models that end after each operator: noisy for tiny operators"
        + (f"; {below} came out below 0 and are shown as ~0; --json has them." if below else ".")
    )
    return lines


def _types(ops: OpProfile) -> list[str]:
    rows = [
        [op[:32], str(count), _difference(ms), _share(ms, ops.total_ms)]
        for op, count, ms in ops.by_type()
    ]
    rows.append(["all", str(len(ops.operators)), _ms(ops.total_ms, 4), "100.0 %"])
    return _table(["operator", "count", "ms", "share"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return aligned lines; the first `left` columns lean to the left, numbers to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def aligned(row: Sequence[str]) -> Iterator[str]:
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            yield cell.ljust(width) if number < left else cell.rjust(width)

    return ["  ".join(aligned(row)).rstrip() for row in cells]


def _wrapped(text: str, *, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Return lines of at most 80 columns; paths and names stay whole, to be copied."""
    return wrap(f"{initial_indent}{printable(text)}", _WIDTH, subsequent_indent)


def _ms(value: float, digits: int = 3) -> str:
    """Return milliseconds; one number of digits a column, so that the decimal points are
    aligned."""
    return f"{value:,.{digits}f}"


def _difference(value_ms: float) -> str:
    return "~0" if value_ms < 0 else _ms(value_ms, 4)


def _share(value_ms: float, total_ms: float) -> str:
    return "~0" if value_ms < 0 or total_ms <= 0 else _percent(value_ms / total_ms, 1)


def _percent(part: float, digits: int = 0) -> str:
    return f"{part * 100:.{digits}f} %"


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{plural if number != 1 else ''}"
