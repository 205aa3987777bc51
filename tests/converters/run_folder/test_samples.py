from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.converters.run_folder.samples import Sample, read_idx, read_sample
from edgeinfer.device.core.errors import DataError, ImageError
from edgeinfer.device.pictures.decode import encode_png


def _idx(values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    shape = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes([0, 0, 8, values.ndim]) + shape + values.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz"])
def test_read_idx_and_its_samples(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(_idx(IMAGES)) if name.endswith(".gz") else _idx(IMAGES))
    assert (read_idx(path) == IMAGES).all()
    pixels = read_sample(f"{path}#4")
    assert pixels.shape == (4, 3, 3)
    assert (pixels == IMAGES[4][:, :, None]).all()
    with pytest.raises(ValueError, match="read-only"):
        read_idx(path)[0] = 1


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(_idx(np.zeros(3, np.uint8)))
    assert read_idx(path).tolist() == [0, 0, 0]
    path.write_bytes(_idx(np.ones(4, np.uint8)))
    assert read_idx(path).tolist() == [1, 1, 1, 1]


def test_samples_of_photographs(tmp_path: Path) -> None:
    pixels = np.full((2, 3, 3), 7, np.uint8)
    # A hash in a photograph's name is not an index.
    path = tmp_path / "cat#3.png"
    path.write_bytes(encode_png(pixels))
    assert (read_sample(Sample(source=str(path), target=1).source) == pixels).all()
    with pytest.raises(ImageError, match="does not exist"):
        read_sample(str(tmp_path / "dog#x.png"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a", b"", "is not an IDX file"),
        ("a", b"\x89PNG\r\n", "is not an IDX file"),
        ("a", b"\0\0\x08\x09" + bytes(40), "is not an IDX file"),
        ("a", b"\0\0\x0d\x01" + bytes(8), "values of type 0x0d, expected bytes"),
        ("a", b"\0\0\x08\x03\0\0", "is incomplete"),
        ("a", b"\0\0\x08\x01" + struct.pack(">I", 0), "its header gives the shape"),
        ("a", b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 9), "its header gives the shape"),
        ("a", _idx(IMAGES)[:-1], "is incomplete, expected 60 values; download it again"),
        ("a", _idx(IMAGES) + b"x", "holds more than its header says"),
        ("a.gz", _idx(IMAGES), "not a gzip file"),
        ("a.gz", gzip.compress(_idx(IMAGES), mtime=0)[:-9], "is incomplete or not a gzip file"),
    ],
)
def test_damaged_idx_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / name)


def test_absent_files_and_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_idx(tmp_path / "gone")
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path)
    path = tmp_path / "images"
    path.write_bytes(_idx(IMAGES))
    with pytest.raises(DataError, match="#5: is not there: the file holds 5 images"):
        read_sample(f"{path}#5")
    path.write_bytes(_idx(np.zeros(5, np.uint8)))
    with pytest.raises(DataError, match="expected images"):
        read_sample(f"{path}#0")


@settings(deadline=None)
@given(content=st.binary(max_size=64), packed=st.booleans())
def test_random_bytes_give_data_errors_only(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("idx") / ("x.gz" if packed else "x")
    path.write_bytes(b"\0\0\x08" + content if not packed else gzip.compress(content)[:-1])
    try:
        values = read_idx(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert values.size == len(content) - 1 - 4 * content[0]
