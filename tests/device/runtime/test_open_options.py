"""What a process asks of another."""

from __future__ import annotations

import pytest

from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.open_options import OpenOptions


@pytest.mark.parametrize(
    "options",
    [
        OpenOptions(),
        OpenOptions(
            threads=4,
            runtime="tflite-runtime",
            labels=("a", "b"),
            delegates=DelegateRequest(
                variant="v",
                delegate="/x y.so",
                options=(("a", "b=c"),),
                require=True,
                policy=WorkerPolicy(deadline_s=0.5),
            ),
            substitute=False,
            trust=True,
        ),
        OpenOptions(delegates=DelegateRequest(edgetpus=("usb:0", "pci:1"))),
        OpenOptions(region=(0.25, 0.0, 0.5, 1.0), tiles=(3, 2)),
    ],
)
def test_options_go_to_another_process_and_back(options: OpenOptions) -> None:
    assert OpenOptions.from_json(options.to_json()) == options


def test_one_thread_unless_more_are_wanted() -> None:
    assert (OpenOptions().thread_count, OpenOptions(threads=4).thread_count) == (1, 4)


def test_region_and_tiles_are_options_of_the_commands() -> None:
    assert OpenOptions(tiles=(3, 2)).to_arguments() == ["--tiles=3x2"]
    assert OpenOptions(region=(1 / 3, 0, 0.5, 1)).to_arguments() == ["--region=0.333333,0,0.5,1"]
