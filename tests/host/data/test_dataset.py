from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.data.dataset import (
    PreparedData,
    channel_statistics,
    prepare_fashion_mnist,
    prepare_folder,
)
from edgeinfer.host.data.folders.check import pixel_digest
from edgeinfer.host.data.store import build_store
from tests.host.data.conftest import MakeFolder, MakePhoto


def test_a_folder_of_photographs(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    root = make_folder({"cat": 20, "dog": 10}, root="pets")
    make_photo("pets/cat/copy.png", 1000)
    data = prepare_folder(root, seed=0)
    assert data.name == "pets"
    assert data.labels == ("cat", "dog")
    assert {split: len(samples) for split, samples in data.splits.items()} == {
        "train": 24,
        "validation": 3,
        "test": 3,
    }
    assert [(finding.kind, finding.path) for finding in data.findings] == [
        ("duplicate", "cat/copy.png")
    ]
    assert all(Path(s.source).is_absolute() for s in data.splits["train"])
    assert prepare_folder(root, seed=0) == data
    assert prepare_folder(root, seed=1).splits != data.splits


def test_exact_duplicates_are_in_one_split(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    root = make_folder({"a": 5, "b": 5})
    for index in range(30):
        make_photo(f"photos/a/again{index}.{('png', 'bmp')[index % 2]}", index % 6)
    data = prepare_folder(root, seed=0, validation_share=0.3, test_share=0.3)
    digests = [
        pixel_digest(read_sample(s.source)) for samples in data.splits.values() for s in samples
    ]
    assert len(digests) == len(set(digests)) == 16


def test_too_few_are_left(make_folder: MakeFolder, make_photo: MakePhoto) -> None:
    root = make_folder({"a": 3, "b": 1})
    make_photo("photos/b/copy1.png", 1003)
    (root / "b" / "empty.png").touch()
    with pytest.raises(DataError, match=r"class 'b' has 1 usable image, .*edgeinfer data check"):
        prepare_folder(root, seed=0)


def test_own_splits(make_folder: MakeFolder) -> None:
    root = make_folder({"train/a": 10, "train/b": 10, "test/a": 4, "test/b": 2})
    data = prepare_folder(root, seed=0)
    splits = data.splits
    assert data.own_splits == {"train", "test"}
    assert [len(splits[split]) for split in ("train", "validation", "test")] == [18, 2, 6]
    assert all("/test/" in sample.source for sample in splits["test"])


def test_embedded_fashion_mnist() -> None:
    data = prepare_fashion_mnist(seed=0, full=False)
    assert data.name == "fashion-mnist"
    assert len(data.labels) == 10
    for split, per_class in (("train", 630), ("validation", 70), ("test", 100)):
        labels = [sample.target for sample in data.splits[split]]  # type: ignore[index]
        assert np.bincount(labels).tolist() == [per_class] * 10
    pixels = read_sample(data.splits["test"][0].source)
    assert pixels.shape == (28, 28, 3)
    assert 0 < pixels.mean() < 255


def test_statistics_equal_numpys(make_photo: MakePhoto, tmp_path: Path) -> None:
    samples = [
        Sample(source=str(make_photo(f"{index}.png", index)), target=0) for index in range(70)
    ]
    with build_store(samples, PreprocessSpec(size=(9, 7)), tmp_path / "s", np.zeros(70)) as store:
        mean, std = channel_statistics(store)
        images = store.read(range(70)).astype(np.float64)
    # The same sums in another order: only the last bits may differ.
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, images.std(axis=(0, 1, 2)), rtol=1e-9)


def test_statistics_of_one_colour_can_be_divided_by(tmp_path: Path) -> None:
    path = tmp_path / "even.png"
    path.write_bytes(encode_png(np.full((4, 4, 3), (10, 20, 30), np.uint8)))
    sample = Sample(source=str(path), target=0)
    with build_store(
        [sample] * 3, PreprocessSpec(size=(4, 4)), tmp_path / "s", np.zeros(3)
    ) as store:
        assert channel_statistics(store) == ((10.0, 20.0, 30.0), (1.0, 1.0, 1.0))
    with (
        build_store([], PreprocessSpec(size=(4, 4)), tmp_path / "s", np.zeros(0)) as store,
        pytest.raises(ValueError, match="empty"),
    ):
        channel_statistics(store)


@pytest.mark.parametrize("label", ["cat\u202egpj", "a\nb", "x" * 5000])
def test_labels_that_a_bundle_could_not_hold_are_refused(label: str) -> None:
    with pytest.raises(DataError, match="labels that can be printed"):
        PreparedData(name="photos", splits={}, labels=("dog", label))


@pytest.mark.parametrize(
    "label",
    ["\U0001f469\u200d\U0001f33e", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "naïve"],
)
def test_labels_with_joiners_are_fine(label: str) -> None:
    assert PreparedData(name="photos", splits={}, labels=(label,)).labels == (label,)
