"""The benchmarks stay runnable; what they find depends on the machine and is not asserted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess.native_library import load_kernels
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.host.models.students import TINY
from tests.benchmarks import (
    cold_start,
    decoding,
    import_time,
    jpeg_accuracy,
    kernel,
    mjpeg,
)
from tests.benchmarks.loop import endurance, frame_cost, loop_rate, worker_cost
from tests.benchmarks.measure import (
    CLIP,
    HEADER,
    MOBILENET_V1_SMALL,
    MOBILENET_V2,
    SAMPLE_BUNDLE,
    Row,
    interleaved,
    ratio,
    table,
)
from tests.benchmarks.training import distillation
from tests.benchmarks.training import input as training_input

needs_data = pytest.mark.skipif(
    not (MOBILENET_V1_SMALL.is_file() and MOBILENET_V2.is_file() and CLIP.is_file()),
    reason="needs the models and clips of ../shared/data",
)
needs_native = pytest.mark.skipif(
    load_kernels() is None, reason="the native library was not built here"
)


def test_ratios_are_medians_of_each_repeats_own() -> None:
    assert ratio([90, 50, 10], [100, 200, 100]) == "0.25 (0.10 to 0.90)"


def test_contenders_take_turns() -> None:
    order: list[str] = []

    def note(name: str) -> float:
        order.append(name)
        return len(order)

    figures = interleaved({"a": lambda: note("a"), "b": lambda: note("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert figures == {"a": [1, 3], "b": [2, 4]}


def test_the_table_is_markdown_with_aligned_columns() -> None:
    header, rule, line = table([Row(what="x", figure="1 ms", wanted="2 or less")]).splitlines()
    assert [cell.strip() for cell in header.strip("|").split("|")] == list(HEADER)
    assert len(header) == len(rule) == len(line)
    assert header.count("|") == rule.count("|") == line.count("|") == len(HEADER) + 1


def test_the_simulated_camera() -> None:
    row = loop_rate.simulated_row(SAMPLE_BUNDLE, repeats=1, frames=40)
    assert float(row.figure.split()[0].replace(",", "")) > 0


@needs_data
def test_frames_in_memory_cost_time() -> None:
    row = frame_cost.measure(MOBILENET_V1_SMALL, frames=50, repeats=1)
    assert row.figure.endswith(" us")
    assert row.ratio


@needs_native
def test_the_kernel_is_compared_and_its_error_found() -> None:
    assert [row.what.split(":")[0] for row in kernel.rows(repeats=1)] == ["kernel"] * 3
    frame = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    small = np.asarray(cv2.resize(frame, kernel.SIZE, interpolation=cv2.INTER_NEAREST), np.uint8)
    identity = kernel.quantize(small[..., ::-1])[None]
    assert kernel.largest_error(small, identity, places=5) == 0
    assert kernel.largest_error(small, identity ^ np.int8(2), places=5) == 2


@needs_data
def test_the_decoder_is_compared_with_an_invoke() -> None:
    row = decoding.measure(MOBILENET_V2, 250, "channels-last", calls=2, repeats=1)
    assert row.figure.endswith(" ms")
    assert row.ratio
    assert np.count_nonzero(decoding.candidates(250, "channels-last")[0, :, 4:] >= 0.3) == 250


@needs_data
@needs_native
def test_cameras_jpegs() -> None:
    assert [jpeg[:2].tobytes() for jpeg in mjpeg.camera_jpegs()] == [b"\xff\xd8"] * 3
    assert len(mjpeg.rows(repeats=1)) == 2


@needs_data
def test_starting() -> None:
    rows = cold_start.rows(repeats=1)
    assert [row.wanted for row in rows] == ["1.5 or less", "1.5 or less", "", "+40 MiB or less"]


def test_imports_are_compared_with_numpys() -> None:
    rows = import_time.rows(repeats=1)
    assert [row.what for row in rows] == [
        "import: edgeinfer",
        "import: edgeinfer and its errors",
        "import: edgeinfer and Model",
        "import: edgeinfer and all its names",
    ]
    assert all(row.compared_with.startswith("numpy ") and row.ratio for row in rows)


@needs_data
def test_many_frames() -> None:
    growth, ages = endurance.steadiness(frames=2000)
    assert growth.figure.endswith(" MiB")
    assert len(ages.figure.split()) == endurance.PARTS + 1
    assert "dropped" in endurance.lateness(frames=50).figure


def test_the_way_to_a_worker_and_back(reference_delegate: Path) -> None:
    with open_bundle(SAMPLE_BUNDLE) as bundle:
        model = bundle.member("variants/cpu.tflite")
    row = worker_cost.measure("sample", model, reference_delegate, repeats=1)
    assert row.what == "a worker's cost a frame: sample, 784 bytes in"
    assert " us (" in row.figure


def test_accuracy_by_reduction(tmp_path: Path) -> None:
    with Model.open(SAMPLE_BUNDLE) as model:
        frames = model.golden_frames()
        right = 0
        for number, (pixels, label) in enumerate(frames):
            (tmp_path / str(label)).mkdir(exist_ok=True)
            (tmp_path / str(label) / f"{number}.png").write_bytes(encode_png(pixels))
            answer = model.predict(pixels)
            right += isinstance(answer, Classification) and answer.label == label
        found = jpeg_accuracy.accuracy(model, tmp_path, reductions=(1, 8))
    assert found["the files as they are"] == right / len(frames) > 0.5
    # 28 pixels enlarged to 1280x720: an eighth of that still has every detail.
    assert found["8"] > 0.5


def test_students_are_compared_seed_by_seed() -> None:
    def outcomes(*top1: float) -> list[distillation.Outcome]:
        return [
            distillation.Outcome(float_top1=value, int8_top1=value, file_bytes=1000)
            for value in top1
        ]

    alone, with_teacher = distillation.table_rows(
        {"labels alone": outcomes(0.8, 0.82), "labels and teacher": outcomes(0.85, 0.85)}
    )
    assert alone.figure == "81.00 +- 1.41 %"
    assert with_teacher.figure == "85.00 +- 0.00 %"
    assert with_teacher.compared_with == "gain 4.00 +- 1.41 points"
    assert with_teacher.ratio == "85.00%, 85.00%"
    config = distillation.student_config(seed=2, epochs=7)
    assert (config.epochs, config.seed, config.width) == (7, 2, TINY.width)


def test_training_reads_the_same_from_disk_and_from_memory(tmp_path: Path) -> None:
    for ours, theirs in training_input.sources(tmp_path, 12).values():
        for generator in (None, np.random.default_rng(1)):
            order = np.array([3, 11, 0, 7])
            other = None if generator is None else np.random.default_rng(1)
            inputs, targets = ours.read(order, generator)
            same_inputs, same_targets = theirs.read(order, other)
            np.testing.assert_array_equal(inputs, same_inputs)
            np.testing.assert_array_equal(targets, same_targets)
