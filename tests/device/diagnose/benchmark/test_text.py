from __future__ import annotations

import dataclasses

import pytest

from edgeinfer.device.diagnose.benchmark.report import ModelFile
from edgeinfer.device.diagnose.benchmark.text import advice, report_lines
from tests.device.diagnose.benchmark.examples import REPORT, comparison

TEXT = """\
cats
  file      cats.edgebundle, 4,000,000 bytes
  host      pi@board
  board     Raspberry Pi 4 (rpi4)
  machine   4 cores, 3,792 MiB, aarch64
  software  edgeinfer 0.1.0, Python 3.11.2
  runtime   ai-edge-litert 2.3.0 (xnnpack), 3 threads
  frames    640x480 jpeg: the bundle's golden frames, scaled

stage, ms         p50     p95        p99  of 1,234 frames
JPEG decode     5.500   6.000      7.250
preprocess      1.000   1.500      2.000
inference      17.000  18.000  1,900.000
output decode   0.012   0.020      0.030
whole          23.500  25.500  1,909.280

cold start  0.61 s from process start to the first answer (0.60 to 0.65)
            peak 92 MiB; medians of 5 fresh processes
memory      101 MiB resident here, after the stages

inference, ms         kernels  threads     p50     p95
ai-edge-litert 2.3.0  xnnpack        1  34.000  34.500
ai-edge-litert 2.3.0  xnnpack        3  11.333  11.833
ai-edge-litert 2.3.0  xnnpack        4   8.500   9.000
tflite-runtime                       1       -       -
tflite-runtime: cannot load it (too new)
fastest with ai-edge-litert: 4 threads
the board profile's 3 threads: disagrees, 33 % slower; try --threads 4, which
leaves no core to capture and preprocessing

op  operator  output                        ms   share
0   CONV_2D   1 x 112 x 112 x 32 int8  10.0000  58.8 %
1   RESHAPE   1 x 10 int8                   ~0      ~0
2   CONV_2D   1 x 7 x 7 x 8 int8        7.5000  44.1 %
ai-edge-litert 2.3.0 (xnnpack), 3 threads, 4 rounds. Differences of the medians
of models that end after each operator: noisy for tiny operators; 1 came out
below 0 and are shown as ~0; --json has them.

operator  count       ms    share
CONV_2D       2  17.5000  102.9 %
RESHAPE       1       ~0       ~0
all           3  17.0000  100.0 %"""


def test_the_whole_text() -> None:
    assert "\n".join(report_lines(REPORT)) == TEXT


@pytest.mark.parametrize(
    ("p50s_ms", "board_threads", "lines"),
    [
        ((10.0, 20.0), 1, ["fastest with ai-edge-litert: 1 thread", "1 thread: agrees"]),
        ((10.0, 9.8), 1, ["2 threads", "agrees (2 % slower, within what repeats differ by)"]),
        ((10.0, 5.0, 7.0), 3, ["2 threads", "3 threads: disagrees, 40 % slower; try --threads 2"]),
        ((10.0, 20.0), 3, ["1 thread", "3 threads: not among those compared"]),
        ((10.0, 5.0), 1, ["2 threads", "1 thread: disagrees, 100 % slower; try --threads 2"]),
    ],
)
def test_what_the_threads_mean(
    p50s_ms: tuple[float, ...], board_threads: int, lines: list[str]
) -> None:
    found = advice(comparison(*p50s_ms, board_threads=board_threads), "ai-edge-litert", cores=4)
    assert len(found) == len(lines)
    for line, end in zip(found, lines, strict=True):
        assert line.endswith(end)


def test_another_runtime_that_is_faster_is_named() -> None:
    two = comparison(10.0)
    quick = dataclasses.replace(two.candidates[0], runtime="tflite-runtime", p50_ms=5.0)
    two = dataclasses.replace(two, candidates=(*two.candidates, quick))
    lines = advice(two, "ai-edge-litert", cores=4)
    assert "EDGEINFER_RUNTIME=tflite-runtime" in lines[1]


def test_a_hostile_name_and_a_long_one_leave_the_terminal_alone() -> None:
    model = ModelFile(name="x\x1b[2J", file="/a" * 60 + "\n.tflite", size_bytes=1)
    lines = report_lines(dataclasses.replace(REPORT, model=model))
    assert all(line.isprintable() for line in lines)
    assert lines[0] == r"x\x1b[2J"
    assert any("/a" * 60 in line for line in lines), "a path stays whole, to be copied"


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, report_lines(REPORT))) <= 80
