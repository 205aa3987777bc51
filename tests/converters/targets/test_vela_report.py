"""Reading what vela writes, from small texts in its format."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.targets.vela_report import Fallback, VelaLayer, parse_report
from edgeinfer.device.core.errors import ConversionError

SUMMARY_ROW = {
    "experiment": "default",
    "network": "model",
    "accelerator_configuration": "Ethos_U65_256",
    "system_config": "Ethos_U65_Client_Server",
    "memory_mode": "Dedicated_Sram_384KB",
    "core_clock": "1000000000.0",
    "inferences_per_second": "11473.5",
    "inference_time": "8.7157e-05",
    "sram_memory_used": "63.25",
    "dram_memory_used": "80.5",
    "on_chip_flash_memory_used": "0.0",
    "off_chip_flash_memory_used": "1.75",
    "nn_macs": "9349056",
    "cycles_npu": "87000",
    "cycles_total": "87157",
}
LAYERS = (
    "Original Operator,NNG Operator,Target,Staging Usage,Peak% (Staging),Op Cycles,MAC Count,"
    "Util% (MAC),Name\n"
    "Conv2D,Conv2D,NPU,13760,34.03,11316,112896,7.79,a;b\n"
    "Conv2D,Relu,NPU,0,0.0,0,0,100,a;b\n"
    "ResizeBilinear,Passthrough,CPU,0,NaN,0,0,100,up,sampled\n"
    'Softmax,Passthrough,CPU,0,NaN,0,0,100,"answer\n'
)
OUTPUT = """Warning: No memory mode specified. Using a default of Shared_Sram.
Tensor 'x' has a dynamic signature in axis 0. Setting shape axis 0 to 1 and proceeding.

Warning (supported operators) operator: RESIZE_BILINEAR, ofm: 'up,sampled'
Reason: Scaling matches and operation has unsupported scale-factor=16
IF not (IFM H == IFM W == 1):
  - Scale-factor needs to be one of: 2x/4x/8x

Warning (supported operators) operator: MEAN, ofm: 'on the NPU after all'
Reason: none

Network summary for model
CPU operators = 2 (50.0%)
"""


def summary(**changes: str) -> str:
    row = SUMMARY_ROW | changes
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


def test_figures() -> None:
    report = parse_report(summary(), LAYERS, OUTPUT)
    assert report.accelerator == "Ethos_U65_256"
    assert report.assumptions == "Ethos_U65_Client_Server, Dedicated_Sram_384KB, 1000 MHz"
    assert report.inferences_per_second == 11473.5
    assert report.inference_time_s == 8.7157e-05
    assert (report.cycles, report.npu_cycles, report.macs) == (87157, 87000, 9349056)
    assert (report.sram_kib, report.dram_kib) == (63.25, 80.5)
    assert (report.on_chip_flash_kib, report.off_chip_flash_kib) == (0.0, 1.75)


def test_layers() -> None:
    layers = parse_report(summary(), LAYERS, OUTPUT).layers
    assert [layer.npu_op for layer in layers] == ["Conv2D", "Relu", "Passthrough", "Passthrough"]
    assert layers[0] == VelaLayer(
        op="Conv2D",
        npu_op="Conv2D",
        target="NPU",
        staging_bytes=13760,
        cycles=11316,
        macs=112896,
        mac_utilization_percent=7.79,
        name="a;b",
    )


def test_what_stays_on_the_cpu_and_why_where_it_is_said() -> None:
    assert parse_report(summary(), LAYERS, OUTPUT).fallbacks == (
        Fallback(
            op="RESIZE_BILINEAR",
            output="up,sampled",
            reason="Scaling matches and operation has unsupported scale-factor=16",
            constraint="IF not (IFM H == IFM W == 1):\n"
            "  - Scale-factor needs to be one of: 2x/4x/8x",
        ),
        Fallback(op="Softmax", output='"answer', reason="", constraint=""),
    )


def test_a_warning_at_the_very_end() -> None:
    last = "Warning (supported operators) operator: SOFTMAX, ofm: '\"answer'"
    fallbacks = parse_report(summary(), LAYERS, OUTPUT + last).fallbacks
    assert fallbacks[1] == Fallback(op="SOFTMAX", output='"answer', reason="", constraint="")


def test_nothing_on_the_npu() -> None:
    text = summary(inferences_per_second="nan", inference_time="0.0")
    assert parse_report(text, LAYERS, "").inferences_per_second is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "vela's summary: is empty"),
        ("a,b\n", "it has 0 rows, expected one"),
        (summary() + summary(), "it has 3 rows"),
        (summary().replace("cycles_total", "cycles"), "has no column 'cycles_total'"),
        (summary(cycles_total="many"), "'cycles_total' is 'many', expected a number, 0 or more"),
        (summary(cycles_total="-1"), "'cycles_total' is '-1'"),
        (summary(cycles_total="nan"), "'cycles_total' is 'nan'"),
        (summary(sram_memory_used="inf"), "'sram_memory_used' is 'inf'"),
        ("a,b\n1\n", "a row has 1 cells, expected 2"),
    ],
)
def test_another_summary(text: str, words: str) -> None:
    with pytest.raises(ConversionError) as raised:
        parse_report(text, LAYERS, OUTPUT)
    assert words in str(raised.value)


def test_another_table_of_layers() -> None:
    with pytest.raises(ConversionError, match="table of layers: has no column 'Op Cycles'"):
        parse_report(summary(), LAYERS.replace("Op Cycles", "Cycles"), OUTPUT)


texts = st.text(max_size=60) | st.text(alphabet='",\n\r\0 ab1-.en', max_size=60)


@given(texts, texts, texts)
def test_every_error_in_its_files_is_one_sentence(figures: str, layers: str, output: str) -> None:
    for arguments in (
        (figures, LAYERS, OUTPUT),
        (summary(), layers, OUTPUT),
        (summary(), LAYERS.splitlines()[0] + "\n" + layers, output),
        (summary(cycles_total=figures, nn_macs=layers), LAYERS, output),
    ):
        # Anything else that is raised, or warned of, fails the test.
        with suppress(ConversionError):
            assert parse_report(*arguments).cycles >= 0
