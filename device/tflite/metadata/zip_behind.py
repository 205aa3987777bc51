"""The ZIP that a `.tflite` may carry behind its FlatBuffer, read with bounds. Nothing in it is
trusted.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence

ZIP_END = b"PK\x05\x06"
MAX_ZIP_END = 22 + 0xFFFF
"""Bytes at a ZIP's end among which its last record begins: that record and a comment."""
MAX_MEMBER_BYTES = 2**20
"""Largest file that is unpacked; the names of ImageNet's classes take 10 kB, 21,000 classes
300 kB."""
MAX_ZIP_MEMBERS = 1000
"""Most files of a ZIP behind a model; there are one or two, and each takes memory to list."""
_ZIP_MEMBER = b"PK\x01\x02"

Chooser = Callable[[Sequence[str]], str | None]
"""Returns which of some file names is to be read, or None."""


class ZipError(ValueError):
    """The ZIP, or the file in it, cannot be read; the text says why."""


def read_behind(data: bytes, choose: Chooser) -> bytes | None:
    """Return the bytes of one file of the ZIP behind a model.

    Args:
        data: the model's bytes, the ZIP among them.
        choose: which file.

    Returns:
        Its bytes; None where there is no ZIP, or no such file in it.

    Raises:
        ZipError: the ZIP has too many files, or the file is damaged, encrypted or too large.
    """
    if ZIP_END not in data[-MAX_ZIP_END:]:
        return None
    if data.count(_ZIP_MEMBER) > MAX_ZIP_MEMBERS:
        raise ZipError(f"the ZIP behind it has more than {MAX_ZIP_MEMBERS:,} files")
    import zipfile  # most models carry no ZIP, and it imports much

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member for member in archive.infolist()}
            name = choose(list(members))
            if name is None:
                return None
            member = members[name]
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Of the others zipfile unpacks in one step as much as the file has.
                raise ValueError("it is not stored and not deflated")
            with archive.open(member) as stream:
                content = stream.read(MAX_MEMBER_BYTES + 1)
    except zipfile.BadZipFile as error:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            return None
        raise ZipError(str(error)) from error
    # What zipfile raises on members that are encrypted, of an unknown compression, or damaged.
    except (RuntimeError, zlib.error, EOFError, OSError, ValueError, OverflowError) as error:
        raise ZipError(str(error)) from error
    if len(content) > MAX_MEMBER_BYTES:
        raise ZipError(f"it has more than {MAX_MEMBER_BYTES} bytes")
    return content
