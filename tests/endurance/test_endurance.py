"""Each fault a few times: the loop is there to the end and says nothing that is not new."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance.__main__ import HEADER, fault_table, row
from tests.endurance.faults import FAULTS
from tests.system.reference_delegate.build import c_compiler

pytestmark = pytest.mark.system


def test_no_fault_ends_the_loop(shared_data: Path) -> None:
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler, with which camera and delegate are built")
    coral = shared_data / "coral"
    model, labels = coral / "mobilenet_v1_0.25_128_quant.tflite", coral / "imagenet_labels.txt"
    results = dict(fault_table(FAULTS, 3, model, labels, compiler))
    shown = "\n".join([HEADER, *(row(name, result) for name, result in results.items())])
    assert all(len(result.recoveries_s) == 3 for result in results.values()), shown
    assert not any(result.ended or result.stale for result in results.values()), shown
