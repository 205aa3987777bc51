"""Names and passwords as servers of HTTP and RTSP ask for them: Basic and Digest.

Nothing is sent before a server asks, and of what it offers the strongest is used: Basic shows the
password to everyone on the way. Sources: RFC 7617 and RFC 7616.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_ITEM = re.compile(
    r'[\s,]*([^\s,="]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|(?=[\s,]|$))'
)
_HASHES: dict[str, tuple[int, Callable[[bytes], str]]] = {
    "MD5": (1, lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest()),
    "SHA-256": (2, lambda data: hashlib.sha256(data).hexdigest()),
    "SHA-512-256": (3, lambda data: hashlib.new("sha512_256", data).hexdigest()),
}
"""How strong each is, and the function."""
_SESSION = "-SESS"


@dataclass(frozen=True)
class Credentials:
    """A name and its password."""

    name: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Challenge:
    """One way in which a server accepts a name and password.

    Attributes:
        scheme: such as "basic", in lower case.
        values: what it says with it; the names in lower case.
    """

    scheme: str
    values: dict[str, str]

    @property
    def algorithm(self) -> str:
        """The hash of Digest, without "-sess"."""
        return self.values.get("algorithm", "MD5").upper().removesuffix(_SESSION)

    @property
    def strength(self) -> int:
        """How much better it is than others; below 0 if it is not known here."""
        if self.scheme == "basic":
            return 0
        if self.scheme != "digest" or self.algorithm not in _HASHES or not self._quality_known:
            return -1
        if self.algorithm == "SHA-512-256" and "sha512_256" not in hashlib.algorithms_available:
            return -1
        return _HASHES[self.algorithm][0]

    @property
    def stale(self) -> bool:
        """Whether only the number that the server gave last has become too old."""
        return self.values.get("stale", "").lower() == "true"

    @property
    def quality(self) -> str:
        """The protection that is used of those offered; empty in the oldest form of Digest."""
        return "auth" if "auth" in self._qualities else ""

    @property
    def _qualities(self) -> list[str]:
        return self.values.get("qop", "").lower().replace(",", " ").split()

    @property
    def _quality_known(self) -> bool:
        return not self._qualities or bool(self.quality)


def parse_challenges(lines: Sequence[str]) -> list[Challenge]:
    """Return what the lines `WWW-Authenticate` of an answer offer; one line may hold several."""
    found: list[Challenge] = []
    for line in lines:
        for name, value in _items(line):
            if value is None:
                found.append(Challenge(name.lower(), {}))
            elif found:
                found[-1].values.setdefault(name.lower(), value)
    return found


def _items(line: str) -> Iterator[tuple[str, str | None]]:
    """Yield the words of a line, each with what follows its equals sign; None without one."""
    position = 0
    while item := _ITEM.match(line, position):
        position = item.end()
        name, quoted, plain = item.groups()
        yield name, quoted if quoted is not None else plain


def choose_challenge(challenges: Sequence[Challenge]) -> Challenge | None:
    """Return the strongest, of equal ones the first; None where none is known here."""
    best = max(challenges, key=lambda challenge: challenge.strength, default=None)
    return best if best is not None and best.strength >= 0 else None


class Authorization:
    """Answers one challenge, for any number of requests.

    Args:
        credentials: what the user gave.
        challenge: what the server asked for.
    """

    def __init__(self, credentials: Credentials, challenge: Challenge) -> None:
        self._credentials = credentials
        self._challenge = challenge
        self._count = 0

    def header(self, method: str, target: str) -> str:
        """Return the value of `Authorization`.

        Args:
            method: of the request, such as "GET".
            target: what is asked for, as the request's first line has it.
        """
        name, password = self._credentials.name, self._credentials.password
        if self._challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
        values, quality = self._challenge.values, self._challenge.quality
        algorithm = self._challenge.algorithm
        calculate = _HASHES[algorithm][1]

        def digest(*parts: str) -> str:
            return calculate(":".join(parts).encode())

        realm, nonce = values.get("realm", ""), values.get("nonce", "")
        own = secrets.token_hex(8)
        self._count += 1
        count = f"{self._count:08x}"
        secret = digest(name, realm, password)
        if values.get("algorithm", "").upper().endswith(_SESSION):
            secret = digest(secret, nonce, own)
        asked = digest(method, target)
        parts = [secret, nonce, *([count, own, quality] if quality else []), asked]
        hashed = values.get("userhash", "").lower() == "true"
        shown = digest(name, realm) if hashed else name.replace("\\", r"\\").replace('"', r"\"")
        words = [
            f'username="{shown}"',
            f'realm="{realm}"',
            f'nonce="{nonce}"',
            f'uri="{target}"',
            f'response="{digest(*parts)}"',
        ]
        if "algorithm" in values:
            words.append(f"algorithm={values['algorithm']}")
        if "opaque" in values:
            words.append(f'opaque="{values["opaque"]}"')
        if quality:
            words += [f"qop={quality}", f"nc={count}"]
        if quality or values.get("algorithm", "").upper().endswith(_SESSION):
            words.append(f'cnonce="{own}"')
        if hashed:
            words.append("userhash=true")
        return "Digest " + ", ".join(words).encode().decode("latin-1")
