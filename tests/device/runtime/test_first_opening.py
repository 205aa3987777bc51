"""What was never opened here is opened by a child first, and only then by this process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime import first_opening
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner, installed_runtimes
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.one_operator import custom_model, one_operator_model
from tests.device.tflite.graph_examples import dense_of_rank
from tests.device.tflite_examples import dense_model, encode

MODEL = encode(dense_model())

# It passes the tables and ends a process that opens it: shapes that no rule can make one.
DEADLY = one_operator_model(
    "BROADCAST_ARGS",
    [("int32", [1]), ("int32", [2])],
    [("int32", [2])],
    fed=[],
    constants={0: np.array([5], np.int32).tobytes(), 1: np.array([2, 3], np.int32).tobytes()},
)


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what was opened, empty at first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgeinfer" / "opened"


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The commands of the children that were started."""
    started: list[Any] = []

    class Popen(subprocess.Popen[str]):
        def __init__(self, command: Any, **options: Any) -> None:
            started.append(command)
            super().__init__(command, **options)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return started


def test_a_model_is_tried_once(records: Path, children: list[Any]) -> None:
    for _ in range(3):
        runner = open_on_cpu(MODEL, subject="x")
        assert runner.invoke([np.ones((1, 4), np.int8)])[0].shape == (1, 2)
    assert len(children) == 1
    (record,) = records.iterdir()
    assert record.stat().st_size == 0
    assert records.stat().st_mode & 0o777 == 0o700


def test_another_model_is_tried_too(children: list[Any]) -> None:
    open_on_cpu(MODEL, subject="x")
    open_on_cpu(MODEL + b"\0", subject="x")
    assert len(children) == 2


def test_where_nothing_can_be_kept_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: list[Any]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    for _ in range(2):
        open_on_cpu(MODEL, subject="x")
    assert len(children) == 2


def test_old_records_go(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_opening, "_MOST_REMEMBERED", 3)
    for number in range(5):
        open_on_cpu(MODEL + bytes([number]), subject="x")
        for age, record in enumerate(sorted(records.iterdir(), key=lambda p: p.stat().st_mtime)):
            os.utime(record, ns=(age, age))
    assert len(list(records.iterdir())) == 3


def test_a_child_that_dies_is_an_error_line(records: Path) -> None:
    read_tflite(DEADLY, subject="x")  # the tables let it pass
    with pytest.raises(ModelError, match=r"x: is refused: the process that tried it first crashed"):
        open_on_cpu(DEADLY, subject="x")
    assert not records.exists(), "it must not be remembered as good"


def test_the_command_line_survives_it(tmp_path: Path) -> None:
    path = tmp_path / "deadly.tflite"
    path.write_bytes(DEADLY)
    command = [sys.executable, "-P", "-m", "edgeinfer.device.cli", "predict", "--model", str(path)]
    done = subprocess.run(
        [*command, str(tmp_path / "photo.png")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"error: {path}: is refused: the process that tried it first crashed (")


def test_what_fails_on_all_that_it_is_tried_with_is_an_error_line(records: Path) -> None:
    pair = ("int32", [1, 2])
    by_zero = one_operator_model("DIV", [pair, pair], [pair], options=(29, {}), fed=[0])
    with pytest.raises(ModelError, match=r"x: cannot be run: .*DIV"):
        open_on_cpu(by_zero, subject="x")
    assert not records.exists()


def test_what_takes_more_memory_than_its_tensors_say_is_refused() -> None:
    huge = one_operator_model(
        "FILL",
        [("int32", [2]), ("float32", [])],
        [("float32", [1])],
        fed=[],
        constants={0: np.array([40_000, 30_000], np.int32).tobytes()},
    )
    with pytest.raises(ModelError):
        open_on_cpu(huge, subject="x")


def test_tensors_that_do_not_fit_the_machine_are_refused(
    monkeypatch: pytest.MonkeyPatch, children: list[Any]
) -> None:
    monkeypatch.setattr(first_opening, "_available_bytes", lambda: 100 * 2**20)
    wide = one_operator_model(
        "RELU", [("float32", [1, 5000, 6000])], [("float32", [1, 5000, 6000])]
    )
    with pytest.raises(ModelError, match="its tensors take 229 MiB, expected at most the 100 MiB"):
        open_on_cpu(wide, subject="x")
    assert not children


def test_operators_that_no_table_covers_need_trust(children: list[Any]) -> None:
    model = custom_model("Mfcc")
    with pytest.raises(
        ModelError, match=r"has operators that edgeinfer cannot check: Mfcc; .* with --trust"
    ):
        open_on_cpu(model, subject="x")
    assert not children
    # Trusted, it is tried all the same.
    with pytest.raises(ModelError):
        open_on_cpu(model, OpenOptions(trust=True), subject="x")
    assert len(children) == 1


def test_the_error_of_a_runtime_stays_as_it_is() -> None:
    with pytest.raises(ModelError, match=r"cannot load it .it needs the custom operator 'Other'"):
        open_on_cpu(custom_model("Other"), subject="x")


def test_a_loop_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_opening, "_LEAST_CPU_S", 1)
    with pytest.raises(ModelError, match="did not end its first run in time"):
        open_on_cpu(endless_model(), subject="x")


def endless_model() -> bytes:
    """A loop whose condition is always true: x equals itself."""
    from tests.device.tflite.safety.test_subgraphs import BODY, CONDITION, WHILE, F, call, graph
    from tests.device.tflite_examples import Number, operator_code

    main = graph(F, [call([0], [1], WHILE, 1, 2)], F)
    codes = [operator_code("WHILE"), operator_code("EQUAL")]
    return encode({0: Number("I", 3), 1: codes, 2: [main, CONDITION, BODY], 4: [{}]})


def test_a_model_is_opened_this_way(
    sample_bundle: Path, shared_data: Path, children: list[Any]
) -> None:
    for path in (sample_bundle, shared_data / "coral" / "mobilenet_v1_0.25_128_quant.tflite"):
        for _ in range(2):
            Model.open(path).close()
    assert len(children) == 2


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_what_xnnpack_refuses_runs_on_the_built_in_kernels(
    records: Path, children: list[Any], runtime: Any
) -> None:
    model, pixels = dense_of_rank(7), np.ones((1, 2, 2, 3), np.float32)
    options = OpenOptions(runtime=runtime)
    refused = runtime == "ai-edge-litert"  # tflite-runtime 2.14 leaves the operator out itself
    if refused:
        with pytest.raises(ModelError, match="XNNPackDelegate"):
            Runner(model, subject="x", runtime=runtime)
    for _ in range(2):
        runner = open_on_cpu(model, options, subject="x")
        assert runner.kernels == "builtin"
        assert bool(runner.note) == refused
    assert len(children) == 1
    (record,) = records.iterdir()
    assert record.read_text() == ("builtin" if refused else "")
    (expected,) = Runner(dense_of_rank(2), subject="x", kernels="builtin").invoke([pixels])
    np.testing.assert_array_equal(runner.invoke([pixels])[0], expected)


def test_what_both_kinds_of_kernels_refuse_is_said_by_the_built_in_ones() -> None:
    # Four numbers do not become five scores.
    with pytest.raises(ModelError, match="cannot load it") as caught:
        open_on_cpu(dense_of_rank(7, scores=5), OpenOptions(runtime="ai-edge-litert"), subject="x")
    assert "XNNPack" not in caught.value.got


def test_xnnpack_alone_is_refused_where_it_is_insisted_on() -> None:
    options = OpenOptions(runtime="ai-edge-litert")
    with pytest.raises(ModelError, match="XNNPackDelegate"):
        open_on_cpu(dense_of_rank(7), options, subject="x", kernels="xnnpack")


def test_a_model_says_what_runs_it(tmp_path: Path) -> None:
    path = tmp_path / "dense.tflite"
    path.write_bytes(dense_of_rank(7))
    options = OpenOptions(input_range="0..1", runtime="ai-edge-litert")
    with Model.open(path, options) as model:
        notes = [note for note in model.notes if "XNNPACK" in note]
        assert notes == ["XNNPACK refuses this model: the runtime's built-in kernels run it"]
