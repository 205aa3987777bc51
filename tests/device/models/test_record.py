"""A board records the answers of a model that only its accelerator runs; then it verifies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EdgeinferError, UsageError, VerificationError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.record import record_bundle
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def compiled(sample_bundle: Path, tmp_path: Path) -> Path:
    """A bundle with a variant for an accelerator only, without golden outputs."""
    with open_bundle(sample_bundle) as bundle:
        manifest = bundle.manifest
        cpu = manifest.variants["cpu"]
        members = {
            name: bundle.member(name)
            for name in manifest.members
            if name not in cpu.golden_outputs.values()
        }
    only = replace(cpu, delegate="edgetpu", golden_outputs={})
    path = tmp_path / "compiled.edgebundle"
    write_bundle(path, replace(manifest, schema_version=3, variants={"edgetpu": only}), members)
    return path


@pytest.fixture
def with_delegate(reference_delegate: Path) -> OpenOptions:
    request = DelegateRequest(
        variant="edgetpu",
        delegate=str(reference_delegate),
        require=True,
        policy=WorkerPolicy(deadline_s=PATIENCE_S),
    )
    return OpenOptions(delegates=request)


def test_what_is_recorded_verifies(
    compiled: Path, with_delegate: OpenOptions, tmp_path: Path
) -> None:
    with pytest.raises(VerificationError, match="no golden outputs") as caught:
        verify_bundle(compiled, with_delegate)
    assert "verify --record" in caught.value.next_step
    recorded = record_bundle(compiled, tmp_path / "recorded.edgebundle", with_delegate)
    assert (recorded.variant, recorded.frames) == ("edgetpu", 10)
    assert "recorded.edgebundle" in recorded.lines()[0]
    report = verify_bundle(recorded.bundle, with_delegate)
    assert report.largest_difference == 0


def test_what_is_there_is_not_recorded_again(compiled: Path, with_delegate: OpenOptions) -> None:
    record_bundle(compiled, compiled, with_delegate)
    with pytest.raises(UsageError, match="has golden outputs"):
        record_bundle(compiled, compiled, with_delegate)


def test_without_the_accelerator_nothing_is_written(compiled: Path, tmp_path: Path) -> None:
    out = tmp_path / "recorded.edgebundle"
    with pytest.raises(EdgeinferError):
        record_bundle(compiled, out)
    assert not out.exists()


def test_options_that_change_no_output_are_refused(compiled: Path, tmp_path: Path) -> None:
    for options in (OpenOptions(min_score=0.5), OpenOptions(input_range="0..1")):
        with pytest.raises(UsageError):
            record_bundle(compiled, tmp_path / "x.edgebundle", options)
        with pytest.raises(UsageError):
            verify_bundle(compiled, options)
