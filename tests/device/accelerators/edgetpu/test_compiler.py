"""Running the compiler and reading its log. The compiler here is a stand-in: a shell script."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.accelerators.edgetpu.compiler import compile_model, find_compiler
from edgeinfer.device.accelerators.edgetpu.log import LogRow, differences, parse_log
from edgeinfer.device.accelerators.edgetpu.mapping import map_model
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.graph_examples import image, model
from tests.device.tflite.outside_examples import outside
from tests.device.tflite_examples import dense_model, encode
from tests.support.waiting import PATIENCE_S

LOG = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 231 ms.

Input model: model.tflite
Input size: 3.03KiB
On-chip memory used for caching model parameters: 10.00KiB
On-chip memory remaining for caching model parameters: 7.67MiB
Off-chip memory used for streaming uncached model parameters: 1.50MiB
Number of Edge TPU subgraphs: 1
Total number of operations: 4

Operator                       Count      Status

RELU                           2          Mapped to Edge TPU
RELU                           1          More than one subgraph is not supported
CUSTOM                         1          Operation is working on an unsupported data type
Compilation child process completed within timeout period.
"""


def fake_compiler(folder: Path, script: str) -> Path:
    path = folder / "edgetpu_compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_log_is_read() -> None:
    log = parse_log(LOG, subject="x")
    assert log.version == "16.0.384591198"
    assert (log.cached_bytes, log.streamed_bytes) == (10240, 3 * 2**19)
    assert log.rows[1] == LogRow(
        op="RELU", count=1, status="More than one subgraph is not supported"
    )
    assert (log.mapped, log.total) == ({"RELU": 2}, 4)


def test_a_table_that_comes_twice_counts_once() -> None:
    assert parse_log(LOG + LOG, subject="x").total == 4


@pytest.mark.parametrize("text", ["", "Operator Count Status\n", "RELU 1 Mapped to Edge TPU"])
def test_a_log_without_a_table_is_refused(text: str) -> None:
    with pytest.raises(ConversionError, match="has no table of operators"):
        parse_log(text, subject="x")


PIECES = st.sampled_from([*LOG.splitlines(keepends=True), "\n", "99999999999999999999 x", "\0"])


@given(st.one_of(st.text(), st.lists(PIECES | st.text(max_size=9)).map("".join)))
def test_any_text_gives_a_log_or_the_projects_error(text: str) -> None:
    try:
        log = parse_log(text, subject="x")
    except ConversionError:
        return
    assert log.rows
    assert sum(log.mapped.values()) <= log.total


def test_the_prediction_is_compared_with_the_log() -> None:
    graph = model(
        [image(1, 4)] * 5,
        [
            ("RELU", [0], [1]),
            ("RELU", [1], [2]),
            ("ELU", [2], [3]),
            ("RELU", [3], [4]),
        ],
    )
    assert differences(map_model(graph), parse_log(LOG, subject="x"), graph) == []
    other = LOG.replace("RELU                           2  ", "TANH                           1  ")
    assert differences(map_model(graph), parse_log(other, subject="x"), graph) == [
        "RELU: 0 mapped, 2 predicted",
        "TANH: 1 mapped, 0 predicted",
        "the table has 3 operators, the model 4",
    ]


def test_the_compiler_is_found_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text(LOG)
    script = f'cat {tmp_path}/log; cp "$4" "$3/model_edgetpu.tflite"'
    program = fake_compiler(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert find_compiler() == program
    compiled = compile_model(b"content", program, subject="x")
    assert compiled.content == b"content"
    assert compiled.log.total == 4


def test_the_compiler_gets_weights_where_it_looks_for_them(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    program = fake_compiler(tmp_path, f'cat {tmp_path}/log; cp "$4" "$3/model_edgetpu.tflite"')
    inside = encode(dense_model())
    given = compile_model(outside(inside), program, subject="x").content
    assert all(table.has(0) for table in FlatBuffer(given).root().tables(4)[1:])
    assert read_tflite(given, subject="x") == read_tflite(inside, subject="x")
    assert compile_model(inside, program, subject="x").content == inside


def test_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler() is None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo Internal compiler error. Aborting!; exit 1", "code 1: Internal compiler error"),
        ("exit 3", "code 3: it said nothing"),
        ("echo no", "wrote no model: no"),
        ('cp "$4" "$3/model_edgetpu.tflite"', "has no table"),
        ("kill -SEGV $$", "was killed by SIGSEGV: it said nothing"),
    ],
)
def test_what_goes_wrong_is_said(script: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=words):
        compile_model(b"content", fake_compiler(tmp_path, script), subject="x")


def test_a_file_that_is_not_a_program(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="cannot be run"):
        compile_model(b"content", tmp_path / "absent", subject="x")


def test_a_compiler_that_hangs_is_ended_with_its_child(tmp_path: Path) -> None:
    """The child holds the pipe: unless it is ended too, reading takes its hour."""
    program = fake_compiler(tmp_path, "sleep 3600 & sleep 3600")
    start = time.monotonic()
    with pytest.raises(ConversionError, match=r"did not end within 0\.3 s"):
        compile_model(b"content", program, subject="x", timeout_s=0.3)
    assert time.monotonic() - start < PATIENCE_S
