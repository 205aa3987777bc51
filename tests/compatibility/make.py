"""Makes the files of this folder by a checkout of an earlier commit; README.md tells when.

    CHECKOUT/.venv/bin/python -m tests.compatibility.make CHECKOUT

CHECKOUT is a clone at that commit with an environment in `.venv`, as `make .venv/dev.stamp` makes
it. What is run is this module all the same, from the folder that `tests` is in. Everything is made
by the clone's program, in `FOLDER`, and packed with the paths that are in it.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.compatibility.stored import (
    ARCHIVE,
    BUNDLE,
    COMMIT,
    FOLDER,
    HASHES,
    INPUT_TENSORS,
    MODEL,
    RUNS,
    SEARCH,
    SEARCH_OPTIONS,
    sha256,
    what_decides_bytes,
)
from tests.system.emulated.frames import make_frames

CLASSES = {1: "Trouser", 8: "Bag", 9: "Ankle boot"}
PICTURES_A_CLASS = 16
TRAIN = (
    *("--architecture", "small-cnn", "--width", "0.25", "--size", "28", "--channels", "grey"),
    *("--epochs", "24", "--batch-size", "8", "--learning-rate", "0.01", "--augment", "none"),
    *("--validation-share", "0.25", "--test-share", "0.25"),
)
PRUNE = ("--keep-cost", "0.6", "--steps", "1", "--epochs", "12", "--learning-rate", "0.01")
IN_WORK = "#3 "
"""What the search says of the candidate that is in work when it is killed."""


def main(checkout: Path) -> None:
    """Make all of it."""
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there already: remove it first")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, stdout=subprocess.PIPE, text=True, check=True
    )
    if head.stdout.strip() != COMMIT:
        sys.exit(f"{checkout} is at {head.stdout.strip()}, expected {COMMIT}, as stored.py says")
    FOLDER.mkdir()
    write_pictures(checkout / "host" / "embedded" / "fashion-mnist", FOLDER / "pictures")
    run, pruned = RUNS
    edgeinfer(checkout, "train", "pictures", *TRAIN, "--out", run)
    edgeinfer(checkout, "prune", run, *PRUNE, "--out", pruned)
    search_and_kill(checkout, run)
    with tarfile.open(ARCHIVE, "w:xz") as archive:
        for name in ("pictures", *RUNS, SEARCH):
            archive.add(FOLDER / name, name)
    hashes = {name: convert(checkout, name) for name in RUNS}
    shutil.copyfile(FOLDER / f"{run}.edgebundle", BUNDLE)
    write_json(HASHES, {"made with": what_decides_bytes(), "models": hashes})
    write_json(INPUT_TENSORS, hash_input_tensors(checkout))


def edgeinfer(checkout: Path, *arguments: str) -> None:
    """Run the checkout's program."""
    subprocess.run([program(checkout), *arguments], cwd=FOLDER, check=True)


def program(checkout: Path) -> str:
    """Return the checkout's program."""
    return str(checkout / ".venv" / "bin" / "edgeinfer")


def write_pictures(embedded: Path, folder: Path) -> None:
    """Write the first few pictures of some classes, from the embedded Fashion-MNIST."""
    images = read_idx(embedded / "train-images-idx3-ubyte.gz")
    labels = read_idx(embedded / "train-labels-idx1-ubyte.gz")
    for label, name in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for index, image in enumerate(images[labels == label][:PICTURES_A_CLASS]):
            done, png = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
            assert done
            (folder / name / f"{index:02}.png").write_bytes(png.tobytes())


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a file of the MNIST family's format."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def search_and_kill(checkout: Path, run: str) -> None:
    """Search until a candidate was trained and the next is in work; then it dies."""
    command = [program(checkout), "optimize", run, *SEARCH_OPTIONS, "--time-limit", "1h"]
    process = subprocess.Popen(
        [*command, "--out", SEARCH], cwd=FOLDER, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        print(line, end="")
        if line.startswith(IN_WORK):
            break
    time.sleep(1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def convert(checkout: Path, name: str) -> str:
    """Convert a run; return the SHA-256 of its model."""
    edgeinfer(checkout, "convert", name, "--no-install", "--golden-frames", "6")
    with zipfile.ZipFile(FOLDER / f"{name}.edgebundle") as bundle:
        return sha256(bundle.read(MODEL))


def hash_input_tensors(checkout: Path) -> dict[str, dict[str, str]]:
    """Return the hashes of frames, and of the input tensors that each implementation makes."""
    frames = make_frames()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "frames.npz")
        np.savez(file, **frames)
        done = subprocess.run(
            [
                *(str(checkout / ".venv" / "bin" / "python"), "-P"),
                *(str(checkout / "tests" / "system" / "emulated" / "replay.py"), "tensors"),
                *(str(checkout / "tests" / "samples" / "fashion-mnist.edgebundle"), str(file)),
            ],
            stdout=subprocess.PIPE,
            check=True,
        )
    tensors = {}
    for case, hashes in json.loads(done.stdout).items():
        (tensors[case],) = set(hashes.values())  # numpy and each instruction set: the same
    return {"frames": {n: sha256(f.tobytes()) for n, f in frames.items()}, "tensors": tensors}


def write_json(path: Path, content: object) -> None:
    """Write a file that a person can read."""
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
