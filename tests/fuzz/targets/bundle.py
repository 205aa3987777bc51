"""The reader of bundles, and what is done with one before its model is loaded."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import shutil
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.inspect.description import describe_file
from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.manifest import MANIFEST, SIGNATURES, ModelManifest, Variant
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.choose_variant import order_variants
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import Preprocessor
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.tasks.registry import make_decode
from tests.device.models.bundle.examples import MEMBERS, of_every_task
from tests.device.models.bundle.rewriting import Document, Members, archive_of, hashed
from tests.device.tflite_examples import dense_model, encode
from tests.fuzz.mutate import mutate
from tests.fuzz.odd_values import change_value, json_of

_PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
_MOST_VALUES = 20_000
"""Tensors of more values are not tried: those of real models are compared with the manifest's."""


@cache
def _members() -> Members:
    real = {"variants/cpu.tflite": encode(dense_model()), "golden/frame-000.png": None}
    return MEMBERS | {name: content or encode_png(_PICTURE) for name, content in real.items()}


@cache
def _documents() -> list[Document]:
    documents = [json.loads(manifest.to_bytes()) for manifest in of_every_task()]
    for document in documents:
        del document["members"]
    return documents


@cache
def _path() -> Path:
    folder = tempfile.mkdtemp(prefix="fuzz-bundle-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "fuzzed.edgebundle"


@cache
def seeds() -> list[bytes]:
    """Return a small bundle of each task."""
    return [_bundle(document, _members()) for document in _documents()]


def generate(random: Random) -> bytes:
    """Make a bundle with an odd manifest and right hashes, or an odd archive."""
    document, members = random.choice(_documents()), dict(_members())
    if random.random() < 0.1:
        name = random.choice(list(members))
        members[name] = mutate(members[name], random)
    if random.random() < 0.7:
        if random.random() < 0.1:
            document = hashed(document, members)
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            document = change_value(document, random, ("ethos-u", "gpu", MANIFEST, 1 << 20))
        document = hashed(document, members) | document
        text = json_of(document).replace("\\u0001", '"').encode()
        if random.random() < 0.1:
            text = mutate(text, random)
        return archive_of({MANIFEST: text, **members})
    return random.choice(_ARCHIVES)(_bundle(document, members), random)


def attempt(data: bytes) -> None:
    """Do with a bundle what commands do until they load a runtime."""
    path = _path()
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with contextlib.suppress(EdgeinferError):
            described = describe_file(path)
            assert all(line.isprintable() for line in described.lines())
            json.dumps(described.to_json()).encode()
        with contextlib.suppress(EdgeinferError), open_bundle(path) as bundle:
            assert {bundle.member(name) is not None for name in bundle.manifest.members} <= {True}
            assert model_input_size(path) == bundle.manifest.preprocess.size
            for variant in bundle.manifest.variants.values():
                _use(bundle.manifest, variant)
            for _, delegate in order_variants(
                bundle.manifest.variants, DelegateRequest(), subject="fuzzed"
            ):
                assert delegate is None or delegate.library == (
                    named_accelerator(delegate.name).library
                )
            read_golden(bundle)
        model_input_size(path)


def _use(manifest: ModelManifest, variant: Variant) -> None:
    """Prepare a picture and read answers, as with a model of these tensors."""
    counts = [int(np.prod(spec.shape, dtype=object)) for spec in (variant.input, *variant.outputs)]
    if max(counts) > _MOST_VALUES or max(manifest.preprocess.size) > 512:
        return
    for native in (None, False):
        Preprocessor(manifest.preprocess, variant.input, native=native).tensor(_PICTURE)
    decode = make_decode(manifest.task, manifest.said, variant.outputs, manifest.preprocess)
    for value in (0, 1, 100):
        outputs = [np.full(spec.shape, value, spec.dtype) for spec in variant.outputs]
        prediction = decode(outputs).in_frame((4, 4))
        assert prediction.headline.isprintable()
        prediction.text(5).encode()
        json.dumps(prediction.to_json(), allow_nan=False)


def _bundle(document: Document, members: Members) -> bytes:
    text = json.dumps(hashed(document, members)).encode()
    return archive_of({MANIFEST: text, **members})


_Archive = Callable[[bytes, Random], bytes]


def _prefixed(data: bytes, random: Random) -> bytes:
    return random.choice((b"\x7fELF", b"#!/bin/sh\n", b"x", bytes(4096))) + data


def _prefixed_with_offsets(data: bytes, random: Random) -> bytes:
    stream = io.BytesIO(_prefixed(b"", random))
    stream.seek(0, io.SEEK_END)
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(stream, "a") as archive,
    ):
        for info in given.infolist():
            archive.writestr(info, given.read(info))
    return stream.getvalue()


def _followed(data: bytes, random: Random) -> bytes:
    return data + random.choice((b"x", b"PK\x05\x06", data, bytes(70_000)))


def _commented(data: bytes, random: Random) -> bytes:
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.comment = random.choice((b"x", b"PK\x05\x06" * 9, bytes(65_535)))
    return stream.getvalue()


def _edited_fields(data: bytes, random: Random) -> bytes:
    """Change numbers of headers, of the directory or of the end, in place."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2))):
        signature, size = random.choice(
            ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22))
        )
        places = [at for at in range(len(changed)) if changed.startswith(signature, at)]
        if not places:
            continue
        place = random.choice(places) + random.randrange(4, size - 1)
        old = struct.unpack_from("<H", changed, min(place, len(changed) - 2))[0]
        number = random.choice((0, 1, 8, 0x800, 0xFFFF, old + 1, old - 1, 2 * old, old ^ 8))
        struct.pack_into("<H", changed, min(place, len(changed) - 2), number & 0xFFFF)
    return bytes(changed)


def _more_members(data: bytes, random: Random) -> bytes:
    stream = io.BytesIO(data)
    names = [MANIFEST, "variants/cpu.tflite", "x", "é", "../x", "a\0b", "signatures", SIGNATURES]
    names += [f"{SIGNATURES}{index}" for index in range(20)]
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "a") as archive:
        warnings.simplefilter("ignore")
        for name in random.choices(names, k=random.choice((1, 2, 20, 2500))):
            info = zipfile.ZipInfo(name)
            info.compress_type = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            info.extra = random.choice((b"", b"", b"\x01\x00\x08\x00" + bytes(8), b"x"))
            archive.writestr(info, bytes(random.choice((0, 3, 100_000))))
    return stream.getvalue()


def _compressed(data: bytes, random: Random) -> bytes:
    kinds = (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(stream, "w", random.choice(kinds)) as archive,
    ):
        for name in given.namelist():
            archive.writestr(name, given.read(name))
    return stream.getvalue()


def _gap(data: bytes, random: Random) -> bytes:
    """Put bytes between members, with a directory that fits them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w") as archive:
        for info in given.infolist():
            archive.writestr(info, given.read(info))
            if random.random() < 0.5:
                stream.write(b"between")
                archive.start_dir = stream.tell()
    return stream.getvalue()


def _one_for_many(data: bytes, random: Random) -> bytes:
    """Let many entries of the directory lead to the same member."""
    end = data.rindex(b"PK\x05\x06")
    size, offset = struct.unpack_from("<LL", data, end + 12)
    entries = data[offset : offset + size] * random.choice((2, 50, 5000))
    number = min(0xFFFF, entries.count(b"PK\x01\x02"))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(entries), offset, 0)
    return data[:offset] + entries + tail


def _checksummed(data: bytes, random: Random) -> bytes:
    """Change content and let header and directory agree on it."""
    with zipfile.ZipFile(io.BytesIO(data)) as given:
        members = {name: given.read(name) for name in given.namelist()}
    name = random.choice(list(members))
    members[name] = mutate(members[name], random)
    assert zlib.crc32(members[name]) >= 0
    return archive_of(members)


_ARCHIVES: tuple[_Archive, ...] = (
    _prefixed,
    _prefixed_with_offsets,
    _followed,
    _commented,
    _edited_fields,
    _edited_fields,
    _edited_fields,
    _more_members,
    _compressed,
    _gap,
    _one_for_many,
    _checksummed,
)
