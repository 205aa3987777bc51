from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import MissingExtraError, WheelError
from edgeinfer.host.flashing.bundled_python import carried_python

UV = """\
#!/bin/sh
echo "$PWD: $*" >> {log}
while [ "$1" != --install-dir ]; do shift; done
mkdir -p "$2/cpython-3.10.9-x/bin" "$2/cpython-3.10.9-x/lib"
echo python > "$2/cpython-3.10.9-x/bin/python3.10"
ln -s python3.10 "$2/cpython-3.10.9-x/bin/python3"
"""
OFFLINE = "#!/bin/sh\necho noise >&2\necho '  cause: failed to lookup address' >&2\nexit 1\n"


def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(script.format(log=tmp_path / "log"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return tmp_path / "log"


def test_it_is_downloaded_once_and_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = uv(tmp_path, monkeypatch, UV)
    first = carried_python("3.10", "aarch64", cache=tmp_path / "cache")
    assert "cpython-3.10-linux-aarch64-gnu" in log.read_text()
    # Not where an untrusted uv.toml may be, which may name another source of Pythons.
    assert log.read_text().startswith("/: ")
    with tarfile.open(first.path) as archive:
        assert {"bin/python3.10", "bin/python3", "lib"} <= set(archive.getnames())
    assert first.size == first.path.stat().st_size
    assert carried_python("3.10", "aarch64", cache=tmp_path / "cache") == first
    assert len(log.read_text().splitlines()) == 1


def test_without_a_connection_the_reason_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv(tmp_path, monkeypatch, OFFLINE)
    with pytest.raises(WheelError, match=r"failed to lookup address\).*connect this machine"):
        carried_python("3.10", "aarch64", cache=tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_without_uv_the_next_step_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="pip install uv"):
        carried_python("3.10", "aarch64", cache=tmp_path / "cache")
