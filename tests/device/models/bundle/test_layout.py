"""The bytes of a bundle: members, directory, end, and nothing before, between or behind them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle import reader
from edgeinfer.device.models.bundle.manifest import MANIFEST
from edgeinfer.device.models.bundle.reader import open_bundle, read_manifest
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.input_size import model_input_size
from tests.device.models.bundle.examples import MEMBERS, manifest

END = struct.Struct("<4s4H2LH")
LOCAL, ENTRY = b"PK\x03\x04", b"PK\x01\x02"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS)
    return path


def end_of(content: bytes) -> tuple[int, int, int]:
    """Return how many members there are, the directory's bytes and its offset."""
    fields = END.unpack(content[-END.size :])
    return fields[4], fields[5], fields[6]


def with_end(content: bytes, **changes: int) -> bytes:
    """Return the archive with another end record."""
    members, size, offset = end_of(content)
    fields = {"members": members, "size": size, "offset": offset, "comment": 0, "disk": 0} | changes
    count = fields["members"]
    record = END.pack(
        *(b"PK\x05\x06", fields["disk"], 0, count, count),
        *(fields["size"], fields["offset"], fields["comment"]),
    )
    return content[: -END.size] + record


def patched(content: bytes, signature: bytes, at: int, kind: str, value: int) -> bytes:
    """Return the archive with a number of its second member's header or entry changed."""
    changed = bytearray(content)
    place = content.index(signature, content.index(signature) + 4)
    struct.pack_into(kind, changed, place + at, value)
    return bytes(changed)


def again(content: bytes, edit: Callable[[zipfile.ZipInfo], object], **options: int) -> bytes:
    """Write the archive again, each member's header edited."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as given,
        zipfile.ZipFile(stream, "w", **options) as archive,  # type: ignore[call-overload]
    ):
        for info in given.infolist():
            fresh = zipfile.ZipInfo(info.filename)
            edit(fresh)
            archive.writestr(fresh, given.read(info))
    return stream.getvalue()


def behind_other_bytes(content: bytes) -> bytes:
    stream = io.BytesIO(b"#!/bin/sh\n")
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(stream, "a") as archive:
        for info in given.infolist():
            archive.writestr(info, given.read(info))
    return stream.getvalue()


def with_a_gap(content: bytes) -> bytes:
    """Put bytes behind the first member; every offset fits."""
    second = content.index(LOCAL, 4)
    members, size, offset = end_of(content)
    head, directory = content[:second], bytearray(content[offset : offset + size])
    gap = b"anything"
    place = 0
    for index in range(members):
        at = directory.index(ENTRY, place)
        (start,) = struct.unpack_from("<L", directory, at + 42)
        struct.pack_into("<L", directory, at + 42, start + (len(gap) if index else 0))
        place = at + 4
    body = head + gap + content[second:offset] + bytes(directory)
    return with_end(body + content[-END.size :], offset=offset + len(gap))


def before_the_directory(content: bytes) -> bytes:
    _, _, offset = end_of(content)
    moved = content[:offset] + b"anything" + content[offset:]
    return with_end(moved, offset=offset + 8)


def within_the_directory(content: bytes) -> bytes:
    """Put a record behind the last entry that readers skip: a signature of the directory."""
    _, size, _ = end_of(content)
    record = b"PK\x05\x05\x04\x00sign"
    return with_end(content[: -END.size] + record + content[-END.size :], size=size + len(record))


def one_content_for_two_names(content: bytes) -> bytes:
    """Let the third entry of the directory lead to the second member."""
    changed = bytearray(content)
    second = content.index(ENTRY, content.index(ENTRY) + 4)
    third = content.index(ENTRY, second + 4)
    changed[third + 42 : third + 46] = changed[second + 42 : second + 46]
    return bytes(changed)


def in_another_order(content: bytes) -> bytes:
    """Let the directory name the members the other way round."""
    _, size, offset = end_of(content)
    parts = content[offset : offset + size].split(ENTRY)[1:]
    return content[:offset] + b"".join(ENTRY + part for part in parts[::-1]) + content[-END.size :]


def with_two_directories(content: bytes) -> bytes:
    """Let readers that know ZIP64 find another directory than its end record says."""
    members, size, offset = end_of(content)
    directory = content[offset : offset + size]
    fields = (44, 45, 45, 0, 0, members, members, size, offset + size)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *fields)
    pointer = struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + 2 * size, 1)
    whole = content[:offset] + directory * 2 + record + pointer + content[-END.size :]
    return with_end(whole, size=2 * size + len(record) + len(pointer))


def described_behind(content: bytes) -> bytes:
    """Write sizes and checksums behind the contents, as writers to a pipe do."""

    class Pipe(io.BytesIO):
        def seek(self, offset: int, start: int = 0, /) -> int:
            raise OSError("a pipe")

    stream = Pipe()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(stream, "w") as archive:
        for info in given.infolist():
            archive.writestr(zipfile.ZipInfo(info.filename), given.read(info))
    return stream.getvalue()


def commented_member(info: zipfile.ZipInfo) -> None:
    info.comment = b"hello"


def extra_field(info: zipfile.ZipInfo) -> None:
    info.extra = b"\xfe\xca\x02\x00hi"


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "bytes before it": (lambda content: b"\x7fELF" + content, "its directory is not where"),
    "bytes before it, with offsets": (behind_other_bytes, "'manifest.json' is not right behind"),
    "bytes behind it": (lambda content: content + b"x", "something follows its end"),
    "a comment": (lambda content: with_end(content, comment=2) + b"hi", "something follows"),
    "a comment announced": (lambda content: with_end(content, comment=2), "has a comment"),
    "a second archive behind it": (lambda content: content * 2, "its directory is not where"),
    "a gap": (with_a_gap, "is not right behind the one before it"),
    "a gap before the directory": (before_the_directory, "between its last member and"),
    "a record in the directory": (within_the_directory, "is damaged"),
    "two directories": (with_two_directories, "it has two directories"),
    "overlapping members": (one_content_for_two_names, "is not right behind"),
    "another order": (in_another_order, "is not right behind"),
    "an offset one too far": (
        lambda content: with_end(content, offset=end_of(content)[2] + 1),
        "its directory is not where its end says",
    ),
    "an offset too early": (
        lambda content: with_end(content, offset=end_of(content)[2] - 1),
        "its directory is not where its end says",
    ),
    "several disks": (lambda content: with_end(content, disk=1), "names other files"),
    "fewer members": (lambda content: with_end(content, members=1), "its end counts 1 members"),
    "another name in the header": (
        lambda content: content.replace(b"golden/cpu.input.raw", b"golden/cpu.inqut.raw", 1),
        "is damaged",
    ),
    "another size in the header": (
        lambda content: patched(content, LOCAL, 22, "<L", 5),
        "contradicts the directory",
    ),
    "another checksum in the header": (
        lambda content: patched(content, LOCAL, 14, "<L", 5),
        "contradicts the directory",
    ),
    "another method in the header": (
        lambda content: patched(content, LOCAL, 8, "<H", 8),
        "contradicts the directory",
    ),
    "fields in the header alone": (
        lambda content: patched(content, LOCAL, 28, "<H", 4),
        "contradicts the directory",
    ),
    "encryption": (lambda content: patched(content, ENTRY, 8, "<H", 1), "encrypted"),
    "flags": (lambda content: patched(content, ENTRY, 8, "<H", 2), "has flags"),
    "a name that is not UTF-8": (
        lambda content: patched(content, ENTRY, 8, "<H", 0x800).replace(b"golden/", b"gol\xffen/"),
        "is damaged",
    ),
    "a name in another code": (
        lambda content: content.replace(b"golden/", b"gol\xffen/"),
        "forbidden name",
    ),
    "sizes behind the contents": (described_behind, "has flags"),
    "more fields": (lambda content: again(content, extra_field), "has flags, a comment or more"),
    "a member's comment": (lambda content: again(content, commented_member), "a comment or more"),
    "compression": (
        lambda content: again(content, lambda info: setattr(info, "compress_type", 8)),
        "is compressed",
    ),
    "a huge directory": (
        lambda content: with_end(content + bytes(2 << 20), size=2 << 20, offset=0),
        "is damaged",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_with_room_for_something_else_is_refused(bundle: Path, name: str) -> None:
    damage, message = DAMAGES[name]
    good = bundle.read_bytes()
    bundle.write_bytes(damage(good))
    assert bundle.read_bytes() != good
    for read in (open_bundle, read_manifest):
        with pytest.raises(BundleError) as caught:
            read(bundle)
        assert message in str(caught.value), str(caught.value)
        assert "\n" not in str(caught.value)
    assert model_input_size(bundle) is None


def test_an_archive_of_very_many_members_is_refused_before_they_are_listed(bundle: Path) -> None:
    content = bundle.read_bytes()
    members, size, offset = end_of(content)
    many = 60_000 // members
    entries = content[offset : offset + size] * many
    whole = content[:offset] + entries + content[-END.size :]
    bundle.write_bytes(with_end(whole, members=many * members, size=len(entries)))
    with pytest.raises(BundleError, match=r"announces .* members, expected at most 2,000"):
        open_bundle(bundle)


def test_an_archive_that_cannot_be_read_is_an_error_of_the_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(reader, "check_layout", broken)
    with pytest.raises(BundleError, match="cannot be read \\(input/output error\\)"):
        open_bundle(bundle)


def add(bundle: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(bundle, "a") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def test_signatures_are_ignored(bundle: Path) -> None:
    add(bundle, {"signatures/someone.sig": b"signed", "signatures/a/b.pem": bytes(65536)})
    with open_bundle(bundle) as opened:
        assert opened.manifest.labels == manifest().labels
        assert set(opened.manifest.members) == set(MEMBERS)
        assert {name: opened.member(name) for name in MEMBERS} == MEMBERS


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"signatures/x": bytes(65537)},
            "'signatures/x' has 65,537 bytes, expected at most 65,536",
        ),
        ({f"signatures/{i}": b"" for i in range(17)}, "has 17 members in signatures/"),
        ({"signatures/../x": b""}, "forbidden name"),
        ({"signatures": b""}, "is not in the manifest"),
        ({"signature/x": b""}, "is not in the manifest"),
    ],
)
def test_signatures_are_bounded(bundle: Path, members: dict[str, bytes], message: str) -> None:
    add(bundle, members)
    with pytest.raises(BundleError, match=message):
        open_bundle(bundle)


def test_nothing_of_a_manifest_may_lie_among_signatures(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not allowed: .'signatures/x'"):
        write_bundle(tmp_path / "x.edgebundle", manifest(), {**MEMBERS, "signatures/x": b""})


def test_the_writer_reserves_them(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.namelist()[0] == MANIFEST
        assert not any(name.startswith("signatures/") for name in archive.namelist())
