"""The reader of board profiles: TOML files that users add."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from edgeinfer.boards.files import PROFILES, load_profile, read_head
from edgeinfer.boards.profile import ProfileError
from edgeinfer.device.cli.boards.text import board_json, board_lines, list_lines
from tests.fuzz.odd_values import ODD_TEXTS

_NUMBERS = (
    *("0", "-1", "1", "64", "65", "1e3", "-0.0", "1e400", "-1e400", "nan", "inf", "-inf", "0x7f"),
    *("9" * 20, "9" * 401, "9" * 5000, "0x" + "f" * 6000, "1_000", "1__0", "1979-05-27"),
    *("25:61:00", "1979-05-27T07:32:00+99:99", "true", "[]", "{}", '""', "''", "[1, 'a']"),
)
_KEYS = (
    *("name", "title", "cores", "threads", "based_on", "accelerator", "delegate", "npu", "flash"),
    *("systems", "latencies", "sources", "device_tree", "colour", "a.b", "systems.name", '""'),
)
_MANY = (
    *("a.", "[", "[[", "{a=", "\n", " ", "\t", '"', "'", "#", "\\", "\r", "=", "[a]\n", "x=1\n"),
    *("[[systems]]\n", "a.a.a=1\n", '"""', "'''", "1_", ",", "\n[a.", "é"),
)

_MOST_TOLD = 4000


@cache
def seeds() -> list[bytes]:
    """Return the profiles of edgeinfer's own."""
    return [path.read_bytes() for path in sorted(PROFILES.glob("*.toml"))]


def generate(random: Random) -> bytes:
    """Make a profile with odd lines, or one token many times."""
    lines = random.choice(seeds()).decode().splitlines()
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(lines) + 1)
        kind = random.randrange(8)
        if kind == 0 and place < len(lines):
            del lines[place]
        elif kind == 1 and place < len(lines):
            lines.insert(random.randrange(len(lines)), lines[place])
        elif kind in (2, 6, 7) and place < len(lines) and "=" in lines[place]:
            lines[place] = f"{lines[place].partition('=')[0]}= {_value(random)}"
        elif kind == 3:
            lines.insert(place, random.choice(_MANY) * random.choice((3, 200, 3000, 30_000)))
        else:
            lines.insert(place, f"{random.choice(_KEYS)} = {_value(random)}")
    return "\n".join(lines).encode(errors="surrogatepass")


def attempt(data: bytes) -> None:
    """Read a profile as `edgeinfer boards` and the recognition of a board do."""
    path = _folder() / "fuzzed.toml"
    path.write_bytes(data)
    with contextlib.suppress(ProfileError):
        read_head(path)
    try:
        profile = load_profile("fuzzed", _folder())
    except ProfileError as refusal:
        told = str(refusal)
        if len(told) > _MOST_TOLD:
            raise ValueError(f"an error of {len(told):,} characters") from refusal
        return
    assert profile.thread_count() >= 1
    json.dumps(board_json(profile), allow_nan=False)
    for line in (*board_lines(profile), *list_lines([profile], {"fuzzed": path})):
        assert line.isprintable()


def _value(random: Random) -> str:
    kind = random.randrange(4)
    if kind == 0:
        text = random.choice(ODD_TEXTS)
        escaped = "".join(f"\\U{ord(c):08x}" if not c.isprintable() else c for c in text)
        return f'"{escaped}"'
    if kind == 1:
        return f"[{random.choice(_NUMBERS)}, {_value(random)}]"
    if kind == 2:
        depth = random.choice((2, 60, 3000))
        return random.choice(("[" * depth + "1" + "]" * depth, "{a=" * depth + "1" + "}" * depth))
    return random.choice(_NUMBERS)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-profile-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for path in PROFILES.glob("*.toml"):
        os.symlink(path, folder / path.name)
    return folder
