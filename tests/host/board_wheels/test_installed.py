"""edgeinfer's wheel of its installed files; a small installation stands for the real one."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import StorageError, WheelError
from edgeinfer.host.board_wheels.installed import installed_wheel
from edgeinfer.host.board_wheels.own import check_given, own_version
from tests.host.board_wheels.wheels import BOOKWORM, OWN_TAG, TRIXIE

INFO = f"edgeinfer-{own_version()}.dist-info"
FILES = {
    "edgeinfer/host/board_wheels/installed.py": "# this very module\n",
    "edgeinfer/device/loop.py": "frames = 1\n",
    "edgeinfer/device/lib/kernels.so": "\x7fELF",
    f"{INFO}/METADATA": f"Metadata-Version: 2.1\nName: edgeinfer\nVersion: {own_version()}\n",
    f"{INFO}/WHEEL": f"Wheel-Version: 1.0\nTag: {OWN_TAG}\n",
    f"{INFO}/entry_points.txt": "[console_scripts]\nedgeinfer = edgeinfer.device.cli.main:main\n",
}
ADDED_BY_PIP = {
    f"{INFO}/INSTALLER": "pip\n",
    f"{INFO}/REQUESTED": "",
    "../../../bin/edgeinfer": "#!\n",
}


def record_line(name: str, content: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"{name},sha256={digest.rstrip('=')},{len(content.encode())}"


def install(
    folder: Path, files: dict[str, str] = FILES, more: tuple[str, ...] = ()
) -> metadata.Distribution:
    """Lay out files as pip does."""
    site = folder / "lib" / "python3" / "site-packages"
    for name, content in {**files, **ADDED_BY_PIP}.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    lines = [record_line(name, content) for name, content in {**files, **ADDED_BY_PIP}.items()]
    lines += ["edgeinfer/device/__pycache__/loop.cpython-311.pyc,,", f"{INFO}/RECORD,,", *more]
    (site / INFO / "RECORD").write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    return metadata.PathDistribution(site / INFO)


def site_of(installed: metadata.Distribution) -> Path:
    return Path(str(installed.locate_file("")))


def test_the_wheel_has_the_installed_files_and_no_others(tmp_path: Path) -> None:
    installed = install(tmp_path / "venv")
    (site_of(installed) / "edgeinfer" / "json.py").write_text("someone else's")
    wheel = installed_wheel(BOOKWORM, tmp_path / "cache", installed)
    assert wheel.name == f"edgeinfer-{own_version()}-{OWN_TAG}.whl"
    assert check_given(wheel, BOOKWORM).distribution == "edgeinfer"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        content = {name: archive.read(name).decode() for name in archive.namelist()}
    record = content.pop(f"{INFO}/RECORD")
    assert content == FILES
    lines = record.splitlines()
    assert sorted(lines) == sorted(
        [*(record_line(name, text) for name, text in FILES.items()), f"{INFO}/RECORD,,"]
    )


def test_the_same_files_give_the_same_wheel(tmp_path: Path) -> None:
    installed = install(tmp_path / "venv")
    one = installed_wheel(BOOKWORM, tmp_path / "one", installed)
    other = installed_wheel(TRIXIE, tmp_path / "other", install(tmp_path / "again"))
    assert one.read_bytes() == other.read_bytes()


def test_a_changed_file_is_named_with_both_hashes(tmp_path: Path) -> None:
    installed = install(tmp_path / "venv")
    changed = site_of(installed) / "edgeinfer" / "device" / "loop.py"
    changed.write_text("frames = 2\n")
    with pytest.raises(WheelError) as caught:
        installed_wheel(BOOKWORM, tmp_path / "cache", installed)
    sentence = str(caught.value)
    assert str(changed) in sentence
    for content in ("frames = 1\n", "frames = 2\n"):
        assert hashlib.sha256(content.encode()).hexdigest() in sentence
    assert "install edgeinfer again" in sentence
    assert not list(tmp_path.glob("cache/*.whl"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    installed = install(tmp_path / "venv")
    (site_of(installed) / "edgeinfer" / "device" / "loop.py").unlink()
    with pytest.raises(WheelError, match=r"loop\.py: cannot be read"):
        installed_wheel(BOOKWORM, tmp_path / "cache", installed)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("edgeinfer/device/more.py,,", "more.py: has no SHA-256 in RECORD"),
        ("edgeinfer/device/more.py,md5=abc,1", "more.py: has no SHA-256 in RECORD"),
        ("json.py,sha256=abc,1", "json.py: is named in RECORD, expected only files of edgeinfer"),
        ("edgeinfer/../json.py,sha256=abc,1", "is named in RECORD"),
        ("/etc/passwd,sha256=abc,1", "is named in RECORD"),
    ],
)
def test_a_wrong_line_in_record_is_refused(tmp_path: Path, line: str, said: str) -> None:
    installed = install(tmp_path / "venv", more=(line,))
    (site_of(installed) / "edgeinfer" / "device" / "more.py").write_text("x")
    with pytest.raises(WheelError, match=said):
        installed_wheel(BOOKWORM, tmp_path / "cache", installed)


def test_a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    """An editable installation's names no file of the program."""
    files = {name: text for name, text in FILES.items() if name.startswith(INFO)}
    with pytest.raises(WheelError, match="does not list this program's files"):
        installed_wheel(BOOKWORM, tmp_path / "cache", install(tmp_path / "venv", files))


def test_an_installation_for_another_machine_is_refused(tmp_path: Path) -> None:
    files = {**FILES, f"{INFO}/WHEEL": "Tag: py3-none-manylinux_2_28_x86_64\n"}
    with pytest.raises(WheelError, match=r"installed here is for py3-none-manylinux_2_28_x86_64"):
        installed_wheel(BOOKWORM, tmp_path / "cache", install(tmp_path / "venv", files))


def test_one_that_was_built_here_goes_to_no_older_system(tmp_path: Path) -> None:
    files = {**FILES, f"{INFO}/WHEEL": "Tag: py3-none-linux_x86_64\n"}
    installed = install(tmp_path / "venv", files)
    target = type(BOOKWORM)(architecture="x86_64", python="3.11", glibc=(2, 17))
    with pytest.raises(WheelError, match="installed here is for py3-none-linux_x86_64"):
        installed_wheel(target, tmp_path / "cache", installed)
    newer = type(BOOKWORM)(architecture="x86_64", python="3.11", glibc=(2, 99))
    assert installed_wheel(newer, tmp_path / "cache", installed).is_file()


def test_an_installation_without_a_wheel_is_refused(tmp_path: Path) -> None:
    files = {**FILES, f"{INFO}/WHEEL": "\n"}
    with pytest.raises(WheelError, match="was not installed from a wheel"):
        installed_wheel(BOOKWORM, tmp_path / "cache", install(tmp_path / "venv", files))


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError):
        installed_wheel(BOOKWORM, tmp_path / "cache", install(tmp_path / "venv"))


RECORD_LINES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.builds(
            "{},{}={},{}".format,
            st.sampled_from([*FILES, "", ".", "..", "/", "edgeinfer/\x00", "edgeinfer/ä"]),
            st.sampled_from(["sha256", "md5", ""]),
            st.sampled_from(["abc", "=", "ä", ""]),
            st.text(max_size=3),
        ),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(lines=RECORD_LINES)
def test_any_wrong_record_is_refused_in_a_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    """The files themselves are in order, so only what is added to RECORD can be wrong."""
    folder = tmp_path_factory.mktemp("record")
    installed = install(folder, more=tuple(lines))
    said = ""
    try:
        installed_wheel(BOOKWORM, folder / "cache", installed)
    except WheelError as error:
        said = str(error)
    assert not set(said) & set("\n\r\x00\x1b")
    for wheel in folder.glob("cache/*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            assert set(archive.namelist()) == {*FILES, f"{INFO}/RECORD"}
