"""A working folder with untrusted modules, under the names that programs import first."""

from __future__ import annotations

from pathlib import Path

import pytest

MODULES = (
    *("json", "numpy", "pip", "click", "runpy", "subprocess", "cv2", "tensorflow", "keras"),
    *("sitecustomize", "usercustomize", "edgeinfer", "packaging", "ai_edge_litert"),
)
MARKER = "was_imported"
_SOURCE = """\
from pathlib import Path
with Path({marker!r}).open("a") as stream:
    stream.write(__name__ + "\\n")
"""


class UntrustedFolder:
    """The folder; `imported` tells which of its modules ran, in whatever process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._marker = path.parent / MARKER
        path.mkdir()
        source = _SOURCE.format(marker=str(self._marker))
        for name in MODULES:
            (path / f"{name}.py").write_text(source)
        (path / "edgeinfer.pth").write_text("import json\n")

    def imported(self) -> list[str]:
        """Return the names of the modules that ran."""
        return self._marker.read_text().split() if self._marker.exists() else []


def work_in_untrusted_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> UntrustedFolder:
    """Make such a folder and let it be the working folder, also by way of an empty PYTHONPATH."""
    folder = UntrustedFolder(path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", ":.")
    monkeypatch.chdir(folder.path)
    return folder
