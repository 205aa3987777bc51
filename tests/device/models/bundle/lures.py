"""Libraries that tell when they are loaded, and bundles that would have them loaded."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

from tests.device.models.bundle.rewriting import Document, Members, rewritten

SOURCE = """\
#include <fcntl.h>
__attribute__((constructor)) static void ran(void) { open(MARKER, O_CREAT | O_WRONLY, 0644); }
"""


class Lure:
    """A library that leaves a file when it is loaded.

    Args:
        folder: where it is made.
        compiler: the C compiler's command.
        marker: the file; None for one next to the library.
    """

    def __init__(self, folder: Path, compiler: list[str], marker: Path | None = None) -> None:
        self.marker = marker or folder / "ran"
        self.library = folder / "liblure.so"
        source = folder / "lure.c"
        source.write_text(SOURCE)
        options = ["-shared", "-fPIC", f'-DMARKER="{self.marker}"', "-o", str(self.library)]
        subprocess.run([*compiler, *options, str(source)], check=True)

    def assert_idle(self) -> None:
        assert not self.marker.exists()


def naming(sample_bundle: Path, delegate: str) -> bytes:
    """Return a bundle with a variant for this delegate."""

    def edit(document: Document, members: Members) -> None:
        variants = document["variants"]
        variants["npu"] = {**variants["cpu"], "delegate": delegate}

    return rewritten(sample_bundle.read_bytes(), edit)


def behind(library: bytes, bundle: bytes) -> bytes:
    """Return a library that is an archive too, whose directory knows what is before it."""
    stream = io.BytesIO(library)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(io.BytesIO(bundle)) as given, zipfile.ZipFile(stream, "a") as archive:
        for info in given.infolist():
            archive.writestr(info, given.read(info))
    return stream.getvalue()
