"""Reads what `edgetpu_compiler` says: its table of operators and its figures of memory.

Source of the format: logs of compiler versions 14 to 16 in public issues (google-coral/edgetpu).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from edgeinfer.device.accelerators.mapping import OpMapping
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.tflite.model import TfliteModel

MAPPED_STATUS = "Mapped to Edge TPU"
MAX_LOG_CHARACTERS = 2**20

_VERSION = re.compile(r"Edge TPU Compiler version ([0-9.]{1,40})")
_HEADER = re.compile(r"\s*Operator\s+Count\s+Status\s*")
_ROW = re.compile(r"(\S+)\s+([0-9]{1,9})\s+(\S.*)")
_MEMORY = re.compile(
    r"(On|Off)-chip memory used for [a-z ]+: ([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMG]i)?B"
)
_UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True, kw_only=True)
class LogRow:
    """One line of the table: an operator, its count, and where it runs."""

    op: str
    count: int
    status: str


@dataclass(frozen=True, kw_only=True)
class CompilerLog:
    """What the compiler said.

    Attributes:
        version: its own; empty where it did not say.
        rows: the table.
        cached_bytes: parameters kept on the chip; None where it did not say.
        streamed_bytes: parameters that come from the host at every inference; None as above.
    """

    version: str
    rows: tuple[LogRow, ...]
    cached_bytes: int | None
    streamed_bytes: int | None

    @property
    def mapped(self) -> Counter[str]:
        """How often each operator is mapped; the compiler calls every custom one CUSTOM."""
        counts: Counter[str] = Counter()
        for row in self.rows:
            if row.status == MAPPED_STATUS:
                counts[row.op] += row.count
        return counts

    @property
    def total(self) -> int:
        """How many operators the table has."""
        return sum(row.count for row in self.rows)


def parse_log(text: str, *, subject: str) -> CompilerLog:
    """Read the compiler's output, whatever is around the table.

    Raises:
        ConversionError: there is no table.
    """
    text = text[:MAX_LOG_CHARACTERS]
    rows: list[LogRow] = []
    within = False
    # A log file and the standard output may both hold the table: the last one counts.
    for line in text.split("\n"):
        if _HEADER.fullmatch(line):
            within, rows = True, []
        elif within and (match := _ROW.fullmatch(line.strip())):
            rows.append(LogRow(op=match[1], count=int(match[2]), status=match[3]))
        elif within and line.strip():
            within = False
    if not rows:
        raise ConversionError(
            subject,
            got="the Edge TPU compiler's log has no table of operators",
            expected="the columns Operator, Count, Status",
            next_step="run edgetpu_compiler -s by hand to see what it says",
        )
    version = _VERSION.search(text)
    memory = {
        match[1]: int(float(match[2]) * _UNITS[match[3] or ""]) for match in _MEMORY.finditer(text)
    }
    return CompilerLog(
        version=version[1] if version else "",
        rows=tuple(rows),
        cached_bytes=memory.get("On"),
        streamed_bytes=memory.get("Off"),
    )


def differences(mapping: OpMapping, log: CompilerLog, model: TfliteModel) -> list[str]:
    """Return where the prediction and the compiler differ, one text for each operator.

    Args:
        mapping: the prediction.
        log: what the compiler said.
        model: what was predicted and compiled.
    """
    custom = set(model.custom_ops)
    predicted: Counter[str] = Counter()
    for op in mapping.ops:
        if op.target == "edgetpu":
            predicted["CUSTOM" if op.op in custom else op.op] += 1
    real = log.mapped
    texts = [
        f"{op}: {real[op]} mapped, {predicted[op]} predicted"
        for op in sorted(real.keys() | predicted.keys())
        if real[op] != predicted[op]
    ]
    if log.total != len(mapping.ops):
        texts.append(f"the table has {log.total} operators, the model {len(mapping.ops)}")
    return texts
