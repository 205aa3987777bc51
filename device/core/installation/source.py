"""Where the installed edgeinfer came from, in the form that pip takes.

Installers leave that in `direct_url.json` next to the package (PEP 610); an index leaves none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

DISTRIBUTION = "edgeinfer"
_VERSION_CONTROL = frozenset({"git", "hg", "svn", "bzr"})


@dataclass(frozen=True, kw_only=True)
class Source:
    """What edgeinfer was installed from.

    Attributes:
        version: of what is installed; empty where it is not known.
        url: as a requirement names it, without names and passwords; empty from an index.
        checkout: the folder of an editable installation.
        path: the file or folder on this machine that `url` or `checkout` names.
        secret: the URL had a name, a password or a query, which are left out.
    """

    version: str
    url: str = ""
    checkout: Path | None = None
    path: Path | None = None
    secret: bool = False

    @property
    def gone(self) -> bool:
        """True where the file or folder is no longer there."""
        return self.path is not None and not self.path.exists()

    @property
    def local_repository(self) -> bool:
        """True for a repository on this machine, which pip before 24.1 takes no requirement of."""
        return self.path is not None and self.url.partition("+")[2].startswith("file:")

    def exact(self, extra: str = "") -> str:
        """Return the requirement that what is installed fulfils: `edgeinfer[host]==0.1.0`."""
        return f"{_named(extra)}=={self.version}"

    def requirement(self, extra: str = "") -> str:
        """Return the requirement that brings this very edgeinfer; not as an editable one."""
        if self.checkout is not None:
            return f"{_named(extra)} @ {self.checkout.as_uri()}"
        return f"{_named(extra)} @ {self.url}" if self.url else self.exact(extra)

    def arguments(self, extra: str = "") -> tuple[str, ...]:
        """Return what follows `pip install` to get this very edgeinfer, with an extra.

        From an index it is pinned to the version that is here: without that, pip might bring
        another one, or another's package of that name.
        """
        if self.checkout is not None:
            return ("-e", f"{self.checkout}[{extra}]" if extra else str(self.checkout))
        return (self.requirement(extra),)


def installed_source(installed: metadata.Distribution | None = None) -> Source:
    """Return the source of the edgeinfer that runs.

    Args:
        installed: another installation, for tests.
    """
    try:
        installed = installed or metadata.distribution(DISTRIBUTION)
        return read_source(installed.version, installed.read_text("direct_url.json") or "")
    except (metadata.PackageNotFoundError, OSError, UnicodeError):
        return Source(version="")


def read_source(version: str, direct_url: str) -> Source:
    """Read `direct_url.json`; what is absent or damaged counts as an index.

    Args:
        version: of what is installed.
        direct_url: the file's text.
    """
    try:
        told = json.loads(direct_url)
        url = urlsplit(told["url"])
        path = _local_path(url)
        subdirectory = str(told.get("subdirectory") or "")
        if _part(told, "dir_info").get("editable") is True and path is not None:
            checkout = path / unquote(subdirectory)
            return Source(version=version, checkout=checkout, path=checkout)
        text, secret = _shown(url, path)
        text = _with_revision(text, told)
        if not text.isascii() or not text.isprintable() or " " in text:
            return Source(version=version)
        fragments = [f"subdirectory={subdirectory}"] if subdirectory else []
        # A file on this machine may have been built again; what an address gives must not change.
        if path is None and (digest := _part(_part(told, "archive_info"), "hashes").get("sha256")):
            fragments.append(f"sha256={digest}")
        text += "#" * bool(fragments) + "&".join(fragments)
        return Source(version=version, url=text, path=path, secret=secret)
    except (ValueError, LookupError, TypeError, AttributeError):
        return Source(version=version)


def _named(extra: str) -> str:
    return f"{DISTRIBUTION}[{extra}]" if extra else DISTRIBUTION


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a table of the file; empty where it is absent."""
    part = told.get(name)
    return part if isinstance(part, dict) else {}


def _local_path(url: SplitResult) -> Path | None:
    if url.scheme != "file" or url.netloc not in ("", "localhost"):
        return None
    path = Path(unquote(url.path, errors="surrogateescape"))
    return path if path.is_absolute() else None


def _shown(url: SplitResult, path: Path | None) -> tuple[str, bool]:
    """Return a URL without what may be secret, and whether something is left out."""
    if path is not None:
        return path.as_uri(), False
    user, at, host = url.netloc.rpartition("@")
    # `git` is not a secret: every user of a Git server has it with SSH, and it must be there.
    if at and (url.scheme, user) == ("ssh", "git"):
        user, host = "", url.netloc
    return f"{url.scheme}://{host}{url.path}", bool(user or url.query)


def _with_revision(url: str, told: dict[str, Any]) -> str:
    """Return the URL as a requirement names it: of a repository, the commit that is installed."""
    info = _part(told, "vcs_info")
    if not info:
        return url
    if info["vcs"] not in _VERSION_CONTROL:
        raise ValueError(f"unknown version control {info['vcs']!r}")
    return f"{info['vcs']}+{url}@{info['commit_id']}"
