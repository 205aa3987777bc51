"""What vela, Arm's compiler for Ethos-U NPUs, says about a model it compiled; parsed, not changed.

All figures are vela's own estimates for a memory system and a clock that it names. They are not
measurements, and the operators that it leaves to the CPU cost nothing in them.

Source of the formats: the files and the text that ethos-u-vela 5.2.0 writes, `X_summary_*.csv`,
`X_per-layer.csv` and standard output; only the last says why an operator stays on the CPU.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from edgeinfer.device.core.errors import ConversionError

_WARNING = re.compile(r"Warning \(supported operators\) operator: (.*), ofm: '(.*)'")
_REASON = "Reason: "
_NEXT_STEP = "use ethos-u-vela 5.2"


@dataclass(frozen=True, kw_only=True)
class VelaLayer:
    """One step of the compiled model; an operator of the original model may become several.

    Attributes:
        op: the original operator, in vela's words, such as `Conv2D`.
        npu_op: what it became; `Passthrough` for what stays on the CPU.
        target: `NPU` or `CPU`.
        staging_bytes: memory for feature maps in use at this step.
        cycles: the step's cycles; 0 on the CPU and for what is fused into the step before.
        macs: multiply-accumulates.
        mac_utilization_percent: share of the MAC units' capacity in use.
        name: of the tensor that the step computes.
    """

    op: str
    npu_op: str
    target: str
    staging_bytes: int
    cycles: int
    macs: int
    mac_utilization_percent: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """An operator that stays on the CPU.

    Attributes:
        op: the operator, named as in the `.tflite` file if vela gave a reason, else in vela's
            words.
        output: the tensor that it computes.
        reason: why; empty where vela said nothing.
        constraint: what vela would accept; may be empty or several lines.
    """

    op: str
    output: str
    reason: str
    constraint: str


@dataclass(frozen=True, kw_only=True)
class VelaReport:
    """vela's estimates for one model.

    Attributes:
        accelerator: the NPU, such as `Ethos_U65_256`.
        system_config: the memory system that was assumed.
        memory_mode: what is in which part of it.
        core_clock_hz: the NPU's clock.
        inferences_per_second: None where nothing runs on the NPU.
        inference_time_s: its inverse; 0 where nothing runs on the NPU.
        cycles: of one inference.
        npu_cycles: those in which the NPU computes; memory may take longer.
        sram_kib: SRAM in use, KiB.
        dram_kib: DRAM in use, KiB.
        on_chip_flash_kib: flash on the chip in use, KiB.
        off_chip_flash_kib: flash outside the chip in use, KiB.
        macs: multiply-accumulates on the NPU; vela counts some that `device/tflite/macs.py` does
            not, such as those of pooling.
        layers: the steps of the compiled model.
        fallbacks: the operators that stay on the CPU.
    """

    accelerator: str
    system_config: str
    memory_mode: str
    core_clock_hz: float
    inferences_per_second: float | None
    inference_time_s: float
    cycles: int
    npu_cycles: int
    sram_kib: float
    dram_kib: float
    on_chip_flash_kib: float
    off_chip_flash_kib: float
    macs: int
    layers: tuple[VelaLayer, ...]
    fallbacks: tuple[Fallback, ...]

    @property
    def assumptions(self) -> str:
        """The assumptions of the estimates, for people."""
        return f"{self.system_config}, {self.memory_mode}, {self.core_clock_hz / 1e6:g} MHz"


def parse_report(summary: str, layers: str, output: str) -> VelaReport:
    """Read what vela wrote.

    Args:
        summary: the text of `X_summary_*.csv`.
        layers: the text of `X_per-layer.csv`.
        output: what it printed on standard output.

    Raises:
        ConversionError: a text is not what vela writes.
    """
    rows = _rows(summary, "vela's summary")
    if len(rows) != 1:
        raise ConversionError(
            "vela's summary", got=f"it has {len(rows)} rows", expected="one", next_step=_NEXT_STEP
        )
    row = rows[0]
    steps = tuple(_layer(found) for found in _rows(layers, "vela's table of layers"))
    rate = row.number("inferences_per_second", finite=False)
    return VelaReport(
        accelerator=row.text("accelerator_configuration"),
        system_config=row.text("system_config"),
        memory_mode=row.text("memory_mode"),
        core_clock_hz=row.number("core_clock"),
        inferences_per_second=rate if math.isfinite(rate) else None,
        inference_time_s=row.number("inference_time"),
        cycles=row.whole("cycles_total"),
        npu_cycles=row.whole("cycles_npu"),
        sram_kib=row.number("sram_memory_used"),
        dram_kib=row.number("dram_memory_used"),
        on_chip_flash_kib=row.number("on_chip_flash_memory_used"),
        off_chip_flash_kib=row.number("off_chip_flash_memory_used"),
        macs=row.whole("nn_macs"),
        layers=steps,
        fallbacks=_fallbacks(steps, output),
    )


@dataclass(frozen=True)
class _Row:
    """A row of a CSV file whose fields are read by name."""

    subject: str
    fields: dict[str, str]

    def text(self, name: str) -> str:
        if name not in self.fields:
            raise ConversionError(self.subject, got=f"has no column '{name}'", next_step=_NEXT_STEP)
        return self.fields[name]

    def number(self, name: str, *, finite: bool = True) -> float:
        """Return a number from 0; where `finite` is false, NaN and infinity too."""
        text = self.text(name)
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if value < 0 or (finite and not math.isfinite(value)):
            raise ConversionError(
                self.subject,
                got=f"'{name}' is {text[:40]!r}",
                expected="a number, 0 or more",
                next_step=_NEXT_STEP,
            )
        return value

    def whole(self, name: str) -> int:
        return round(self.number(name))


def _rows(text: str, subject: str) -> list[_Row]:
    try:
        # vela joins the table of layers only by commas: a quote is part of a tensor's name.
        table = list(csv.reader(io.StringIO(text, newline=""), quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise ConversionError(subject, got=f"is not CSV ({error})", next_step=_NEXT_STEP) from error
    if not table or not table[0]:
        raise ConversionError(subject, got="is empty", next_step=_NEXT_STEP)
    head, *body = table
    rows = []
    for cells in body:
        if not cells:
            continue
        if len(cells) < len(head):
            raise ConversionError(
                subject,
                got=f"a row has {len(cells)} cells",
                expected=f"{len(head)}",
                next_step=_NEXT_STEP,
            )
        # The last column is that name, which may hold commas too.
        cells = [*cells[: len(head) - 1], ",".join(cells[len(head) - 1 :])]
        rows.append(_Row(subject, dict(zip(head, cells, strict=True))))
    return rows


def _layer(row: _Row) -> VelaLayer:
    return VelaLayer(
        op=row.text("Original Operator"),
        npu_op=row.text("NNG Operator"),
        target=row.text("Target"),
        staging_bytes=row.whole("Staging Usage"),
        cycles=row.whole("Op Cycles"),
        macs=row.whole("MAC Count"),
        mac_utilization_percent=row.number("Util% (MAC)"),
        name=row.text("Name"),
    )


def _fallbacks(layers: Iterable[VelaLayer], output: str) -> tuple[Fallback, ...]:
    """Join the table, which says what stays on the CPU, with the warnings, which say why."""
    reasons = _reasons(output)
    return tuple(
        reasons.get(layer.name)
        or Fallback(op=layer.op, output=layer.name, reason="", constraint="")
        for layer in layers
        if layer.target == "CPU"
    )


def _reasons(output: str) -> dict[str, Fallback]:
    """Return the warnings by output tensor: a line, the reason, what vela accepts."""
    found: dict[str, Fallback] = {}
    lines = iter(output.split("\n"))
    for line in lines:
        match = _WARNING.fullmatch(line.rstrip("\r"))
        if match is None:
            continue
        # An empty line ends each warning.
        block = []
        for following in lines:
            if not following.strip():
                break
            block.append(following.rstrip())
        reason = block[0].removeprefix(_REASON) if block else ""
        found[match[2]] = Fallback(
            op=match[1], output=match[2], reason=reason, constraint="\n".join(block[1:])
        )
    return found
