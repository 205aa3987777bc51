from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import EdgeinferError, ModelError
from edgeinfer.device.diagnose.benchmark.frames import make_frames
from edgeinfer.device.diagnose.benchmark.subject import MIN_RUNS, Subject
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.pictures.frame import Frame, FrameFormat
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import dense_model, encode


@pytest.mark.parametrize("frame_format", ["bgr", "yuyv", "jpeg"])
def test_the_stages_of_a_bundle(sample_bundle: Path, frame_format: FrameFormat) -> None:
    frames = make_frames([], (64, 48), frame_format)
    with Subject(sample_bundle, OpenOptions()) as subject:
        assert subject.note is None
        counted, stages = subject.time_stages(frames, seconds=1e-6)
    assert counted == MIN_RUNS
    names = ["decode", "preprocess", "invoke", "postprocess", "whole"]
    assert [stage.stage for stage in stages] == names[frame_format != "jpeg" :]
    for stage in stages:
        assert 0 < stage.p50_ms <= stage.p95_ms <= stage.p99_ms
    times = {stage.stage: stage.p50_ms for stage in stages}
    assert times["whole"] > times["invoke"]
    assert times["whole"] > times["preprocess"]


def test_every_frame_has_its_turn_and_the_first_runs_are_not_counted(
    sample_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = make_frames([np.full((4, 4, 3), 9 * n, np.uint8) for n in range(7)], (8, 6), "rgb")
    with Subject(sample_bundle, OpenOptions()) as subject:
        assert subject.model is not None
        seen: list[int] = []
        tensor = subject.model.preprocessor.tensor

        def watched(pixels: Any, pixel_format: Any, *, out: Any) -> Any:
            seen.append(int(pixels[0, 0, 0]))
            return tensor(pixels, pixel_format, out=out)

        monkeypatch.setattr(subject.model.preprocessor, "tensor", watched)
        counted, _ = subject.time_stages(frames, seconds=1e-6)
    assert set(seen) == {9 * n for n in range(7)}
    assert len(seen) > counted >= MIN_RUNS


def test_longer_means_more_runs(sample_bundle: Path) -> None:
    frames: list[Frame] = make_frames([], (28, 28), "rgb")
    with Subject(sample_bundle, OpenOptions()) as subject:
        counted, _ = subject.time_stages(frames, seconds=0.2)
    assert counted > MIN_RUNS


def test_a_model_that_takes_no_frames_is_timed_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    with Subject(path, OpenOptions()) as subject:
        assert subject.model is None
        assert subject.note is not None
        assert subject.note.startswith(
            "only inference was timed: input shape is (1, 4), expected (1, height, width, 1 or 3), "
        )
        counted, (stage,) = subject.time_stages([], seconds=1e-6)
    assert counted == MIN_RUNS
    assert stage.stage == "invoke"


@pytest.mark.parametrize("content", [b"", b"TFL3" * 20, b"PK\x03\x04torn"])
def test_what_no_runtime_takes_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    with pytest.raises(EdgeinferError, match=r"bad\.tflite: "):
        Subject(path, OpenOptions())
    with pytest.raises(EdgeinferError, match=r"absent\.tflite: does not exist"):
        Subject(tmp_path / "absent.tflite", OpenOptions())


def test_a_bundle_that_does_not_fit_its_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.edgebundle"
    write_bundle(path, manifest(), MEMBERS | {"variants/cpu.tflite": encode(dense_model())})
    with pytest.raises(ModelError, match="as the manifest says"):
        Subject(path, OpenOptions())
