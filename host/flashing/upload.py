"""Files that must be on a board before its agent can run: the agent, and a Python for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath

from edgeinfer.boards.systems import OLDEST_PYTHON
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.board.facts import BoardFacts
from edgeinfer.host.flashing.bundled_python import SHORT, CarriedPython

SBOM = "sbom.cdx.json"
"""The name of the bill of materials in a release's folder."""

# The old file stays until the new one is complete and on the disk. $1: prefix, $2: SHA-256.
_PUT_AGENT = """\
set -e
umask 022
mkdir -p "$1"
cat > "$1/.releases.pyz.new"
printf '%s  %s\\n' "$2" "$1/.releases.pyz.new" | sha256sum -c - >/dev/null
sync
mv -f "$1/.releases.pyz.new" "$1/releases.pyz"
sync
"""

# It is sent every time, and written if it is different. $3: its place.
_PUT_SBOM = """\
set -e
umask 022
cat > "$3.new"
printf '%s  %s\\n' "$2" "$3.new" | sha256sum -c - >/dev/null
if cmp -s "$3.new" "$3"; then
    rm -f "$3.new"
else
    sync
    mv -f "$3.new" "$3"
fi
"""

# It never replaces another: the environments of releases point into it. $3: its folder.
_PUT_PYTHON = """\
set -e
umask 022
new=$1/python/.new
rm -rf "$new"
mkdir -p "$new"
cat > "$new/archive"
printf '%s  %s\\n' "$2" "$new/archive" | sha256sum -c - >/dev/null
tar -xzf "$new/archive" -C "$new"
rm "$new/archive"
sync
mv "$new" "$3"
sync
"""


def put_agent(board: Board, content: bytes, sha256: str) -> None:
    """Store the agent.

    Raises:
        UnreachableError: the connection was lost; the agent there is unchanged.
        RemoteError: it cannot be stored.
    """
    _put(board, _PUT_AGENT, "the agent", sha256, [content])


def put_python(board: Board, python: CarriedPython, chunks: Iterable[bytes]) -> None:
    """Unpack a self-contained Python there.

    Raises:
        UnreachableError: the connection was lost; nothing half unpacked is used.
        RemoteError: it cannot be stored.
    """
    place = str(python_folder(board, python.sha256))
    _put(board, _PUT_PYTHON, "the Python", python.sha256, chunks, place)


def put_sbom(board: Board, number: int, content: bytes) -> None:
    """Store a release's bill of materials in its folder.

    Raises:
        UnreachableError: the connection was lost.
        RemoteError: it cannot be stored.
    """
    place = str(board.prefix / "releases" / str(number) / SBOM)
    digest = hashlib.sha256(content).hexdigest()
    _put(board, _PUT_SBOM, "the bill of materials", digest, [content], place)


def python_folder(board: Board, sha256: str) -> PurePosixPath:
    """Return the folder of a Python that is sent."""
    return board.prefix / "python" / sha256[:SHORT]


def agent_python(board: Board, facts: BoardFacts, wanted: str = "") -> str | None:
    """Return an existing interpreter that can run the agent; None if there is none.

    Args:
        board: the board.
        facts: the board's facts.
        wanted: the preferred one.
    """
    folder = board.prefix / "python"
    carried = [str(folder / name) for name in facts.pythons]
    if wanted and (
        not wanted.startswith(f"{folder}/") or any(wanted.startswith(f"{p}/") for p in carried)
    ):
        return wanted
    if facts.python_version[:2] >= OLDEST_PYTHON:
        return facts.python
    return f"{carried[0]}/bin/python3" if carried else None


def _put(
    board: Board, script: str, what: str, sha256: str, chunks: Iterable[bytes], *more: str
) -> None:
    words = ["sh", "-c", script, "sh", str(board.prefix), sha256, *more]
    answer = board.as_root(words, chunks)
    if answer.code:
        raise RemoteError(
            board.name,
            got=f"{what} cannot be stored there ({answer.last_line()})",
            expected=f"a disk that can be written at {board.prefix}",
            next_step="check its disk with `df -h` and `dmesg`",
        )
