from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.read import read_clip_facts


def facts_of(path: Path, data: bytes) -> ClipFacts:
    path.write_bytes(data)
    return read_clip_facts(path, data[:4096])


@pytest.mark.parametrize(("mark", "codec"), [("MJPG", "Motion JPEG"), ("XVID", "MPEG-4")])
def test_avi(mark: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "x.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*mark), 25.0, (64, 48))
    for _ in range(3):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    facts = facts_of(path, path.read_bytes())
    assert facts == ClipFacts(
        container="avi", codec=codec, pictures=True, orientation=1, whole=True
    )
    assert facts_of(path, path.read_bytes()[:-200]).whole is False


def test_avi_of_sound_alone(tmp_path: Path) -> None:
    stream = b"strh" + struct.pack("<I", 56) + b"auds" + bytes(52)
    stream += b"strf" + struct.pack("<I", 16) + bytes(16)
    listed = b"LIST" + struct.pack("<I", 4 + len(stream)) + b"strl" + stream
    headers = b"LIST" + struct.pack("<I", 4 + len(listed)) + b"hdrl" + listed
    data = b"RIFF" + struct.pack("<I", 4 + len(headers)) + b"AVI " + headers
    assert facts_of(tmp_path / "x.avi", data).pictures is False


def packets(*sections: tuple[int, bytes], step: int = 188) -> bytes:
    """Return a transport stream of a packet for each section, by its number."""
    made = b""
    for number, section in sections:
        packet = b"G" + struct.pack(">HB", 0x4000 | number, 0x10) + b"\0" + section
        made += bytes(step - 188 if step == 192 else 0) + packet.ljust(188, b"\xff")
    return made


def section(table: int, *contents: bytes) -> bytes:
    """Return a table of a transport stream, with room for its checksum."""
    content = b"\0\1\xc1\0\0" + b"".join(contents) + bytes(4)
    return struct.pack(">BH", table, 0xB000 | len(content)) + content


@pytest.mark.parametrize("step", [188, 192])
@pytest.mark.parametrize(
    ("kind", "notes", "codec"),
    [
        (0x1B, b"", "H.264"),
        (0x33, b"", "H.266 (VVC)"),
        (0x06, b"\x05\x04AV01", "AV1"),
        (0x06, b"\x05\x04Opus", None),
    ],
)
def test_transport_stream(
    kind: int, notes: bytes, codec: str | None, step: int, tmp_path: Path
) -> None:
    programs = section(0, struct.pack(">HH", 1, 0xE100))
    sound = struct.pack(">BHH", 0x0F, 0xE101, 0xF000)
    pictures = struct.pack(">BHH", kind, 0xE102, 0xF000 | len(notes)) + notes
    program = section(2, struct.pack(">HH", 0xE102, 0xF000), sound, pictures)
    padding = [(0x1FFF, b"")] * 6
    data = packets((0x1FFF, b""), (0, programs), (0x100, program), *padding, step=step)
    facts = facts_of(tmp_path / "x.ts", data)
    assert (facts.container, facts.codec) == ("transport stream", codec)


def flv(first: bytes) -> bytes:
    """Return an FLV file: some data, and then pictures."""
    data = b"FLV\x01\x05\0\0\0\x09"
    for kind, content in ((18, b"onMetaData"), (9, first + bytes(20))):
        data += bytes(4) + struct.pack(">B", kind) + struct.pack(">I", len(content))[1:]
        data += bytes(7) + content
    return data


@pytest.mark.parametrize(
    ("name", "data", "codec"),
    [
        ("x.flv", flv(b"\x17\0"), "H.264"),
        ("x.flv", flv(b"\x90av01"), "AV1"),
        ("x.ivf", b"DKIF\0\0\x20\0AV01" + bytes(20), "AV1"),
        ("x.obu", b"\x12\x00\x0a\x0b" + bytes(20), "AV1"),
        ("x.ogv", b"OggS\0\2" + bytes(20) + b"\1\x0a\x80theora" + bytes(3), "Theora"),
        ("x.mpg", b"\0\0\1\xba" + bytes(20), None),
    ],
)
def test_others(name: str, data: bytes, codec: str | None, tmp_path: Path) -> None:
    assert facts_of(tmp_path / name, data).codec == codec
