"""Where everything of a board's releases is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PREFIX = Path("/var/lib/edgeinfer")
USER = "edgeinfer"
SERVICE = "edgeinfer.service"
SETTLE = "edgeinfer-settle.service"
TRIAL = "edgeinfer-trial.service"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths below one prefix; docs/flash.md, "Files on the board", says what each is.

    Attributes:
        prefix: the folder that holds all of it; on a disk.
        run: what a reboot removes; a tmpfs.
        units: where the service manager looks for units.
    """

    prefix: Path = PREFIX
    run: Path = Path("/run")
    units: Path = Path("/etc/systemd/system")

    @property
    def agent(self) -> Path:
        """The agent's zipapp."""
        return self.prefix / "releases.pyz"

    @property
    def store(self) -> Path:
        """Complete files, each under its SHA-256."""
        return self.prefix / "store"

    @property
    def packages(self) -> Path:
        """Virtual environments, each under the key of its wheels."""
        return self.prefix / "packages"

    @property
    def releases(self) -> Path:
        """Releases, each under its number."""
        return self.prefix / "releases"

    @property
    def current(self) -> Path:
        """A link to the release that runs."""
        return self.prefix / "current"

    @property
    def previous(self) -> Path:
        """A link to the confirmed release before it."""
        return self.prefix / "previous"

    @property
    def trial(self) -> Path:
        """There while the current release is on trial."""
        return self.prefix / "trial.json"

    @property
    def history(self) -> Path:
        """What happened, the last of it."""
        return self.prefix / "history.jsonl"

    @property
    def setup(self) -> Path:
        """What `setup` made outside of the prefix, for `remove`."""
        return self.prefix / "setup.json"

    @property
    def lock(self) -> Path:
        """Held by the program that changes something."""
        return self.prefix / "lock"

    @property
    def data(self) -> Path:
        """The loop's working directory, its user's own."""
        return self.prefix / "data"

    @property
    def status(self) -> Path:
        """What the loop says of itself; written by its user, so not to be trusted."""
        return self.run / "edgeinfer" / "status.json"

    @property
    def requests(self) -> Path:
        """How `try` and the trial's service exchange messages."""
        return self.run / "edgeinfer-trial"

    @property
    def request(self) -> Path:
        """What is to be tried."""
        return self.requests / "request.json"

    @property
    def outcome(self) -> Path:
        """How it ended."""
        return self.requests / "outcome.json"

    def arguments(self) -> list[str]:
        """Return the agent's options that make this layout."""
        default = Layout()
        given = (
            ("--prefix", self.prefix, default.prefix),
            ("--run", self.run, default.run),
            ("--units", self.units, default.units),
        )
        return [
            text for option, path, usual in given if path != usual for text in (option, str(path))
        ]

    def release(self, number: int) -> Path:
        """Return the folder of a release."""
        return self.releases / str(number)

    def linked(self, link: Path) -> int | None:
        """Return the number of the release that `current` or `previous` leads to, if one."""
        try:
            name = Path(os.readlink(link)).name
        except OSError:
            return None
        return int(name) if name.isascii() and name.isdigit() else None
