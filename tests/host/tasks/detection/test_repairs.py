"""The repairs of an INT8 model run on detectors, whose outputs are several."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import AccuracyError
from tests.host.tasks.detection.detector_run import detector_run
from tests.support.made_once import made_once


@pytest.mark.slow
def test_every_repair_runs_on_a_detector(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    run = made_once(tmp_path_factory, "detector_run", detector_run) / "run"
    told = io.StringIO()
    options = ConvertOptions(calibration_images=4, golden_frames=1, layer_pictures=1)
    # No model gains this much, so nothing is good enough.
    source = TrainedRun(folder=run, max_drop_points=-100.0)
    with TensorflowProcess() as tensorflow, pytest.raises(AccuracyError) as caught:
        convert(
            source, tmp_path / "a.edgebundle", options, LineProgress(told), tensorflow=tensorflow
        )
    tried = str(caught.value)
    for stage in ("ranges by mse", "bias correction", "in float32", "quantization-aware training"):
        assert stage in tried
    assert "not trained" not in told.getvalue()
