"""What the check reports of a small data set, and what `--fix` takes from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.dataset import prepare_folder
from edgeinfer.host.evaluation.dataset.features.judge import suspects, tell_apart
from edgeinfer.host.evaluation.dataset.features.linear import compact
from edgeinfer.host.evaluation.dataset.fix import files_to_move, stamps_below
from edgeinfer.host.evaluation.dataset.looks import look_at_all
from edgeinfer.host.evaluation.dataset.page.page import write_page
from edgeinfer.host.evaluation.dataset.page.thumbnails import Thumbnails
from edgeinfer.host.evaluation.dataset.report import DataReport, inspect_data
from tests.host.evaluation.dataset.pictures import as_jpeg, draw


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Splits with 4 and 2 pictures a class, all different."""
    root = tmp_path / "photos"
    number = 0
    for split, count in (("train", 4), ("test", 2)):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for index in range(count):
                (root / split / label / f"{index}.jpg").write_bytes(as_jpeg(draw(number)))
                number += 1
    return root


def inspect(root: Path) -> DataReport:
    return inspect_data(root, prepare_folder(root, seed=0), deep=False, progress=Silent())


def found(report: DataReport) -> list[tuple[str, str]]:
    return [(finding.kind, finding.path) for finding in report.findings()]


def moved(root: Path, *, labels: bool = False) -> list[str]:
    stamps = stamps_below(root)
    return [wanted.path for wanted in files_to_move(inspect(root), stamps, labels=labels)]


def _small(path: Path) -> bytes:
    return as_jpeg(cv2.resize(cv2.imread(str(path)), None, fx=0.6, fy=0.6))


def test_a_clean_set_has_nothing_to_move(root: Path) -> None:
    assert not [finding for finding in inspect(root).findings() if finding.kind != "drift"]
    assert moved(root) == []


def test_a_copy_that_straddles_leaves_training(root: Path) -> None:
    (root / "train/cat/copy.jpg").write_bytes(_small(root / "test/cat/0.jpg"))
    report = inspect(root)
    assert all(copy.split == "train" for copy in report.copies)
    assert found(report)[:1] == [("near-duplicate", "train/cat/copy.jpg")]
    assert "test/cat/0.jpg: train and test share it" in report.findings()[0].detail
    assert moved(root) == ["train/cat/copy.jpg"]


def test_what_is_drawn_from_training_counts_as_training(root: Path) -> None:
    validation = [
        Path(sample.source) for sample in prepare_folder(root, seed=0).splits["validation"]
    ]
    assert validation
    for path in validation:
        path.write_bytes(_small(root / "test" / path.parent.name / "0.jpg"))
    expected = [(str(path.relative_to(root)), "train", True) for path in sorted(validation)]
    report = inspect(root)
    assert [
        (report.relative(copy.path), copy.split, copy.straddles) for copy in report.copies
    ] == expected


def test_a_copy_in_the_same_split_stays(root: Path) -> None:
    (root / "train/cat/copy.jpg").write_bytes(_small(root / "train/cat/0.jpg"))
    assert found(inspect(root))[:1] == [("near-duplicate", "train/cat/copy.jpg")]
    assert moved(root) == []


def test_without_own_splits_any_copy_may_straddle(root: Path) -> None:
    plain = root / "train"
    (plain / "cat/copy.jpg").write_bytes(_small(plain / "cat/0.jpg"))
    assert moved(plain) == ["cat/copy.jpg"]


def test_a_copy_with_another_label_stays_unless_asked(root: Path) -> None:
    (root / "train/dog/copy.jpg").write_bytes(_small(root / "test/cat/0.jpg"))
    assert found(inspect(root))[:1] == [("near-conflict", "train/dog/copy.jpg")]
    assert moved(root) == []
    assert moved(root, labels=True) == ["test/cat/0.jpg", "train/dog/copy.jpg"]


def test_unreadable_files_and_equal_pictures_go(root: Path) -> None:
    whole = (root / "train/cat/0.jpg").read_bytes()
    (root / "train/cat/half.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "train/cat/again.jpg").write_bytes((root / "test/cat/1.jpg").read_bytes())
    assert moved(root) == ["train/cat/again.jpg", "train/cat/half.jpg"]


def test_odd_pictures_are_named(root: Path) -> None:
    (root / "train/cat/black.jpg").write_bytes(as_jpeg(np.zeros((120, 150, 3), np.uint8)))
    (root / "train/cat/wide.jpg").write_bytes(as_jpeg(draw(90, (600, 100))))
    (root / "train/cat/tiny.jpg").write_bytes(as_jpeg(draw(91, (30, 24))))
    report = inspect(root)
    assert [one for one in found(report) if one[0] in ("uniform", "odd-size")] == [
        ("uniform", "train/cat/black.jpg"),
        ("odd-size", "train/cat/wide.jpg"),
        ("odd-size", "train/cat/tiny.jpg"),
    ]
    assert moved(root) == []


def test_rare_classes_are_named(root: Path) -> None:
    for index in range(30):
        (root / f"train/cat/more{index}.jpg").write_bytes(as_jpeg(draw(100 + index, (60, 48))))
    assert ("imbalance", "dog") in found(inspect(root))


def test_a_split_that_is_darker_drifts(root: Path) -> None:
    for path in sorted(root.rglob("*.jpg")):
        if "test" in path.parts:
            path.write_bytes(as_jpeg(cv2.imread(str(path)) // 4))
    texts = [finding.detail for finding in inspect(root).findings() if finding.kind == "drift"]
    assert any(text.startswith("brightness: ") and "less than in train" in text for text in texts)


def test_the_page_names_all_and_needs_no_other_file(root: Path, tmp_path: Path) -> None:
    odd = root / "train/cat/<b>&.jpg"
    odd.write_bytes(_small(root / "test/cat/0.jpg"))
    page = tmp_path / "page.html"
    write_page(inspect(root), page, progress=Silent())
    text = page.read_text()
    assert "train/cat/&lt;b&gt;&amp;.jpg" in text
    assert text.count("data:image/jpeg;base64,") == 2
    assert "http" not in text


def test_thumbnails_end_with_their_budget(root: Path) -> None:
    thumbnails = Thumbnails(budget_bytes=9000)
    made = [thumbnails.make(str(path)) for path in sorted(root.rglob("*.jpg"))]
    assert made[0]
    assert sum(map(len, made)) <= 9000
    assert thumbnails.left_out == made.count("") > 0


def test_swapped_labels_are_suspected_and_others_are_not(root: Path) -> None:
    looks = look_at_all(prepare_folder(root, seed=0).splits, progress=Silent())[:1] * 120
    random = np.random.default_rng(0)
    truth = np.arange(120) % 2
    features = random.normal(0, 1, (120, 12)).astype(np.float32)
    features[:, 0] += 8 * truth
    labelled = truth.copy()
    labelled[[10, 51, 77]] ^= 1
    looks = [
        replace(
            look,
            split="train" if index % 3 else "test",
            sample=replace(look.sample, source=str(index), target=int(label)),
        )
        for index, (look, label) in enumerate(zip(looks, labelled, strict=True))
    ]
    short = compact(features)
    groups = np.arange(120)
    named, agreed = suspects(looks, short, labelled, ["no", "yes"], groups)
    assert {suspect.path for suspect in named} == {"10", "51", "77"}
    assert all(suspect.label != suspect.likely for suspect in named)
    assert agreed == pytest.approx(117 / 120)
    own: frozenset[Split] = frozenset({"train", "test"})
    (same,) = tell_apart(looks, short, groups, own)
    assert same.low < 0.5 < same.high
    assert not same.named
    shifted = short + np.array([look.split == "test" for look in looks])[:, None]
    (other,) = tell_apart(looks, shifted, groups, own)
    assert other.named
