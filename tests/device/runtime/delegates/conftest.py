"""Runners with the reference delegate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.spec import DelegateSpec
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.runner import ModelRunner, RuntimeName, installed_runtimes
from tests.support.logged import hearing
from tests.support.waiting import PATIENCE_S

PATIENT = WorkerPolicy(deadline_s=PATIENCE_S)
"""For a delegate that does not hang, on a machine that may be busy."""


@pytest.fixture(params=installed_runtimes())
def runtime(request: pytest.FixtureRequest) -> RuntimeName:
    """Each runtime that is installed; it is loaded in the worker process only."""
    name: RuntimeName = request.param
    return name


@pytest.fixture
def spec(reference_delegate: Path) -> Callable[..., DelegateSpec]:
    """spec(fault=..., ...): the reference delegate with these options."""

    def make(**options: object) -> DelegateSpec:
        return DelegateSpec(
            name="reference",
            library=str(reference_delegate),
            options=tuple((key.replace("_", "-"), str(value)) for key, value in options.items()),
        )

    return make


class Heard(list[str]):
    """The lines that were logged."""

    def text(self) -> str:
        return "\n".join(self)


@pytest.fixture
def heard() -> Iterator[Heard]:
    lines = Heard()
    with hearing(lines.append):
        yield lines


@pytest.fixture
def start(
    model: bytes, spec: Callable[..., DelegateSpec], heard: Heard
) -> Iterator[Callable[..., DelegateRunner]]:
    """start(substitute=..., policy=..., runtime=..., **options): a runner, closed at the end."""
    runners: list[DelegateRunner] = []

    def make(
        *,
        substitute: Callable[[], ModelRunner] | None = None,
        policy: WorkerPolicy | None = None,
        runtime: RuntimeName = "ai-edge-litert",
        **options: object,
    ) -> DelegateRunner:
        runner = DelegateRunner(
            model,
            spec(**options),
            subject="sample",
            runtime=runtime,
            open_substitute=substitute,
            policy=policy or PATIENT,
        )
        runners.append(runner)
        return runner

    yield make
    for runner in runners:
        runner.close()


def picture(number: int) -> NDArray[Any]:
    """Return an input of the sample's model, another one for each number."""
    return np.random.default_rng(number).integers(-128, 128, (1, 28, 28, 1)).astype(np.int8)
