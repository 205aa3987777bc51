from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.core.errors import ImageError, StorageError
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.host.data.store import build_store
from tests.converters.common.listening import Listening
from tests.host.data.conftest import MakePhoto

ROWS = np.arange(11, dtype=np.int32)
SPEC = PreprocessSpec(size=(12, 10))


@pytest.fixture
def samples(make_photo: MakePhoto) -> list[Sample]:
    return [
        Sample(
            source=str(make_photo(f"{index}.png", index, size=(20 + index, 30))), target=index % 3
        )
        for index in range(11)
    ]


@pytest.mark.parametrize("channels", ["rgb", "bgr", "grey"])
def test_the_store_holds_what_the_device_makes(
    samples: list[Sample], tmp_path: Path, channels: str
) -> None:
    depth = 1 if channels == "grey" else 3
    spec = PreprocessSpec(
        size=(12, 10),
        channels=channels,  # type: ignore[arg-type]
        crop="letterbox",
        mean=(0.0,) * depth,
        std=(1.0,) * depth,
    )
    progress = Listening()
    path = tmp_path / "new" / "train.u8"
    store = build_store(samples, spec, path, ROWS, progress=progress)
    with store:
        assert len(store) == 11
        assert store.shape == (11, 10, 12, depth)
        assert store.rows.dtype == np.int32
        assert store.rows is ROWS
        preprocessor = Preprocessor(spec)
        indices = [10, 0, 3, 3]
        expected = [preprocessor.image(read_sample(samples[index].source)) for index in indices]
        assert (store.read(indices) == np.stack(expected)).all()
        assert (np.concatenate(list(store.batches(4))) == store.read(np.arange(11))).all()
        assert store.read([]).shape == (0, 10, 12, depth)
        assert path.stat().st_size == 11 * 10 * 12 * depth
        assert progress.advances == [1] * 11
    assert list(path.parent.iterdir()) == []


def test_reading_from_threads(samples: list[Sample], tmp_path: Path) -> None:
    with build_store(samples, SPEC, tmp_path / "s", ROWS) as store, ThreadPoolExecutor(4) as pool:
        whole = store.read(range(11))
        orders = [np.random.default_rng(seed).permutation(11) for seed in range(40)]
        for order, images in zip(orders, pool.map(store.read, orders), strict=True):
            assert (images == whole[order]).all()


def test_wrong_indices_and_cut_files(samples: list[Sample], tmp_path: Path) -> None:
    path = tmp_path / "s"
    with build_store(samples, SPEC, path, ROWS) as store:
        for index in (-1, 11):
            with pytest.raises(IndexError):
                store.read([index])
        os.truncate(path, 700)
        assert store.read([0]).shape == (1, 10, 12, 3)
        with pytest.raises(StorageError, match="is incomplete"):
            store.read([5])
    store.close()


def test_a_sample_that_cannot_be_read_leaves_nothing(samples: list[Sample], tmp_path: Path) -> None:
    Path(samples[6].source).write_bytes(b"\xff\xd8\xff")
    folder = tmp_path / "stores"
    with pytest.raises(ImageError, match=r"6\.png: is incomplete"):
        build_store(samples, SPEC, folder / "s", ROWS)
    assert list(folder.iterdir()) == []


def test_too_little_room_is_noticed_before_the_work(samples: list[Sample], tmp_path: Path) -> None:
    spec = PreprocessSpec(size=(4096, 4096))
    # References to one sample cost little; together they would need more than the disk has.
    count = shutil.disk_usage(tmp_path).free // (4096 * 4096 * 3) + 100
    with pytest.raises(StorageError, match=r"needs [\d,]+ MB and [\d,]+ MB are free; free some"):
        build_store(samples[:1] * count, spec, tmp_path / "not" / "yet" / "s", ROWS)
    assert not (tmp_path / "not").exists()


def test_a_disk_that_fills_up_leaves_nothing(samples: list[Sample], tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.data.store import build_store
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
samples = [Sample(source=sys.argv[1], target=0)] * 100
try:
    build_store(samples, PreprocessSpec(size=(32, 32)), Path(sys.argv[2]), [0] * 100)
except StorageError as error:
    print(error)
"""
    target = tmp_path / "stores" / "s"
    result = subprocess.run(
        [sys.executable, "-c", program, samples[0].source, str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written (file too large)" in result.stdout
    assert result.stderr == ""
    assert list(target.parent.iterdir()) == []


def test_a_picture_too_small_for_the_region_is_named(samples: list[Sample], tmp_path: Path) -> None:
    # They are 20 to 30 pixels wide.
    spec = PreprocessSpec(size=(12, 10), region=(0.5, 0, 0.3, 1))
    with pytest.raises(
        ImageError, match=r"/0\.png: its region 0\.5,0,0\.3,1 is 6x30 pixels of 20x30"
    ):
        build_store(samples, spec, tmp_path / "s", ROWS, threads=1)
    with build_store(samples[8:], spec, tmp_path / "s", ROWS[8:]) as store:
        whole = read_sample(samples[8].source)
        expected = Preprocessor(SPEC).image(whole[:, 14:22])
        assert (store.read([0])[0] == expected).all()
