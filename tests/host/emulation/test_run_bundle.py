"""The commands are real ones, of this machine: what an emulator adds is in tests/system."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.host.emulation.run_bundle import read_answers, try_bundle
from tests.host.emulation.boards import board_here
from tests.support.waiting import until


@pytest.fixture
def pictures(sample_bundle: Path, tmp_path: Path) -> Path:
    """The sample's golden frames as a folder of pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with zipfile.ZipFile(sample_bundle) as archive:
        for name in archive.namelist():
            if name.startswith("golden/") and name.endswith(".png"):
                (folder / Path(name).name).write_bytes(archive.read(name))
    return folder


def test_a_good_bundle_is_verified_and_answers(
    sample_bundle: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    waited: list[str] = []
    result = try_bundle(
        board_here(tmp_path),
        sample_bundle,
        run_options=["--camera", str(pictures), "--max-frames", "4"],
        as_json=True,
        waiting=waited.append,
    )
    assert result.verified
    assert (result.exit_code, result.frames, sum(result.labels.values())) == (0, 4, 4)
    assert (result.board, result.cpu) == ("rpi4", "cortex-a72")
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert said[0]["name"] == "fashion-mnist"
    assert [line["sequence"] for line in said[1:5]] == [0, 1, 2, 3]
    assert said[5]["summary"]["frames"] == 4
    assert waited == ["verifying; emulated programs are slow", ""]


def test_without_a_source_it_is_only_verified(
    sample_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = try_bundle(board_here(tmp_path), sample_bundle, run_options=None)
    assert result.verified
    assert result.frames is None
    assert capfd.readouterr().out.startswith("fashion-mnist: verified on ")


def test_a_bundle_that_is_not_verified_is_not_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = try_bundle(
        board_here(tmp_path), tmp_path / "absent.edgebundle", run_options=["--camera", "simulated"]
    )
    assert not result.verified
    assert (result.exit_code, result.frames) == (1, None)
    assert "absent.edgebundle: does not exist" in capfd.readouterr().err


def test_the_loops_exit_code_is_passed_on(
    sample_bundle: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for options, code in ((["--camera", str(tmp_path / "none")], 1), (["--no-such-option"], 2)):
        result = try_bundle(board_here(tmp_path), sample_bundle, run_options=options)
        assert result.verified
        assert (result.exit_code, result.frames) == (code, 0)


def test_outputs_that_are_asked_for_replace_the_terminal(
    sample_bundle: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    options = ["--camera", str(pictures), "--max-frames", "2", "--output", f"csv:{rows}"]
    result = try_bundle(board_here(tmp_path), sample_bundle, run_options=options)
    assert result.frames == 2
    assert len(rows.read_text().splitlines()) == 3
    assert "2 frames in" not in capfd.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGILL])
def test_a_program_that_dies_in_the_emulator_is_reported(
    number: signal.Signals, sample_bundle: Path, tmp_path: Path
) -> None:
    board = board_here(tmp_path, f"kill -{number.value} $$")
    with pytest.raises(EmulationError, match=rf"ended by {number.name} in qemu 10\.0.*newer qemu"):
        try_bundle(board, sample_bundle, run_options=None)


def test_ctrl_c_ends_the_loop_after_the_current_frames(sample_bundle: Path, tmp_path: Path) -> None:
    """A terminal sends it to the program of the board too."""
    code = (
        "import sys, pathlib\n"
        "from tests.host.emulation.boards import board_here\n"
        "from edgeinfer.host.emulation.run_bundle import try_bundle\n"
        "result = try_bundle(board_here(pathlib.Path(sys.argv[2])), pathlib.Path(sys.argv[1]),\n"
        "    run_options=['--camera', 'simulated'])\n"
        "print('result', result.exit_code, result.frames)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, sample_bundle, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "truth:" in line or "%" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    word, exit_code, frames = rest.splitlines()[-1].split()
    assert (word, exit_code) == ("result", "0")
    assert int(frames) >= 1


def test_sigterm_is_handed_on(sample_bundle: Path, tmp_path: Path) -> None:
    board = board_here(
        tmp_path,
        "case $* in *verify*) exit 0;; esac",
        "trap 'exit 7' TERM",
        f"touch {tmp_path}/started",
        "while :; do sleep 0.05; done",
    )

    def end() -> None:
        until((tmp_path / "started").exists)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=end)
    thread.start()
    result = try_bundle(board, sample_bundle, run_options=["--camera", "simulated"])
    thread.join()
    assert result.exit_code == 7
    assert signal.getsignal(signal.SIGTERM) == before


def test_answers_are_counted_by_label(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    answers: list[dict[str, object]] = [
        {"label": "Bag"},
        {"label": "Coat"},
        {"label": "Coat"},
        {"detections": [{"label": "bird"}, {"label": "bird"}, {"score": 1}]},
        {"value": 3.5, "unit": "bar"},
        {"summary": {"frames": 5}},
    ]
    lines = [json.dumps(answer) for answer in answers]
    path.write_text("\n".join([*lines, '{"label": "unfini']))
    frames, labels = read_answers(path)
    assert frames == 5
    assert labels == {"Coat": 2, "bird": 2, "Bag": 1}
    assert read_answers(tmp_path / "absent") == (0, {})
