"""What a file is by its first bytes."""

from __future__ import annotations

from edgeinfer.device.core.model_file.kinds import ModelKind

HEAD_BYTES = 4096
"""How many of a file's first bytes `kind_of` looks at."""

TFLITE_IDENTIFIER = b"TFL3"

ZIP_MAGIC = b"PK\x03\x04"
_ZIP_NAME_OFFSET = 30
_KERAS_MEMBERS = (b"metadata.json", b"config.json", b"model.weights.h5")

_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickle of MAGIC_NUMBER (torch/serialization.py), with which torch wrote files before 1.6."""

_STARTS: tuple[tuple[bytes, ModelKind], ...] = (
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (_TORCH_LEGACY, "torch"),
    (b"version https://git-lfs.github.com/spec/", "lfs-pointer"),
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"GIF87a", "picture"),
    (b"GIF89a", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"\x1f\x8b\x08", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"7z\xbc\xaf'\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\x1a\x45\xdf\xa3", "clip"),  # Matroska, WebM
    (b"FLV\x01", "clip"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body")
_TFJS_KEYS = (b'"modelTopology"', b'"weightsManifest"')
_TAR_PLACE, _TAR_MAGIC = 257, b"ustar"


def kind_of(head: bytes) -> ModelKind:
    """Return what a file is that begins with `HEAD_BYTES` such bytes; any ZIP may be a bundle."""
    if head[4:8] == TFLITE_IDENTIFIER:
        return "tflite"
    if head.startswith(ZIP_MAGIC):
        return "keras" if head[_ZIP_NAME_OFFSET:].startswith(_KERAS_MEMBERS) else "bundle"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if _is_picture(head):
        return "picture"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "clip"
    if head[_TAR_PLACE:].startswith(_TAR_MAGIC):
        return "archive"
    return _kind_of_text(head) or _kind_of_weights(head) or "unknown"


def _is_picture(head: bytes) -> bool:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return True
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS


def _kind_of_text(head: bytes) -> ModelKind | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:20].lower().startswith(_PAGES):
        return "html"
    if text.startswith(b"{") and any(key in text for key in _TFJS_KEYS):
        return "tfjs"
    return None


def _kind_of_weights(head: bytes) -> ModelKind | None:
    """Tell safetensors, which begin with the size of their JSON, and pickles of protocol 2 to 5."""
    if 2 <= int.from_bytes(head[:8], "little") < 1 << 27 and head[8:10] == b'{"':
        return "safetensors"
    if head[:1] == b"\x80" and 2 <= int.from_bytes(head[1:2], "little") <= 5:
        # What most pickles begin with: a frame, a class, or one of Python's own containers.
        return "pickle" if head[2:3] in (b"\x95", b"c", b"}", b"]", b"(") else None
    return None
