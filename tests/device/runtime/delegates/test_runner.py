"""A delegate that is well, that fails in every way, and what becomes of the frames."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import DelegateError, ModelError
from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.runner import Runner, RuntimeName
from tests.device.runtime.delegates.conftest import PATIENT, Heard, picture
from tests.support.waiting import PATIENCE_S, until

Start = Callable[..., DelegateRunner]
HANGING = WorkerPolicy(deadline_s=2.0)
"""Machines that run tests are shared: only where a delegate hangs is its time short."""


def answers_right(runner: DelegateRunner, cpu: Runner, runs: int, first: int = 0) -> bool:
    return all(
        np.array_equal(
            runner.invoke([picture(number)])[0],
            cpu.invoke([picture(number)])[0],
        )
        for number in range(first, first + runs)
    )


def test_it_answers_as_the_same_kernels_do_in_process(
    start: Start, cpu: Runner, runtime: RuntimeName
) -> None:
    runner = start(runtime=runtime)
    assert (runner.inputs, runner.outputs) == (cpu.inputs, cpu.outputs)
    assert runner.description.startswith(f"{runtime} ")
    assert "libreference_delegate.so in a worker process" in runner.description
    assert answers_right(runner, cpu, 20)
    assert str(runner.counts) == ""


def test_threads_share_one_and_what_answers_in_its_place(
    start: Start, cpu: Runner, tmp_path: Path
) -> None:
    opened: list[Runner] = []

    def substitute() -> Runner:
        opened.append(cpu)
        return cpu

    runner = start(
        substitute=substitute,
        policy=PATIENT,
        fault="crash",
        after=10,
        times=1,
        state=tmp_path / "state",
    )
    with ThreadPoolExecutor(4) as pool:
        right = pool.map(lambda n: answers_right(runner, cpu, 10, first=10 * n), range(4))
        assert all(right)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("fault", "told", "count"),
    [
        ("crash", "was ended by SIGSEGV", "died"),
        ("abort", "was ended by SIGABRT", "died"),
        ("exit", "ended with exit code 3", "died"),
        ("hang", "gave no answer within 2 s", "hung"),
        ("error", "told to fail", "failed"),
    ],
)
def test_the_cpu_answers_the_lost_frame_until_a_new_worker_is_there(
    start: Start, cpu: Runner, heard: Heard, tmp_path: Path, fault: str, told: str, count: str
) -> None:
    # Three runs warm a worker up; the first frame is well, the second one meets the fault.
    runner = start(
        substitute=lambda: cpu,
        policy=HANGING if fault == "hang" else PATIENT,
        fault=fault,
        after=4,
        times=1,
        state=tmp_path / "state",
    )
    assert answers_right(runner, cpu, 2)
    assert runner.counts.substituted == 1
    until(lambda: runner.worker_pid is not None)
    assert answers_right(runner, cpu, 5, first=2)
    assert getattr(runner.counts, count) == 1
    assert (runner.counts.restarts, runner.counts.substituted) == (1, 1)
    assert told in heard[0]
    assert "restarting it in 0.25 s; the CPU answers until then" in heard[0]
    assert "back after" in heard[1]
    assert len(heard) == 2


def test_without_a_cpu_variant_the_frame_waits_for_the_new_worker(
    start: Start, cpu: Runner, heard: Heard, tmp_path: Path, runtime: RuntimeName
) -> None:
    options = {"fault": "crash", "after": 3, "times": 1, "state": tmp_path / "state"}
    runner = start(policy=PATIENT, runtime=runtime, **options)
    assert answers_right(runner, cpu, 3)
    assert (runner.counts.died, runner.counts.restarts, runner.counts.substituted) == (1, 1, 0)
    assert "the CPU" not in heard.text()


def test_the_cpu_takes_over_from_one_that_fails_again_and_again(
    start: Start, cpu: Runner, heard: Heard
) -> None:
    policy = WorkerPolicy(restarts=1, deadline_s=PATIENCE_S)
    runner = start(substitute=lambda: cpu, policy=policy, fault="crash", after=4)
    number = 0
    while not runner.counts.given_up:
        assert answers_right(runner, cpu, 1, first=number)
        number += 1
        time.sleep(0.005)
    assert answers_right(runner, cpu, 3)
    assert runner.counts.died == 2
    assert runner.counts.restarts == 1
    assert runner.worker_pid is None
    assert heard[-1].endswith("failed 2 times within 600 s; the CPU takes over")
    assert "was given up" in runner.description


def test_a_worker_that_is_given_up_is_reported_before_another_answers(
    start: Start, cpu: Runner, heard: Heard
) -> None:
    """However busy the machine is: a loop may end before another thread is heard."""
    told: list[list[str]] = []

    def substitute() -> Runner:
        told.append(list(heard))
        return cpu

    runner = start(substitute=substitute, policy=WorkerPolicy(restarts=0), fault="crash", after=3)
    assert answers_right(runner, cpu, 1)
    assert [line.rsplit(": ", 1)[1] for line in told[0]] == [
        "was ended by SIGSEGV",
        "failed once within 600 s; the CPU takes over",
    ]
    assert runner.counts.given_up


def test_a_required_one_that_fails_again_and_again_is_an_error(start: Start) -> None:
    policy = WorkerPolicy(restarts=1, deadline_s=PATIENCE_S)
    runner = start(policy=policy, fault="error", after=3)
    with pytest.raises(DelegateError, match="failed 2 times within 600 s"):
        runner.invoke([picture(0)])


def test_one_that_does_not_come_back_is_counted(
    start: Start, cpu: Runner, heard: Heard, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    control.touch()
    policy = WorkerPolicy(restarts=1, deadline_s=PATIENCE_S)
    runner = start(substitute=lambda: cpu, policy=policy, control=control)
    assert answers_right(runner, cpu, 1)
    control.write_text("crash-load")
    os.kill(runner.worker_pid or 0, signal.SIGKILL)
    assert answers_right(runner, cpu, 1)
    until(lambda: runner.counts.given_up)
    assert (runner.counts.died, runner.counts.not_started) == (1, 1)
    assert "was ended by SIGKILL" in heard[0]
    assert "did not restart: crashed (the process was ended by SIGSEGV while" in heard[1]


def test_a_model_that_fails_on_the_cpu_too_is_an_error(start: Start, tmp_path: Path) -> None:
    def broken() -> Runner:
        raise ModelError("sample", got="cannot be loaded")

    runner = start(substitute=broken, policy=PATIENT, fault="crash", after=3)
    with pytest.raises(ModelError, match="cannot be loaded"):
        runner.invoke([picture(0)])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("refuse", "does not start (reference delegate: told to refuse)"),
        ("refuse-silently", "does not start, and gives no reason"),
        ("crash-load", "crashed (the process was ended by SIGSEGV while it was loaded)"),
        ("exit-load", "crashed (the process ended with exit code 3 while it was loaded)"),
        ("hang-load", "loading it did not end within"),
        ("refuse-graph", "does not take the model"),
        ("crash-graph", "crashed (the process was ended by SIGSEGV while it took the model)"),
        ("crash", "crashed (the process was ended by SIGSEGV in its first run)"),
        ("error", "failed in its first run"),
        ("hang", "its first run did not end within"),
    ],
)
def test_one_that_does_not_start_is_a_sentence(
    start: Start, runtime: RuntimeName, fault: str, said: str
) -> None:
    # Starting counts as well: where the worker does not get as far as to hang, it gets more time.
    for limit_s in (1, 4, 16, 64, 256) if fault.startswith("hang") else (PATIENCE_S,):
        with pytest.raises(DelegateError) as caught:
            start(policy=WorkerPolicy(load_limit_s=limit_s), runtime=runtime, fault=fault)
        if said in str(caught.value):
            break
    assert said in str(caught.value)
    assert caught.value.next_step
    assert "\n" not in str(caught.value)


def test_closing_is_prompt_while_a_new_worker_hangs(
    start: Start, cpu: Runner, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    control.touch()
    policy = WorkerPolicy(load_limit_s=10 * PATIENCE_S)
    runner = start(substitute=lambda: cpu, policy=policy, control=control)
    control.write_text("hang-load")
    os.kill(runner.worker_pid or 0, signal.SIGKILL)
    runner.invoke([picture(0)])
    until(lambda: control.read_text() == "")  # it hangs now
    begin = time.monotonic()
    runner.close()
    assert time.monotonic() - begin < PATIENCE_S


def test_a_pause_frees_the_accelerator_for_another(
    start: Start, cpu: Runner, heard: Heard, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    runner = start(substitute=lambda: cpu, lock=lock)
    with pytest.raises(DelegateError, match="does not start"):
        start(lock=lock)
    runner.pause()
    other = start(lock=lock)
    assert answers_right(runner, cpu, 2)
    assert answers_right(other, cpu, 2)
    assert (runner.counts.substituted, other.counts.substituted) == (2, 0)
    other.close()
    runner.resume()
    until(lambda: runner.worker_pid is not None)
    assert answers_right(runner, cpu, 2)
    assert runner.counts.substituted == 2
    assert (runner.counts.restarts, len(heard)) == (0, 0)


def test_without_a_cpu_variant_a_pause_holds_runs_up(start: Start, cpu: Runner) -> None:
    runner = start()
    runner.pause()
    done = threading.Event()

    def ask() -> None:
        assert answers_right(runner, cpu, 1)
        done.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert not done.wait(0.3)
    runner.resume()
    assert done.wait(PATIENCE_S)
    thread.join()


def test_nothing_is_left_behind(start: Start, cpu: Runner, tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left is not to be closed in between
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        runner = start(substitute=lambda: cpu, policy=HANGING, fault="hang", after=3)
        pid = runner.worker_pid or 0
        runner.invoke([picture(0)])
        runner.close()
        assert not Path(f"/proc/{pid}").exists()
    assert len(os.listdir("/proc/self/fd")) <= before
    assert not [t for t in threading.enumerate() if t.name == "edgeinfer-delegate"]
