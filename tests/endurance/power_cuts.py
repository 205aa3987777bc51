"""Power cuts during updates of a virtual board: does it come back each time?

    python -m tests.endurance.power_cuts [--times 100] [--side-by-side 2] [--log power_cuts.jsonl]

Each time a board that answers is updated by `edgeinfer flash`, and its emulator is killed at a
moment chosen by chance, from flash's start to some time after its end. The file system that is left
is checked, the board boots from it, and must answer with the right label, with a release that is
whole and no trial left over. One line for each cut goes to the log as it is done; run again, it
goes on from there.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import Queue
from threading import Lock
from typing import Any

from tests.support.checkout import ROOT
from tests.system.emulated.debian import run_tool
from tests.system.virtual_pi.image import BoardImage, board_image
from tests.system.virtual_pi.machine import BoardError, VirtualPi
from tests.system.virtual_pi.releases import wait_answering
from tests.system.virtual_pi.updates import (
    CPUS,
    LABEL,
    Update,
    check_disk,
    make_ready,
    resume,
    updates,
)

SAMPLE = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
OTHER_PACKAGE = "click==8.1.8"
PACKAGES_EVERY = 12
"""An update of the packages takes several times as long as the others."""
LENGTHS = {"bundle": 1.0, "options": 1.0, "packages": 3.0}
"""How long updates take, against each other: a first guess, until each kind was seen to its end."""
SEEN = 3
"""This many of the last whole updates tell how long the next takes: the machine may be busy."""
BEYOND = 1.25
"""Cuts happen between 0 and this, where 1 is the end of an update that is left alone."""
FIRST = 2
"""The release that runs before each update."""
LAST_WORDS_S = 2.0
_KINDS = ("bundle", "options")
_lines = Lock()

Row = dict[str, Any]


def cut_once(board: VirtualPi, ready: Path, update: Update, after_s: float) -> Row:
    """Update a board, cut its power after a time, and see what comes back."""
    resume(board, ready)
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as told:
        flash = subprocess.Popen(
            update.command(board), stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT
        )
        whole_s = None
        try:
            with suppress(subprocess.TimeoutExpired):
                flash.wait(after_s)
                whole_s = time.monotonic() - began
            time.sleep(max(0.0, began + after_s - time.monotonic()))
            board.kill()
            # It says in which step the connection was lost, or waits for the end of a trial.
            with suppress(subprocess.TimeoutExpired):
                flash.wait(LAST_WORDS_S)
        finally:
            flash.kill()
            flash.wait()
        told.seek(0)
        step = "after the end" if whole_s else _step(told.read())
    row: Row = {"kind": update.kind, "after_s": round(after_s, 2), "step": step}
    if whole_s:
        row["whole_s"] = round(whole_s, 1)
    row["file_system"] = check_disk(board) or "clean"
    row.update(_come_back(board))
    board.kill()
    return row


def _step(told: str) -> str:
    """Return what `flash` was doing when the connection was lost."""
    for line in reversed(told.splitlines()):
        if "the connection was lost while " in line:
            return line.partition("the connection was lost while ")[2].partition(";")[0]
        if "the trial goes on" in line:
            return "trying it"
    return "connecting" if "cannot be reached" in told else told.strip()[-200:] or "starting"


def _come_back(board: VirtualPi) -> Row:
    """Boot the board and say how it is."""
    try:
        board.start()
        boot_s = board.wait_ssh()
        began = time.monotonic()
        seen = wait_answering(board, LABEL)
        answers_s = time.monotonic() - began
        failed = board.ssh("systemctl", "--failed", "--plain", "--no-legend")
    except BoardError as error:
        return {"came_back": False, "faults": [str(error)]}
    faults = [*seen.faults(), *(f"failed unit {line}" for line in failed.splitlines())]
    return {
        "came_back": not faults,
        "faults": faults,
        "release": seen.release,
        "boot_s": round(boot_s, 1),
        "answers_s": round(answers_s, 1),
        "history": [
            f"{event['event']} {event['release']}"
            for event in seen.state["history"]
            if event.get("release", 0) > FIRST
        ],
    }


class Campaign:
    """Many cuts, some side by side, told as they end."""

    def __init__(self, image: BoardImage, folder: Path, kinds: list[Update], log: Path) -> None:
        self._image = image
        self._folder = folder
        self._updates = {update.kind: update for update in kinds}
        self._log = log
        self._whole_s: dict[str, list[float]] = {kind: [] for kind in self._updates}
        self._places: Queue[Path] = Queue()

    def measure(self, side_by_side: int) -> None:
        """Let an update run to its end, as many at a time, to learn how long they take."""
        with ThreadPoolExecutor(side_by_side) as workers:
            for done in [workers.submit(self._measure, place) for place in range(side_by_side)]:
                done.result()

    def _measure(self, place: int) -> None:
        update = self._updates["options"]
        with VirtualPi(self._image, self._place(place), cpus=CPUS) as board:
            resume(board, self._folder / "ready")
            began = time.monotonic()
            done = subprocess.run(
                update.command(board), capture_output=True, text=True, check=False
            )
            took_s = time.monotonic() - began
            if done.returncode:
                raise BoardError(f"{update.kind}: {done.stdout}{done.stderr}")
            self._whole_s[update.kind].append(took_s)
            print(f"an update of the {update.kind} takes {took_s:.1f} s", flush=True)

    def _expected_s(self, kind: str) -> float:
        """Return how long an update of a kind takes now."""
        if seen := self._whole_s[kind][-SEEN:]:
            return statistics.median(seen)
        options_s = statistics.median(self._whole_s["options"][-SEEN:])
        return options_s * LENGTHS[kind] / LENGTHS["options"]

    def run(self, numbers: list[int], side_by_side: int, seed: int) -> None:
        """Cut the power once for each number."""
        for place in range(side_by_side):
            self._places.put(self._place(place))
        with ThreadPoolExecutor(side_by_side) as workers:
            for done in [workers.submit(self._cut, number, seed) for number in numbers]:
                done.result()

    def _place(self, number: int) -> Path:
        folder = self._folder / f"board-{number}"
        folder.mkdir(exist_ok=True)
        return folder

    def _cut(self, number: int, seed: int) -> None:
        chance = random.Random(f"{seed}/{number}")
        packages = number % PACKAGES_EVERY == PACKAGES_EVERY - 1
        kind = "packages" if packages else _KINDS[number % len(_KINDS)]
        part = chance.uniform(0, BEYOND)
        after_s = part * self._expected_s(kind)
        place = self._places.get()
        began = time.monotonic()
        try:
            with VirtualPi(self._image, place, cpus=CPUS) as board:
                row = cut_once(board, self._folder / "ready", self._updates[kind], after_s)
        finally:
            self._places.put(place)
        if "whole_s" in row:
            self._whole_s[kind].append(row["whole_s"])
        row = {"number": number, "part": round(part, 3), **row}
        row["seconds"] = round(time.monotonic() - began, 1)
        with _lines, self._log.open("a") as log:
            log.write(json.dumps(row) + "\n")
            print(told(row), flush=True)


def told(row: Row) -> str:
    """Return a row of the table."""
    came = f"release {row['release']}" if row["came_back"] else f"NOT BACK: {row['faults']}"
    return (
        f"{row['number']:>4} {row['kind']:<9} {row['after_s']:>6.1f} s  {row['step'][:44]:<44} "
        f"{came}  boot {row.get('boot_s', 0):>5} s  fs {row['file_system']}  "
        f"{', '.join(row.get('history', []))}"
    )


def read_rows(log: Path) -> list[Row]:
    """Return what was done before."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def summary(rows: list[Row]) -> Iterator[str]:
    """Say in which steps power was cut, and what came back."""
    steps: dict[str, list[Row]] = {}
    for row in rows:
        step = row["step"].partition(";")[0].partition(" (")[0]
        steps.setdefault(f"{row['kind']}: {step}", []).append(row)
    for step, hit in sorted(steps.items()):
        back = ", ".join(
            f"release {release}: {sum(row.get('release') == release for row in hit)}"
            for release in sorted({row.get("release", 0) for row in hit})
        )
        yield f"{len(hit):>4}  {step:<60} {back}"
    lost = sum(not row["came_back"] for row in rows)
    damaged = sum(row["file_system"] != "clean" for row in rows)
    yield f"{len(rows)} power cuts; did not come back: {lost}; damaged file systems: {damaged}"


def main() -> None:
    """Cut, and print what came back; exits with 1 if a board did not."""
    parser = argparse.ArgumentParser(description="Power cuts during updates of a virtual board.")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--side-by-side", type=int, default=2)
    parser.add_argument("--log", type=Path, default=Path("power_cuts.jsonl"))
    parser.add_argument("--folder", type=Path, help="where boards are kept, about 3 GB")
    parser.add_argument("--wheel", type=Path, help="edgeinfer's for the board; else in dist/")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rows = read_rows(arguments.log)
    numbers = sorted(set(range(arguments.times)) - {row["number"] for row in rows})
    if numbers:
        wheels = [arguments.wheel] if arguments.wheel else sorted(ROOT.glob("dist/*_aarch64.whl"))
        if len(wheels) != 1:
            parser.error(f"{len(wheels)} wheels for aarch64 in dist/, expected one: make wheels")
        with tempfile.TemporaryDirectory() as temporary:
            folder = arguments.folder or Path(temporary)
            campaign = prepare(folder, wheels, arguments.log)
            campaign.measure(arguments.side_by_side)
            campaign.run(numbers, arguments.side_by_side, arguments.seed)
    rows = read_rows(arguments.log)
    print("\n".join(summary(rows)))
    sys.exit(any(not row["came_back"] for row in rows))


def prepare(folder: Path, wheels: list[Path], log: Path) -> Campaign:
    """Make a board that is ready for updates, unless the folder has one, and the updates."""
    folder.mkdir(parents=True, exist_ok=True)
    image = board_image()
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
    run_tool(*pip, "--dest", folder, OTHER_PACKAGE)
    (other,) = folder.glob("*.whl")
    if not (folder / "ready" / "made").exists():
        make_ready(image, folder / "ready", SAMPLE, wheels)
        (folder / "ready" / "made").touch()
    return Campaign(image, folder, updates(SAMPLE, wheels, other, folder), log)


if __name__ == "__main__":
    main()
