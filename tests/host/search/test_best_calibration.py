"""Which ranges a candidate gets, and when others than the plain ones are tried."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.run_folder.trained_run import read_samples, read_trained, write_trained
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.host.search.best_calibration import Quantized, quantized
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import SearchPrecision
from edgeinfer.host.search.context import Bench
from edgeinfer.host.search.space import space_of
from edgeinfer.host.search.study.clock import SearchClock
from edgeinfer.host.search.worker.job import Done, Job
from edgeinfer.host.training.train import METRIC_ACCURACY
from tests.host.search.examples import (
    CopyingWorkshop,
    ScriptedTimer,
    baseline,
    make_run,
    pruned,
    sample_model,
)


def _confused() -> bytes:
    """Return the sample's model with the largest of its tensors' weights in another order."""
    content = sample_model()
    (graph,) = read_tflite(content, subject="sample").subgraphs
    weights = max((bytes(tensor.data) for tensor in graph.tensors), key=len)
    assert content.count(weights) == 1
    return content.replace(weights, weights[::-1])


class _Worker(CopyingWorkshop):
    """Calibrates so that the second choice of ranges alone does as well as the float model."""

    def make(self, job: Job) -> Done:
        done = super().make(job)
        if job.action == "calibrate":
            Path(job.out, "percentile.tflite").write_bytes(_confused())
        return done


@pytest.fixture
def quantize(tmp_path: Path) -> Callable[..., tuple[Quantized, list[str]]]:
    """Return what stands for a trained candidate, and what the worker was asked for."""

    def made(
        *, float_accuracy: float, budget: Budget, plain: bytes, precision: SearchPrecision = "int8"
    ) -> tuple[Quantized, list[str]]:
        run = make_run(tmp_path / "run")
        told = replace(read_trained(run), metrics={METRIC_ACCURACY: float_accuracy})
        write_trained(run, told, read_samples(run))
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "min-max.tflite").write_bytes(plain)
        workshop = _Worker()
        bench = Bench(
            run=run,
            out=tmp_path,
            trained=read_trained(run),
            validation=read_samples(run)["validation"],
            space=space_of(read_trained(run), None),
            budget=budget,
            timer=ScriptedTimer(),
            workshop=workshop,
            clock=SearchClock(limit_s=1e6, spent_s=0.0, keep=lambda seconds: None),
            progress=LineProgress(io.StringIO()),
        )
        candidate = pruned(precision=precision)
        found = quantized(bench, candidate, run, folder, baseline(), "#3")
        return found, [job.action for job in workshop.jobs]

    return made


LIMIT = Budget(accuracy_points=5)


def test_where_int8_costs_nothing_no_other_ranges_are_looked_for(
    quantize: Callable[..., tuple[Quantized, list[str]]],
) -> None:
    found, asked = quantize(float_accuracy=0.5, budget=LIMIT, plain=sample_model())
    assert (found.calibration, found.path.name, asked) == ("min-max", "min-max.tflite", [])
    assert found.accuracy > 0.75


def test_where_int8_costs_accuracy_the_best_ranges_are_taken(
    quantize: Callable[..., tuple[Quantized, list[str]]],
) -> None:
    found, asked = quantize(float_accuracy=0.9, budget=LIMIT, plain=_confused())
    assert (found.calibration, found.path.name, asked) == ("mse", "mse.tflite", ["calibrate"])
    assert found.accuracy > 0.75


def test_of_equal_ranges_the_plain_ones_are_kept(
    quantize: Callable[..., tuple[Quantized, list[str]]],
) -> None:
    found, asked = quantize(float_accuracy=1.0, budget=LIMIT, plain=sample_model())
    assert (found.calibration, asked) == ("min-max", ["calibrate"])


def test_a_file_that_is_too_large_gives_way_to_a_smaller_one(
    quantize: Callable[..., tuple[Quantized, list[str]]],
) -> None:
    model = sample_model()
    budget = Budget(size_kb=len(model) / 1000)
    found, asked = quantize(float_accuracy=0.5, budget=budget, plain=model + bytes(16))
    assert (found.calibration, asked) == ("mse", ["calibrate"])


def test_other_precisions_have_no_ranges(
    quantize: Callable[..., tuple[Quantized, list[str]]],
) -> None:
    found, asked = quantize(
        float_accuracy=1.0, budget=LIMIT, plain=sample_model(), precision="dynamic"
    )
    assert (found.calibration, asked) == ("min-max", [])
