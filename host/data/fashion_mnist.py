"""Fashion-MNIST: 28x28 grey pictures of ten kinds of clothing (Zalando Research, MIT licence).

A subset ships with edgeinfer; the whole set of 60,000 + 10,000 comes from Debian's package, a
folder of the user's, an earlier download, or a download.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.run_folder.samples import Sample, read_idx
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.files import data_home, write_atomically

LABELS = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The ten classes in the order of the label files, named as upstream names them, except its
"T-shirt/top": a label must work as a folder's name."""

EMBEDDED = Path(__file__).resolve().parent.parent / "embedded" / "fashion-mnist"
"""The subset that ships with edgeinfer."""

SYSTEM_FOLDERS = (
    Path("/usr/share/datasets/fashion-mnist"),
    Path("/usr/share/dataset/fashion-mnist"),
)
"""Where Debian's dataset-fashion-mnist is."""

UPSTREAM = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"

_NEXT_STEP = "`apt install dataset-fashion-mnist`, or name a folder that holds the four files"


@dataclass(frozen=True, kw_only=True)
class IdxFile:
    """One of the four files.

    Attributes:
        name: with `.gz`, as upstream names it.
        content_bytes: size of the IDX file inside.
        content_sha256: of the IDX file inside. Upstream's and Debian's gzip files differ in the
            name that gzip stores (and in size by its length), not in their content.
    """

    name: str
    content_bytes: int
    content_sha256: str


TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES = (
    IdxFile(
        name="train-images-idx3-ubyte.gz",
        content_bytes=16 + 60_000 * 784,
        content_sha256="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    IdxFile(
        name="train-labels-idx1-ubyte.gz",
        content_bytes=8 + 60_000,
        content_sha256="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    IdxFile(
        name="t10k-images-idx3-ubyte.gz",
        content_bytes=16 + 10_000 * 784,
        content_sha256="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    IdxFile(
        name="t10k-labels-idx1-ubyte.gz",
        content_bytes=8 + 10_000,
        content_sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)


def find_full_set(folder: Path | None = None, *, progress: Progress | None = None) -> Path:
    """Return a folder with the whole set; download it if it is not found.

    Args:
        folder: the only place to look, if the user names one.
        progress: reports each downloaded file.

    Raises:
        DataError: a file is missing from `folder`, or the download failed.
        StorageError: the download cannot be stored.
    """
    if folder is not None:
        for file in FILES:
            if not (folder / file.name).is_file():
                raise DataError(
                    folder, got=f"has no {file.name}", expected="the four files of Fashion-MNIST"
                )
        return folder
    stored = data_home() / "datasets" / "fashion-mnist"
    for place in (*SYSTEM_FOLDERS, stored):
        if all((place / file.name).is_file() for file in FILES):
            return place
    return download(stored, progress=progress)


def download(folder: Path, *, source: str = UPSTREAM, progress: Progress | None = None) -> Path:
    """Download the four files from the data set's own repository into `folder`.

    Each is checked against its known size and SHA-256 before it appears there.

    Raises:
        DataError: a file cannot be downloaded or has the wrong content.
        StorageError: it cannot be stored.
    """
    progress = progress or Silent()
    progress.start("downloading Fashion-MNIST", len(FILES))
    for file in FILES:
        address = f"{source}/{file.name}"
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                # No real gzip file here is larger than its content.
                content = response.read(file.content_bytes + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise DataError(
                address, got=f"cannot be downloaded ({reason})", next_step=_NEXT_STEP
            ) from error
        _require_content(file, content, address)
        write_atomically(folder / file.name, content)
        progress.advance()
    return folder


def list_samples(folder: Path) -> tuple[list[Sample], list[Sample]]:
    """Return the training and the test samples of a folder with the four files.

    Raises:
        DataError: a file is damaged, or images and labels do not belong together.
    """
    return (
        _samples(folder / TRAIN_IMAGES.name, folder / TRAIN_LABELS.name),
        _samples(folder / TEST_IMAGES.name, folder / TEST_LABELS.name),
    )


def _samples(images_path: Path, labels_path: Path) -> list[Sample]:
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(
            images_path,
            got=f"has the shape {images.shape} and its labels {labels.shape}",
            expected="one label for each image",
        )
    if labels.max() >= len(LABELS):
        raise DataError(labels_path, got=f"holds the label {labels.max()}", expected="0 to 9")
    return [
        Sample(source=f"{images_path}#{index}", target=label)
        for index, label in enumerate(labels.tolist())
    ]


def _require_content(file: IdxFile, packed: bytes, subject: str) -> None:
    """Unpack with a size limit and compare with the expected content."""
    try:
        unpacker = zlib.decompressobj(wbits=31)
        content = unpacker.decompress(packed, file.content_bytes + 1)
    except zlib.error as error:
        raise DataError(subject, got="is not a gzip file", next_step=_NEXT_STEP) from error
    digest = hashlib.sha256(content).hexdigest()
    if len(content) != file.content_bytes or digest != file.content_sha256:
        raise DataError(
            subject,
            got=f"holds {len(content):,} bytes with SHA-256 {digest[:12]}...",
            expected=f"{file.content_bytes:,} bytes with {file.content_sha256[:12]}...",
            next_step=_NEXT_STEP,
        )
