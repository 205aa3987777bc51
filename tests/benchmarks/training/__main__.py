"""How good training is by default, with figures that repeat: small data, and cats and dogs.

    python -m tests.benchmarks.training small WORK [--before PROGRAM] [--seeds 5]
    python -m tests.benchmarks.training cats WORK [--before PROGRAM] [--seeds 3]
    python -m tests.benchmarks.training pairs WORK
    python -m tests.benchmarks.training raccoons WORK [--seeds 3]
    python -m tests.benchmarks.training scenes WORK [--scenes 2000] [--epochs N]
    python -m tests.benchmarks.training raccoon-points WORK [--seeds 3]

`small` is five classes of Fashion-MNIST as PNG files, 60 pictures each and 200 to test, other ones
for each seed; `--before` names the program `edgeinfer` of an earlier version, which trains on the
same folders in turn. `cats` is the photographs of cats and dogs in ../shared/data with the settings
by default, compared with plain transfer learning in Keras of the same backbone on the same folder.
`pairs` has several labels for one picture, `raccoons` and `scenes` train detectors; see `pairs.py`,
`raccoons.py` and `scenes.py`. `raccoon-points` learns the centres of the raccoons' boxes.
Caches are cold: each command gets an empty XDG_CACHE_HOME and, for root, an empty page cache. What
is in WORK from an earlier start is taken as it is. On two idle cores `small` takes about half an
hour, `cats` about forty minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.data import fashion_mnist
from tests.benchmarks.measure import SHARED_DATA, Row, table
from tests.benchmarks.training.pairs import pairs_rows
from tests.benchmarks.training.raccoons import raccoon_rows
from tests.benchmarks.training.scenes import SCENES, scenes_rows

CLASSES = ("T-shirt", "Pullover", "Dress", "Coat", "Shirt")
"""The five that are hardest: for the others a few pictures are enough."""

TRAIN_PICTURES, TEST_PICTURES = 60, 200
_PLAIN = "tests.benchmarks.training.plain_keras"

Figures = dict[str, float]
"""`float`, `int8` (shares of right answers on test), `train_s` and `convert_s`."""


def own_program() -> Path:
    """Return the program `edgeinfer` of this environment."""
    return Path(sys.executable).parent / "edgeinfer"


def make_small(folder: Path, seed: int) -> Path:
    """Write the small data set of a seed, unless it is there, and return its folder."""
    if folder.is_dir():
        return folder
    generator = np.random.default_rng(seed)
    train, test = fashion_mnist.list_samples(fashion_mnist.find_full_set(None))
    for split, samples, count in (("train", train, TRAIN_PICTURES), ("test", test, TEST_PICTURES)):
        for name in CLASSES:
            place = folder / split / name
            place.mkdir(parents=True)
            for number, sample in enumerate(_drawn(samples, name, count, generator)):
                (place / f"{number:03}.png").write_bytes(encode_png(read_sample(sample.source)))
    return folder


def _drawn(
    samples: Sequence[Sample], name: str, count: int, generator: np.random.Generator
) -> list[Sample]:
    label = fashion_mnist.LABELS.index(name)
    those = [sample for sample in samples if sample.target == label]
    return [those[place] for place in generator.permutation(len(those))[:count]]


def train_and_convert(program: Path, data: Path, work: Path, seed: int) -> Figures:
    """Train with the settings by default, convert, and return the figures; once for each `work`."""
    kept = work / "figures.json"
    if kept.is_file():
        figures: Figures = json.loads(kept.read_text())
        return figures
    work.mkdir(parents=True, exist_ok=True)
    run, bundle = work / "run", work / "model.edgebundle"
    train = ("train", data, "--seed", seed, "--out", run, "--force", "--json")
    _, train_s = _timed([program, *train])
    convert = ("convert", run, "--out", bundle, "--no-install", "--json")
    told, convert_s = _timed([program, *convert])
    figures = {
        "float": told["test.float32.top1"],
        "int8": told["test.int8.top1"],
        "train_s": train_s,
        "convert_s": convert_s,
    }
    kept.write_text(json.dumps(figures))
    return figures


def plain_keras(data: Path, work: Path, seed: int) -> Figures:
    """Train the same backbone with plain Keras and return the figures; once for each `work`."""
    kept = work / "figures.json"
    if kept.is_file():
        figures: Figures = json.loads(kept.read_text())
        return figures
    work.mkdir(parents=True, exist_ok=True)
    told, seconds = _timed([Path(sys.executable), "-m", _PLAIN, data, seed])
    figures = {"float": told["accuracy"], "train_s": seconds}
    kept.write_text(json.dumps(figures))
    return figures


def _timed(command: Sequence[object]) -> tuple[dict[str, float], float]:
    """Run a command with cold caches and return its JSON and its seconds."""
    pages = Path("/proc/sys/vm/drop_caches")
    if os.access(pages, os.W_OK):
        os.sync()
        pages.write_text("3")
    with tempfile.TemporaryDirectory() as cache:
        started = time.monotonic()
        done = subprocess.run(
            list(map(str, command)),
            env={**os.environ, "XDG_CACHE_HOME": cache},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds = time.monotonic() - started
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told, seconds


def small_rows(work: Path, before: Path | None, seeds: int) -> list[Row]:
    """Measure small data, each version in turn for each seed."""
    programs = {"after": own_program(), **({} if before is None else {"before": before})}
    found: dict[str, list[Figures]] = {name: [] for name in programs}
    for seed in range(seeds):
        data = make_small(work / f"data-{seed}", seed)
        for name, program in programs.items():
            figures = train_and_convert(program, data, work / f"{name}-{seed}", seed)
            print(f"seed {seed}, {name}: {figures}", file=sys.stderr)
            found[name].append(figures)
    title = f"five classes of {TRAIN_PICTURES} pictures, {seeds} seeds"
    return _rows(title, found, ("float", "int8"), other="before")


def cats_rows(work: Path, before: Path | None, seeds: int) -> list[Row]:
    """Measure cats and dogs, each version in turn for each seed, then plain Keras."""
    data = SHARED_DATA / "catsdogs"
    programs = {"after": own_program(), **({} if before is None else {"before": before})}
    found: dict[str, list[Figures]] = {name: [] for name in programs}
    for seed in range(seeds):
        for name, program in programs.items():
            figures = train_and_convert(program, data, work / f"cats-{name}-{seed}", seed)
            print(f"seed {seed}, {name}: {figures}", file=sys.stderr)
            found[name].append(figures)
    keras = []
    for seed in range(seeds):
        keras.append(plain_keras(data, work / f"keras-{seed}", seed))
        print(f"seed {seed}, plain Keras: {keras[-1]}", file=sys.stderr)
    title = f"cats and dogs, {seeds} seeds"
    rows = [] if before is None else _rows(title, found, ("float", "int8"), other="before")
    found["plain Keras"] = keras
    return rows + _rows(title, found, ("float", "int8"), other="plain Keras")


def _rows(
    title: str, found: Mapping[str, Sequence[Figures]], names: Sequence[str], *, other: str
) -> list[Row]:
    """Return a row for each figure, and one for the time."""
    rows = []
    for name in names:
        mine = [figures[name] for figures in found["after"]]
        theirs = [figures[name] for figures in found.get(other, ()) if name in figures]
        pairs = [100 * (a - b) for a, b in zip(mine, theirs, strict=True)] if theirs else []
        rows.append(
            Row(
                what=f"{title}: {name}",
                figure=_spread(mine),
                compared_with=f"{other}: {_spread(theirs)}" if theirs else "",
                ratio=f"{statistics.mean(pairs):+.2f} points ({min(pairs):+.2f} to "
                f"{max(pairs):+.2f})"
                if pairs
                else "",
            )
        )
    times = {name: [_seconds(one) for one in figures] for name, figures in found.items() if figures}
    rows.append(
        Row(
            what=f"{title}: train and convert",
            figure=f"{statistics.mean(times['after']):.0f} s",
            compared_with=f"{other}: {statistics.mean(times[other]):.0f} s"
            if other in times
            else "",
        )
    )
    return rows


def _seconds(figures: Figures) -> float:
    return figures["train_s"] + figures.get("convert_s", 0.0)


def _spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation of shares in percent."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):.2f} % (deviation {100 * deviation:.2f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How good training is by default.")
    parts = ["small", "cats", "pairs", "raccoons", "raccoon-points", "scenes"]
    parser.add_argument("what", choices=parts)
    parser.add_argument("work", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--scenes", type=int, help="of the part scenes: how many to learn from")
    parser.add_argument("--epochs", type=int, help="of the part scenes: fewer than the default")
    given = parser.parse_args()
    if given.what != "scenes" and (given.scenes or given.epochs):
        parser.error("--scenes and --epochs are for the part scenes")
    if given.what in ("pairs", "scenes") and (given.before or given.seeds):
        parser.error("--before and --seeds are for small and cats")
    if given.what == "small":
        rows = small_rows(given.work.absolute(), given.before, given.seeds or 5)
    elif given.what == "pairs":
        rows = pairs_rows(given.work.absolute(), own_program())
    elif given.what == "raccoons":
        rows = raccoon_rows(given.work.absolute(), given.seeds or 3)
    elif given.what == "scenes":
        rows = scenes_rows(
            given.work.absolute(),
            own_program(),
            scenes=given.scenes or SCENES,
            epochs=given.epochs,
        )
    elif given.what == "raccoon-points":
        rows = raccoon_rows(given.work.absolute(), given.seeds or 3, "points")
    else:
        rows = cats_rows(given.work.absolute(), given.before, given.seeds or 3)
    print(table(rows))


if __name__ == "__main__":
    main()
