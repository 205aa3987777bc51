"""The whole path: from a bundle on the workstation to a board that answers what its camera sees.

The tests are one story, told in their order on one board; each needs the first alone. Those marked
`long` take minutes: the same things are tried on a systemd or an SSH server of this machine for
each change (test_systemd.py, test_releases.py, test_flash.py, test_benchmark_on_a_board.py).
"""

from __future__ import annotations

import datetime
import itertools
import json
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.support.program import edgeinfer, error_line
from tests.support.waiting import PATIENCE_S
from tests.system.virtual_pi.feeding import FourCC, feed, plug, unplug
from tests.system.virtual_pi.machine import VirtualPi
from tests.system.virtual_pi.releases import (
    PREFIX,
    STATUS,
    Tell,
    disagreeing_bundle,
    flash_command,
    golden_pictures,
    look,
    renamed_bundle,
    wait_answering,
)

pytestmark = pytest.mark.system

ANSWERS = f"{PREFIX}/data/answers.jsonl"
PROGRAM = f"{PREFIX}/current/package/bin/edgeinfer"
FPS = 4
OUTPUT = ("--output", "json:answers.jsonl")
RUN = ("--", "--camera", "--wait-for-camera", *OUTPUT, "--max-fps", str(FPS))
TRIAL = ("--trial-frames", 8)
LABEL = "Sneaker"
SECONDS_EACH = 2
Answered = list[tuple[str, list[str]]]
"""Pictures in the order in which they were shown, and the labels that were answered meanwhile."""


@pytest.fixture(scope="module")
def wheel(cross_wheels: dict[str, Path]) -> Path:
    """edgeinfer's wheel for the board."""
    return cross_wheels["aarch64"]


@pytest.fixture(scope="module")
def flashed(
    board: VirtualPi, wheel: Path, sample_bundle: Path, tell: Tell
) -> subprocess.CompletedProcess[str]:
    """What the first `flash` told; the board shows the camera one picture."""
    feed_one(board, sample_bundle)
    began = time.monotonic()
    done = flash(board, wheel, sample_bundle, *RUN)
    assert done.returncode == 0, (done.stdout, done.stderr, board.told())
    tell(f"flash: {time.monotonic() - began:.1f} s\n{done.stderr}{done.stdout}")
    return done


def flash(
    board: VirtualPi, wheel: Path, bundle: Path, *options: object
) -> subprocess.CompletedProcess[str]:
    command = flash_command(board, bundle, *TRIAL, *options, wheels=[wheel])
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def feed_one(board: VirtualPi, bundle: Path) -> None:
    """Show one picture, only as often as shows that the loop lives: each costs processor time."""
    feed(board, {LABEL: golden_pictures(bundle)[LABEL]}, fps=1)


def answered(board: VirtualPi, pictures: Collection[str], since_s: float) -> Answered:
    """Return what was shown to the camera since then, and what was answered meanwhile.

    Answers to frames that had waited are left out: v4l2loopback has two buffers and writes on, so
    such a frame may have parts of two pictures.
    """
    told = board.ssh("sudo", "journalctl", "--output=cat", "--unit=camera-feeder").splitlines()
    lines = (line.partition(" ") for line in told)
    shown = [(float(begin), name) for begin, _, name in lines if name in pictures]
    shown = [(begin_s, name) for begin_s, name in shown if begin_s > since_s]
    answers = []
    # The last line may be half written.
    for line in board.ssh("sudo", "cat", ANSWERS).splitlines(keepends=True):
        answer = json.loads(line) if line.endswith("\n") else {}
        if "label" in answer and answer["age_ms"] < 1000 / FPS:
            at_s = datetime.datetime.fromisoformat(answer["time"]).timestamp()
            answers.append((at_s - answer["age_ms"] / 1000, answer["label"]))
    return [
        (name, [label for at_s, label in answers if begin_s + 0.3 < at_s < end_s - 0.1])
        for (begin_s, name), (end_s, _) in itertools.pairwise(shown)
    ]


def wait_new_answer(board: VirtualPi) -> None:
    """Wait for an answer to what is fed now: all that was lost before has been reported then."""
    board.ssh("touch", "/tmp/now")
    loop = f"until [ {STATUS} -nt /tmp/now ]; do sleep 0.5; done"
    board.ssh("sudo", "timeout", "180", "sh", "-c", loop)


def show(board: VirtualPi, name: str) -> str:
    words = ("systemctl", "show", "--value", f"--property={name}", "edgeinfer.service")
    return board.ssh(*words).strip()


def journal(board: VirtualPi) -> str:
    return board.ssh("sudo", "journalctl", "--output=cat", "--unit=edgeinfer.service")


@pytest.mark.parametrize("fourcc", ["YUYV", "MJPG"])
@pytest.mark.usefixtures("flashed")
def test_each_picture_before_the_camera_gets_its_label(
    board: VirtualPi, sample_bundle: Path, fourcc: FourCC, tell: Tell
) -> None:
    pictures = golden_pictures(sample_bundle)
    board.ssh("sudo", "truncate", "--size=0", ANSWERS)
    feed(board, pictures, fourcc=fourcc, fps=FPS, seconds_each=SECONDS_EACH)
    begin_s = float(board.ssh("date", "+%s.%N"))
    end = time.monotonic() + PATIENCE_S
    right: dict[str, int] = {}
    while set(right) != set(pictures):
        assert time.monotonic() < end, right
        time.sleep(2)
        seen = answered(board, pictures, begin_s)
        right = {name: labels.count(name) for name, labels in seen if name in labels}
    unplug(board)
    feed_one(board, sample_bundle)
    # On a busy machine a frame is a little older or newer than its time says, never far.
    order, wrong = sorted(pictures), 0
    for name, labels in seen:
        place = order.index(name)
        neighbours = {order[place - 1], order[(place + 1) % len(order)]}
        assert set(labels) <= {name, *neighbours}, (name, labels)
        wrong += sum(label != name for label in labels)
    assert wrong < sum(right.values()) / 4, seen
    tell(f"right answers to {fourcc} frames: {right}, others {wrong}")


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_a_second_flash_sends_and_disturbs_nothing(
    board: VirtualPi, wheel: Path, sample_bundle: Path
) -> None:
    wait_new_answer(board)
    pid = look(board).state["service"]["pid"]
    lost = journal(board).count("stopped delivering")
    done = flash(board, wheel, sample_bundle, "--json", *RUN)
    (result,) = json.loads(done.stdout)["hosts"]
    assert (result["outcome"], result["sent_bytes"]) == ("unchanged", 0)
    assert look(board).state["service"]["pid"] == pid
    assert journal(board).count("stopped delivering") == lost


@pytest.mark.usefixtures("flashed")
def test_a_user_without_sudo_changes_nothing(
    board: VirtualPi, wheel: Path, sample_bundle: Path
) -> None:
    before = look(board)
    words = ("--board", "generic-aarch64", *board.options("guest"), "--wheel", wheel)
    assert "sudo" in error_line(edgeinfer("flash", *words, sample_bundle))
    assert look(board).state["history"] == before.state["history"]


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_a_loop_that_hangs_is_started_again(board: VirtualPi) -> None:
    first = wait_answering(board, LABEL).state["service"]
    board.ssh("sudo", "systemctl", "kill", "--kill-whom=main", "--signal=STOP", "edgeinfer")
    end = time.monotonic() + 240
    while show(board, "NRestarts") == str(first["restarts"]):
        assert time.monotonic() < end, journal(board)
        time.sleep(1)
    second = wait_answering(board, LABEL).state["service"]
    assert second["pid"] != first["pid"]
    assert "watchdog" in board.ssh("sudo", "journalctl", "--unit=edgeinfer.service").lower()


@pytest.mark.usefixtures("flashed")
def test_a_camera_that_was_unplugged_is_taken_again(board: VirtualPi) -> None:
    pid = wait_answering(board, LABEL).state["service"]["pid"]
    unplug(board)
    time.sleep(15)
    assert look(board).label == ""
    plug(board)
    seen = wait_answering(board, LABEL)
    assert seen.state["service"]["pid"] == pid, journal(board)


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_a_bundle_that_does_not_verify_is_refused(
    board: VirtualPi, wheel: Path, sample_bundle: Path, tmp_path: Path
) -> None:
    before = wait_answering(board, LABEL)
    done = flash(board, wheel, disagreeing_bundle(sample_bundle, tmp_path / "bad.edgebundle"))
    assert "verify failed" in error_line(done)
    after = wait_answering(board, LABEL)
    assert after.release == before.release
    assert after.state["service"]["pid"] == before.state["service"]["pid"]
    assert after.faults() == []


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_a_release_that_never_answers_is_taken_back(
    board: VirtualPi, wheel: Path, sample_bundle: Path, tmp_path: Path, tell: Tell
) -> None:
    before = wait_answering(board, LABEL)
    silent = renamed_bundle(sample_bundle, tmp_path / "silent.edgebundle", "silent")
    camera = "http://me:hunter2@127.0.0.1:9/none.mjpg?token=hunter3"
    options = ("--trial-seconds", 20, "--", "--camera", camera)
    done = flash(board, wheel, silent, *options, "--wait-for-camera")
    tell(done.stderr)
    assert f"release {before.release} runs" in error_line(done)
    after = wait_answering(board, LABEL)
    assert (after.release, after.faults()) == (before.release, [])
    assert [event["event"] for event in after.state["history"]][-1] == "rolled back"
    check_that_a_visitor_learns_and_changes_nothing(board)
    assert "hunter" not in done.stdout + done.stderr + json.dumps(after.state) + journal(board)


def check_that_a_visitor_learns_and_changes_nothing(board: VirtualPi) -> None:
    """Look for a camera's password and for ways to change what runs, as another user there."""
    holding = board.ssh("sudo", "grep", "-rsl", "hunte[r]", PREFIX, "/run/edgeinfer").split()
    assert len(holding) == 1
    assert holding[0].endswith("/camera-url")
    look_around = f"""\
grep -rsl 'hunte[r]' {PREFIX} /run/edgeinfer /run/edgeinfer-trial /etc/systemd /proc/[0-9]*/cmdline
cat {holding[0]} {STATUS} && echo read
flock --nonblock --shared {PREFIX}/lock true && echo held
find {PREFIX} /run/edgeinfer /run/edgeinfer-trial /etc/systemd ! -type l -writable
journalctl --unit=edgeinfer | grep 'hunte[r]'
true
"""
    assert board.try_ssh("sh", "-c", look_around, user="guest").stdout == ""


@pytest.mark.usefixtures("flashed")
def test_it_ends_after_the_current_frames(board: VirtualPi) -> None:
    board.ssh("sudo", "systemctl", "stop", "edgeinfer")
    assert (show(board, "Result"), show(board, "ExecMainStatus")) == ("success", "0")
    last = board.ssh("sudo", "tail", "--lines=1", ANSWERS)
    assert "summary" in json.loads(last)
    board.ssh("sudo", "systemctl", "start", "edgeinfer")
    wait_answering(board, LABEL)


@pytest.mark.usefixtures("flashed")
def test_it_reads_its_model_again(board: VirtualPi) -> None:
    pid = look(board).state["service"]["pid"]
    board.ssh("sudo", "systemctl", "reload", "edgeinfer")
    end = time.monotonic() + 60
    while "reloaded: fashion-mnist" not in journal(board):
        assert time.monotonic() < end, journal(board)
        time.sleep(1)
    assert wait_answering(board, LABEL).state["service"]["pid"] == pid


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_it_is_measured_from_the_workstation(board: VirtualPi, sample_bundle: Path) -> None:
    quick = ("--seconds", "0.05", "--cold-starts", "1", "--threads", "1", "--json")
    words = ("benchmark", sample_bundle, *board.options(), "--remote-program", PROGRAM)
    done = edgeinfer(*words, *quick)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {row["runtime"] for row in report["comparison"]["candidates"]} == {"tflite-runtime"}


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_the_doctor_finds_its_camera(board: VirtualPi, tell: Tell) -> None:
    done = board.try_ssh(PROGRAM, "doctor", "--json")
    assert done.returncode in (0, 1), done.stderr
    tell(json.dumps(json.loads(done.stdout), indent=1)[:6000])


@pytest.mark.usefixtures("flashed")
def test_its_services_have_few_rights(board: VirtualPi, tell: Tell) -> None:
    for unit in ("edgeinfer", "edgeinfer-settle", "edgeinfer-trial"):
        told = board.ssh("systemd-analyze", "security", "--no-pager", f"{unit}.service")
        summary = told.strip().splitlines()[-1]
        tell("\n".join([summary, *(line for line in told.splitlines() if line.startswith("✗"))]))
        assert float(summary.partition(f"level for {unit}.service: ")[2].split()[0]) <= 2.0


@pytest.mark.usefixtures("flashed")
def test_one_that_takes_too_much_memory_is_ended_and_started_again(
    board: VirtualPi, tell: Tell
) -> None:
    before = wait_answering(board, LABEL).state["service"]
    group = "/sys/fs/cgroup/system.slice/edgeinfer.service"
    words = ("cat", f"{group}/memory.max", f"{group}/memory.peak", f"{group}/memory.current")
    limit, *taken = board.try_ssh(*words).stdout.split()
    total = 1024 * int(board.ssh("awk", "/^MemTotal/ { print $2 }", "/proc/meminfo"))
    assert int(limit) == pytest.approx(0.8 * total, rel=0.02)
    tell(f"memory: {total:,} bytes, of which the service may take {limit} and took {taken}")
    board.ssh("sudo", "sh", "-c", f"echo 8M > {group}/memory.max")
    end = time.monotonic() + 240
    while show(board, "NRestarts") == str(before["restarts"]):
        assert time.monotonic() < end, journal(board)
        time.sleep(1)
    seen = wait_answering(board, LABEL).state["service"]
    assert seen["pid"] != before["pid"]
    assert "oom-kill" in board.ssh("sudo", "journalctl", "--unit=edgeinfer.service")


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_it_answers_again_after_a_power_cut(board: VirtualPi) -> None:
    release = look(board).release
    board.kill()
    board.start()
    board.wait_ssh()
    seen = wait_answering(board, LABEL)
    assert (seen.release, seen.faults()) == (release, [])


@pytest.mark.long
@pytest.mark.usefixtures("flashed")
def test_a_connection_that_is_cut_leaves_the_old_release_and_a_second_flash_completes(
    board: VirtualPi, wheel: Path, sample_bundle: Path, tmp_path: Path
) -> None:
    before = wait_answering(board, LABEL)
    bundle = renamed_bundle(sample_bundle, tmp_path / "second.edgebundle", "second")
    running = subprocess.Popen(
        flash_command(board, bundle, *TRIAL, *RUN, wheels=[wheel]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        # Root's own connection lives on; pi's ends in the middle of installing.
        wait = "until pgrep -f '^[^ ]*python3 .*releases.pyz install'; do sleep 0.05; done"
        board.ssh("sh", "-c", f"{wait}; pkill -f 'sshd: [p]i'", user="root")
        output, _ = running.communicate(timeout=300)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 1
    assert "the connection was lost while" in output
    after = look(board)
    assert (after.release, after.state["trial"]) == (before.release, None)
    done = flash(board, wheel, bundle, *RUN)
    assert done.returncode == 0, done.stderr
    seen = wait_answering(board, LABEL)
    assert seen.state["releases"][str(seen.release)]["name"] == "second"
    assert seen.faults() == []


@pytest.mark.usefixtures("flashed")
def test_nothing_is_left_of_it_in_the_end(board: VirtualPi) -> None:
    done = edgeinfer("unflash", *board.options())
    assert done.returncode == 0, done.stderr
    assert board.try_ssh("ls", PREFIX).returncode != 0
    assert board.try_ssh("id", "edgeinfer").returncode != 0
    assert "edgeinfer" not in board.ssh("ls", "/etc/systemd/system")
    assert board.ssh("systemctl", "--failed", "--plain", "--no-legend") == ""
