"""edgeinfer's own wheel for a board: given, or built in the source checkout."""

from __future__ import annotations

import functools
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.version import Version

from edgeinfer.device.core.errors import WheelError
from edgeinfer.host.board_wheels.target import WheelTarget
from edgeinfer.host.board_wheels.wheel_file import WheelName, parse_name

DISTRIBUTION = "edgeinfer"
ON_THE_BOARD = ("boards", "device")
"""Folders of the sources that a board runs; the wheel's other folders are not used there."""
_SOURCE_SUFFIXES = frozenset({".py", ".toml"})


def own_version() -> Version:
    """Return the version of the running edgeinfer."""
    return Version(metadata.version(DISTRIBUTION))


def source_checkout() -> Path | None:
    """Return the root of the source checkout that this runs from; None if it is installed."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def check_given(path: Path, target: WheelTarget) -> WheelName:
    """Check that a wheel which the user named runs on the target.

    Returns:
        What its name says.

    Raises:
        WheelError: it is for another machine, or edgeinfer's of another version.
    """
    name = parse_name(path)
    if not path.is_file():
        raise WheelError(path, got="does not exist", expected="a wheel")
    if name.tags.isdisjoint(target.tags()):
        raise WheelError(
            path,
            got=f"is for {', '.join(sorted(map(str, name.tags)))}",
            expected=f"a wheel for {target.title}",
            next_step=how_to_get(target, str(name.distribution)),
        )
    if name.distribution == DISTRIBUTION:
        refuse_others_files(path)
    if name.distribution == DISTRIBUTION and name.version != own_version():
        raise WheelError(
            path,
            got=f"is version {name.version}",
            expected=f"{own_version()}, as on this workstation",
            next_step="install the same version here, or give the wheel of this one",
        )
    return name


def refuse_others_files(path: Path) -> None:
    """Refuse a wheel of edgeinfer with files outside of edgeinfer: a `.pth` would run on the board.

    Raises:
        WheelError: it has some, or is not a wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise WheelError(
            path, got=f"is not a wheel ({error})", expected="a complete wheel"
        ) from error
    stem = "-".join(path.name.split("-")[:2])
    ours = (f"{DISTRIBUTION}/", f"{stem}.dist-info/")
    strange = [
        name for name in names if not name.startswith(ours) or ".." in PurePosixPath(name).parts
    ]
    if strange:
        raise WheelError(
            path,
            got=f"contains {strange[0]}",
            expected=f"only files of {DISTRIBUTION}",
            next_step=f"build it again: {'make wheels' if source_checkout() else 'in a checkout'}",
        )


def find_built(target: WheelTarget, checkout: Path | None) -> Path | None:
    """Return the wheel in a source checkout's `dist/`; None without a checkout or such a wheel.

    Args:
        target: what it must run on.
        checkout: the sources' root.

    Raises:
        WheelError: its edgeinfer differs from the sources.
    """
    if checkout is None:
        return None
    found = []
    ranks = {tag: rank for rank, tag in enumerate(target.tags())}
    for path in sorted((checkout / "dist").glob(f"{DISTRIBUTION}-*.whl")):
        name = parse_name(path)
        # A wheel of one machine, linux_ARCHITECTURE, is used only if a user names it.
        portable = {tag for tag in name.tags if not tag.platform.startswith("linux_")}
        if name.version == own_version() and portable & ranks.keys():
            found.append((min(ranks[tag] for tag in portable & ranks.keys()), path))
    if not found:
        return None
    path = min(found)[1]
    refuse_others_files(path)
    changed = first_difference(path, checkout, path.stat().st_mtime_ns)
    if changed:
        raise WheelError(
            path,
            got=f"was built from other sources than these ({changed} differs)",
            expected="the wheel of this checkout",
            next_step="build it again: make wheels (or name a wheel with --wheel)",
        )
    return path


@functools.lru_cache(maxsize=8)
def first_difference(wheel: Path, checkout: Path, built_ns: int) -> str:
    """Return the first file for the board that differs from the sources.

    Args:
        wheel: the built wheel.
        checkout: the sources' root.
        built_ns: when the wheel was built; the answer is cached for it.

    Returns:
        Its path in the checkout; empty if all are the same. Compiled code is not compared:
        `verify` on the board does that.
    """
    sources = {
        file.relative_to(checkout).as_posix(): file
        for folder in ON_THE_BOARD
        for file in (checkout / folder).rglob("*")
        if file.suffix in _SOURCE_SUFFIXES
        and not {"native", "toolchains"} & set(file.relative_to(checkout).parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        members = {
            str(PurePosixPath(*PurePosixPath(name).parts[1:])): name
            for name in archive.namelist()
            if PurePosixPath(name).suffix in _SOURCE_SUFFIXES
            and name.startswith(tuple(f"{DISTRIBUTION}/{folder}/" for folder in ON_THE_BOARD))
        }
        for name in sorted(sources.keys() | members.keys()):
            if name not in sources or name not in members:
                return name
            if sources[name].read_bytes() != archive.read(members[name]):
                return name
    return ""


def not_built(target: WheelTarget) -> WheelError:
    """Return the error for a source checkout without a wheel for the target."""
    return WheelError(
        f"{DISTRIBUTION} {own_version()} for {target.title}",
        got="there is no wheel in dist/",
        expected="a wheel to send to the board",
        next_step=how_to_get(target, DISTRIBUTION),
    )


def how_to_get(target: WheelTarget, distribution: str) -> str:
    """Say where a wheel for the target may come from."""
    if distribution != DISTRIBUTION:
        return "name another with --wheel"
    if source_checkout():
        return "run: make wheels"
    return (
        "run make wheels in a source checkout and name its "
        f"dist/{DISTRIBUTION}-{own_version()}-py3-none-manylinux_2_28_{target.architecture}.whl "
        "with --wheel"
    )
