"""Small files of the formats that people bring, written here as their specifications say."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict


def packed(*members: str) -> bytes:
    """Return a ZIP with these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in members:
            archive.writestr(zipfile.ZipInfo(name), b"{}")  # no time: equal bytes
    return stream.getvalue()


def varint(value: int) -> bytes:
    """Return a protobuf number."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def number(field: int, value: int) -> bytes:
    """Return a protobuf field that is a number."""
    return varint(field << 3) + varint(value)


def text(field: int, content: bytes) -> bytes:
    """Return a protobuf field that is a text or a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content


ONNX = number(1, 8) + text(2, b"pytorch") + text(7, text(1, bytes(300))) + text(8, number(2, 17))
ONNX_OPSET_FIRST = number(1, 3) + text(8, number(2, 9)) + text(7, b"") + text(14, b"\x0a\x01x")
NODE = text(1, text(1, b"input") + text(2, b"Placeholder") + text(5, b"\x0a\x05dtype"))
FROZEN_GRAPH = NODE * 300 + text(4, number(1, 27))
CORE_ML = number(1, 4) + text(2, text(1, text(1, b"image"))) + text(500, bytes(200))
SAVED_MODEL = number(1, 1) + text(2, text(1, b"\x22\x05serve") + text(2, bytes(200)))
TFJS = json.dumps({"modelTopology": {"keras_version": "2.4.0"}, "weightsManifest": []}).encode()
TFJS_GRAPH = b'{"format": "graph-model", "generatedBy": "2.9", "modelTopology": {"node": []}}'
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3577952\n"
HTML = b"\n<!DOCTYPE html>\n<html><head><title>model.tflite at main</title>"
_LEGACY: tuple[object, ...] = (0x1950A86A20F9469CFC6C, 1001, OrderedDict())
TORCH_LEGACY = b"".join(pickle.dumps(item, protocol=2) for item in _LEGACY)
SAFETENSORS = (
    struct.pack("<Q", 60) + b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' + b" "
)
PICKLE = pickle.dumps({"weights": [1, 2]}, protocol=4)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
BMP = b"BM" + bytes(12) + struct.pack("<L", 40) + bytes(60)
WEBP = b"RIFF\x24\0\0\0WEBPVP8 "
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0"
TORCH = packed("net/data.pkl", "net/byteorder", "net/data/0", "net/version")
TORCHSCRIPT = packed(
    *("net/data.pkl", "net/code/__torch__.py", "net/constants.pkl", "net/version", "net/data/0")
)
PT2 = packed("net/archive_format", "net/models/model.json", "net/data/weights/weight_0")
PT2_BEFORE_2_8 = packed("serialized_exported_program.json", "serialized_state_dict.pt", "version")


def tar() -> bytes:
    """Return a tar with one member."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model/saved_model.pb"))
    return stream.getvalue()
