"""What must be true before anything on a board is changed; each error is one sentence."""

from __future__ import annotations

import datetime
import shlex
from pathlib import Path

from edgeinfer.boards.profile import BoardProfile
from edgeinfer.boards.systems import same_architecture
from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import BundleError, RemoteError
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.board.facts import BoardFacts
from edgeinfer.host.flashing.run_options import RunOptions

KEPT_FREE_BYTES = 64 << 20
"""Space that the agent leaves free for the system."""

_CLOCK_REFUSED_S = 30 * 86400
_CLOCK_NOTED_S = 300
_OLDEST_SYSTEMD = 240
"""The first version with all that the units need; Debian 10 has 241."""

_UNPACKED = 3.5
"""How much more space installed packages take than their wheels: measured, 98 MB became 313."""


def check_bundle(
    path: Path, manifest: ModelManifest, profile: BoardProfile, options: RunOptions
) -> None:
    """Refuse a bundle that was made for another board, unless the run options name a variant.

    Raises:
        BundleError: it has no variant for the board's accelerator, or only for other accelerators.
    """
    if options.variant is not None:
        if options.variant not in manifest.variants:
            raise BundleError(
                path,
                got=f"has no variant '{options.variant}', which the run options name",
                expected=f"one of {', '.join(sorted(manifest.variants))}",
            )
        return
    found = {
        name: variant.delegate
        for name, variant in manifest.variants.items()
        if variant.delegate is not None and not named_accelerator(variant.delegate).boardless
    }
    wanted = profile.accelerator
    fits = wanted in found.values() and (not profile.npu or profile.npu in found)
    if fits if wanted else not found:
        return
    anyway = "or take its CPU variant: add `-- --variant cpu`"
    if wanted:
        raise BundleError(
            path,
            got=f"has no variant for {profile.title} ({profile.npu or wanted})",
            expected=f"one, not only {', '.join(sorted(manifest.variants))}",
            next_step=f"convert it with `--board {profile.name}`, {anyway}",
        )
    raise BundleError(
        path,
        got=f"was made for a board with an accelerator ({', '.join(sorted(found))})",
        expected=f"a bundle for {profile.title}, which has none",
        next_step=f"convert it without that board, {anyway}",
    )


def check_board(
    facts: BoardFacts,
    profile: BoardProfile,
    host: str,
    *,
    device_tree: tuple[str, ...],
    now_s: float,
) -> None:
    """Refuse a board that is not the named one, or that cannot run a release.

    Args:
        facts: the board's facts.
        profile: the board that it should be.
        host: its name, for the errors.
        device_tree: texts with which its own name may begin; empty for any name.
        now_s: this machine's clock when the board was asked, seconds since 1970.

    Raises:
        RemoteError: something is wrong.
    """
    _check_machine(facts, profile, host, device_tree)
    _check_system(facts, host)
    _check_clock(facts, host, now_s)
    if not facts.writable:
        raise RemoteError(
            host,
            got="its disk is mounted read-only",
            expected="a disk that can be written",
            next_step="look at `dmesg` there: a failing card becomes read-only",
        )


def check_root(facts: BoardFacts, board: Board) -> None:
    """Refuse if the user who logs in cannot become root.

    Raises:
        RemoteError: the user cannot, or `sudo` does not accept the password.
    """
    if facts.sudo in ("unneeded", "free"):
        return
    if facts.sudo == "password" and board.has_password:
        if board.check_password():
            return
        raise RemoteError(
            board.name,
            got="sudo does not take the password",
            expected="the password of the user who logs in there",
        )
    got, next_step = {
        "password": ("sudo asks for a password", "run it again with --ask-sudo-password"),
        "refused": (
            "sudo refuses this user",
            "log in as a user who may use it, or let an administrator add this user there: "
            "sudo usermod -aG sudo USER",
        ),
        "absent": ("has no sudo", "install it there, or log in as root"),
    }[facts.sudo]
    raise RemoteError(
        board.name, got=got, expected="a user who may become root there", next_step=next_step
    )


def check_place(facts: BoardFacts, host: str) -> None:
    """Refuse a folder there that users other than root may change: root runs programs in it.

    Raises:
        RemoteError: there is one.
    """
    if not facts.unsafe:
        return
    owner, mode, path = (*facts.unsafe.split(" ", 2), "", "")[:3]
    name = shlex.quote(path)
    raise RemoteError(
        host,
        got=f"its {path} belongs to user {owner} and has mode {mode}",
        expected="owned by root, and no other user may write there: root runs what is in it",
        next_step="see what is in it, then run there: "
        f"sudo chown --no-dereference root:root {name} && sudo chmod go-w {name}",
    )


def clock_note(facts: BoardFacts, now_s: float) -> str:
    """Return a note about a clock that is a little wrong; empty if it is right."""
    if abs(facts.clock_s - now_s) <= _CLOCK_NOTED_S:
        return ""
    return (
        f"its clock is {_difference(facts.clock_s - now_s)}: answers and recordings carry its time"
    )


def check_space(facts: BoardFacts, host: str, *, files: int, packed: int) -> None:
    """Refuse if there is not enough space.

    Args:
        facts: the board's facts.
        host: its name.
        files: bytes that are sent.
        packed: how many of these bytes are also unpacked.

    Raises:
        RemoteError: there is too little space.
    """
    needed = files + packed * _UNPACKED + KEPT_FREE_BYTES
    if files and facts.free_bytes < needed:
        raise RemoteError(
            host,
            got=f"has {facts.free_bytes / 1e6:,.0f} MB free",
            expected=f"{needed / 1e6:,.0f} MB for this release, 67 of them kept free",
            next_step="free some space there, for example with `sudo apt clean`",
        )


def _check_machine(
    facts: BoardFacts, profile: BoardProfile, host: str, device_tree: tuple[str, ...]
) -> None:
    known = {profile.architecture, *(system.architecture for system in profile.systems)}
    mine = {facts.machine, facts.architecture}
    if not any(same_architecture(one, other) for one in known for other in mine) and known != {
        "any"
    }:
        raise RemoteError(
            host,
            got=f"is a machine of architecture {facts.machine or 'unknown'}",
            expected=f"{profile.architecture}, as {profile.title} has",
            next_step="name its board with --board; `edgeinfer boards` lists them",
        )
    if device_tree and not facts.model.startswith(device_tree):
        raise RemoteError(
            host,
            got=f"says that it is '{facts.model}'"
            if facts.model
            else "does not say which board it is",
            expected=profile.title,
            next_step="check the host's name, or name its board with --board",
        )


def _check_system(facts: BoardFacts, host: str) -> None:
    if not facts.systemd_runs or facts.systemd < _OLDEST_SYSTEMD:
        raise RemoteError(
            host,
            got=f"runs systemd {facts.systemd}" if facts.systemd_runs else "does not run systemd",
            expected=f"systemd {_OLDEST_SYSTEMD} or newer, which starts the service and watches it",
        )


def _check_clock(facts: BoardFacts, host: str, now_s: float) -> None:
    difference_s = facts.clock_s - now_s
    if abs(difference_s) > _CLOCK_REFUSED_S:
        day = datetime.datetime.fromtimestamp(facts.clock_s, datetime.timezone.utc)
        raise RemoteError(
            host,
            got=f"its clock says {day:%Y-%m-%d}, {_difference(difference_s)}",
            expected="about this machine's: answers, recordings and logs would carry that time",
            next_step=f"set it there: sudo date -s @{now_s:.0f}",
        )


def _difference(seconds: float) -> str:
    """Return how wrong a clock is, in the unit that people would use."""
    units = ((365.25 * 86400, "years"), (86400, "days"), (3600, "hours"), (60, "minutes"))
    size, unit = next((s, u) for s, u in units if abs(seconds) >= 2 * s or s == 60)
    return f"{abs(seconds) / size:.0f} {unit} {'ahead' if seconds > 0 else 'behind'}"
