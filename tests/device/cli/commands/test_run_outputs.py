"""`edgeinfer run --output` as a separate process: several outputs, good and bad ones."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.device.cameras.files.clips.made_clips import grey, movie
from tests.support.program import edgeinfer, edgeinfer_here, error_line
from tests.support.waiting import PATIENCE_S

SMALL_PIPE = 4096
"""Bytes: about 25 answers, and 64 more wait in the program."""


@pytest.fixture
def run(sample_bundle: Path, class_folder: Path) -> list[object]:
    """A live source and a small model."""
    source = f"simulated:{class_folder}"
    return ["run", "--model", sample_bundle, "--camera", source, "--fps", 200]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_several_outputs_at_the_same_time(run: list[object], tmp_path: Path) -> None:
    lines, table = tmp_path / "x.jsonl", tmp_path / "x.csv"
    done = edgeinfer(
        *run, "--max-frames", 30, "--json", "--output", f"json:{lines}", "--output", f"csv:{table}"
    )
    assert done.returncode == 0, done.stderr
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    summary = printed[-1]["summary"]
    assert [one["name"] for one in summary["outputs"]] == [f"json:{lines}", f"csv:{table}", "json"]
    assert [(one["written"], one["dropped"]) for one in summary["outputs"]] == [(30, 0)] * 3
    in_file = lines_of(lines)
    assert in_file[-1] == printed[-1]
    sequences = [line["sequence"] for line in printed[:-1]]
    assert [line["sequence"] for line in in_file[:-1]] == sequences
    with table.open(newline="") as file:
        assert [int(row["sequence"]) for row in csv.DictReader(file)] == sequences


def rows(table: Path) -> int:
    """Return how many answers a table has."""
    return len(table.read_text().splitlines()) - 1


def dropped(output: str, told: str) -> int:
    """Return how many answers an output lost, as the summary says: on a busy machine some."""
    match = re.search(rf"^{re.escape(output)}: ([\d,]+) of 150 answers dropped", told, re.MULTILINE)
    return int(match[1].replace(",", "")) if match else 0


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_full_disk_is_reported_once_and_the_loop_goes_on(
    run: list[object], tmp_path: Path, kind: str
) -> None:
    good = f"csv:{tmp_path / 'x.csv'}"
    bad = f"{kind}:/dev/full"
    done = edgeinfer(*run, "--max-frames", 40, "--output", bad, "--output", good)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "no space left" in line]
    assert told[0].startswith(f"warning: output {kind}:/dev/full: /dev/full: cannot be written")
    assert told[1].startswith(f"{kind}:/dev/full: 40 of 40 answers dropped (/dev/full: cannot")
    assert len(told) == 2


def test_where_no_output_takes_anything_the_work_failed(run: list[object]) -> None:
    line = error_line(edgeinfer(*run, "--max-frames", 40, "--output", "csv:/dev/full"))
    assert "output csv:/dev/full: did not take 40 of 40 answers (/dev/full: cannot be" in line


def test_full_stdout_does_not_end_a_live_source(run: list[object], tmp_path: Path) -> None:
    program = [sys.executable, "-m", "edgeinfer.device.cli", *map(str, run)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*program, "--max-frames", "40", "--json", "--output", f"csv:{tmp_path / 'x.csv'}"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 41


def test_reader_of_stdout_that_leaves_does_not_end_other_outputs(
    run: list[object], tmp_path: Path
) -> None:
    lines = tmp_path / "x.jsonl"
    program = [sys.executable, "-m", "edgeinfer.device.cli", *map(str, run)]
    process = subprocess.Popen(
        [*program, "--max-frames", "1000", "--fps", "1000", "--json", "--output", f"json:{lines}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE_S) == 0
    assert process.stderr is not None
    with process.stderr:
        assert "Traceback" not in process.stderr.read()
    in_file = lines_of(lines)
    assert in_file[-1]["summary"]["frames"] == 1000
    file, json_on_stdout = in_file[-1]["summary"]["outputs"]
    # On a busy machine the file's own thread may be late; what it loses then is counted.
    assert len(in_file) - 1 + file["dropped"] == 1000
    # A pipe takes a part of that many lines before anyone reads.
    assert json_on_stdout["dropped"] > 0


def test_reader_of_stdout_that_sleeps_holds_nothing_up(run: list[object], tmp_path: Path) -> None:
    """Nobody reads until the loop is over: the pipe is full long before."""
    table = tmp_path / "x.csv"
    program = [sys.executable, "-m", "edgeinfer.device.cli", *map(str, run)]
    process = subprocess.Popen(
        [*program, "--max-frames", "150", "--fps", "1000", "--json", "--output", f"csv:{table}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pipesize=SMALL_PIPE,
    )
    assert process.stderr is not None
    with process.stderr:
        err = process.stderr.read()
    assert process.wait(PATIENCE_S) == 0, err
    assert "warning: output json: takes answers too slowly; some are dropped" in err
    assert rows(table) + dropped(f"csv:{table}", err) == 150
    assert process.stdout is not None
    process.stdout.close()


def test_pipe_that_is_never_read(run: list[object], tmp_path: Path) -> None:
    """Its reader opens it and hangs, as a dead network file system does to its writer."""
    pipe, table = tmp_path / "pipe", tmp_path / "x.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, SMALL_PIPE)
    done = edgeinfer(
        *run, "--max-frames", 150, "--fps", 1000, "--output", f"json:{pipe}",
        "--output", f"csv:{table}",
    )  # fmt: skip
    os.close(reader)
    assert done.returncode == 0, done.stderr
    assert f"warning: output json:{pipe}: takes answers too slowly" in done.stderr
    assert "no longer takes answers" in done.stderr
    assert rows(table) + dropped(f"csv:{table}", done.stderr) == 150


def test_of_a_file_nothing_may_be_lost(sample_bundle: Path, video: Path, tmp_path: Path) -> None:
    bad = edgeinfer(
        "run", "--model", sample_bundle, "--camera", video, "--output", "csv:/dev/full",
        "--output", f"json:{tmp_path / 'x.jsonl'}",
    )  # fmt: skip
    line = error_line(bad)
    assert "output csv:/dev/full: did not take 12 of 12 answers (/dev/full: cannot be" in line
    assert lines_of(tmp_path / "x.jsonl")[-1]["summary"]["frames"] == 12


def test_recordings_of_a_live_source(run: list[object], tmp_path: Path) -> None:
    clips, stills = tmp_path / "clips", tmp_path / "stills"
    done = edgeinfer(
        *run, "--max-seconds", 1.5, "--output", f"video:{clips}/yard.mp4",
        "--output", f"stills:{stills}", "--stills-every", 0.3, "--record-when", "Bag>=0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (clip,) = os.listdir(clips)
    assert re.fullmatch(r"yard-00000001-\d{8}T\d{6}Z\.mp4", clip)
    # The summary, as nothing is written to stdout.
    seconds = re.search(r" frames in ([\d.]+) s", done.stderr)
    assert seconds is not None
    assert float(seconds[1]) >= 1.5
    assert 1 <= len(os.listdir(stills)) <= float(seconds[1]) / 0.3 + 2
    again = edgeinfer(
        *run, "--max-frames", 20, "--output", f"stills:{stills}", "--record-max-mb", 0.05,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert sum(one.stat().st_size for one in stills.iterdir()) <= 50_000


def test_clean_stills_are_the_pictures_without_drawings(
    sample_bundle: Path, class_folder: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(class_folder / "dark" / "narrow.png"), np.full((3, 900, 3), 20, np.uint8))
    stills = tmp_path / "stills"
    run = ("run", "--model", sample_bundle, "--camera", class_folder, "--stills-clean")
    done = edgeinfer_here(*run, "--output", f"stills:{stills}")
    assert done.returncode == 0, done.stderr
    pictures = [cv2.imread(str(still)) for still in stills.iterdir()]
    assert sorted(picture.shape[:2] for picture in pictures) == [(3, 900), *[(48, 64)] * 6]
    assert all(np.ptp(picture) <= 2 for picture in pictures), "nothing is drawn"
    refused = edgeinfer_here(*run, "--output", f"video:{tmp_path}/x.mp4")
    assert refused.returncode == 2
    said = "error: --stills-clean: no stills are written, expected --output stills:FOLDER with it"
    assert refused.stderr.strip() == said


def test_of_a_video_file_the_annotated_one_has_its_name_and_rate_and_every_frame(
    sample_bundle: Path, tmp_path: Path
) -> None:
    clip = movie(tmp_path / "clip.mov", [grey(20 * number) for number in range(12)], [100] * 12)
    done = edgeinfer(
        "run", "--model", sample_bundle, "--camera", clip, "--output", f"video:{tmp_path}/out.mp4",
        "--json", "--output", f"csv:{tmp_path}/out.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *lines, _ = [json.loads(line) for line in done.stdout.splitlines()]
    tenths = [number / 10 for number in range(12)]
    assert [line["position_s"] for line in lines] == tenths
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [float(row["position_s"]) for row in csv.DictReader(file)] == tenths
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"), cv2.CAP_FFMPEG)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert capture.get(cv2.CAP_PROP_FPS) == 10
    capture.release()


def test_disk_that_must_stay_free_stops_the_recording_and_not_the_loop(
    run: list[object], tmp_path: Path
) -> None:
    done = edgeinfer(
        *run, "--max-frames", 20, "--output", f"video:{tmp_path}/out/x.avi",
        "--output", f"csv:{tmp_path}/out/x.csv", "--record-keep-free-mb", 1e12,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(told) == 1
    assert "MB are free on the disk, expected 1e+12 MB to stay free" in told[0]
    assert os.listdir(tmp_path / "out") == ["x.csv"]


def test_window_without_a_screen_or_an_opencv_for_it_is_one_line(run: list[object]) -> None:
    line = error_line(edgeinfer_here(*run, "--output", "window", env={"DISPLAY": ""}))
    assert line.startswith("error: --output window: ")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Bag>", "ends too early"),
        ("Bag>80", "a score, from 0 to 1"),
        ("Bga>0.8", "the model has no class 'Bga', expected one such as 'Bag'"),
    ],
)
def test_wrong_condition_is_wrong_usage(
    run: list[object], tmp_path: Path, condition: str, said: str
) -> None:
    options = ["--output", f"stills:{tmp_path}", "--record-when", condition]
    assert said in error_line(edgeinfer_here(*run, *options), code=2)


def test_condition_without_a_recording_is_wrong_usage(run: list[object]) -> None:
    line = error_line(edgeinfer_here(*run, "--record-when", "Bag>0.8"), code=2)
    assert "nothing is recorded" in line


def test_wrong_outputs_are_wrong_usage(run: list[object], tmp_path: Path) -> None:
    for output in ("jason", "video:x.mkv", "csv"):
        assert "--output" in error_line(edgeinfer_here(*run, "--output", output), code=2)
    line = error_line(edgeinfer_here(*run, "--output", "csv:/proc/x/y.csv", "--max-frames", 1))
    assert "/proc/x/y.csv" in line
