"""Label files, next to a model and in the ZIP behind it."""

from __future__ import annotations

import contextlib
import io
import zipfile
from random import Random

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.tasks.labels import labels_in_file, labels_in_model, named, parse_labels

_MAP = """item {
 id: 1
 name: '/m/01g317'
 display_name: "person"
}
item { id: 3 name: 'car' }
"""
_TEXTS = (_MAP, "cat\ndog\n\nbird", "0 cat\n1 dog\n7 bird", "0: cat\n1: dog", "# all\n" + _MAP)
_PIECES = ("item", " {", "{", "}", "id:", "name:", "display_name: ", "'", '"', "cat", "\n", "#")
_NUMBERS = ("0", "1", "-1", "7", "99999", "100001", "9" * 30, "\u00b2", "\u0663", "1e5")


def seeds() -> list[bytes]:
    """Return texts, and ZIPs that hold them."""
    texts = [text.encode() for text in _TEXTS]
    return texts + [_zipped({"labels.txt": text, "b.txt": b"x"}) for text in texts[:3]]


def generate(random: Random) -> bytes:
    """Return pieces of label files in any order, one in three in a ZIP."""
    count = random.choice((3, 30, 300))
    pieces = [random.choice((*_PIECES, *_NUMBERS)) for _ in range(count)]
    text = "".join(piece * random.choice((1, 1, 1, 1, 100)) for piece in pieces).encode()
    if random.random() > 1 / 3:
        return text
    method = random.choice((0, 8, 12, 14))
    return _zipped({random.choice(("labels.txt", "label.txt", "x")): text}, method)


def attempt(data: bytes) -> None:
    """Read them as both."""
    with contextlib.suppress(UnicodeDecodeError):
        named(parse_labels(data.decode("utf-8-sig")))
    for read in (labels_in_model, lambda one: labels_in_file(one, ["x", "b.txt"], subject="x")):
        try:
            read(data)
        except EdgeinferError:
            continue


def _zipped(members: dict[str, bytes], method: int = 8) -> bytes:
    stream = io.BytesIO()
    stream.write(bytes(100))  # where the model is
    with zipfile.ZipFile(stream, "a", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()
