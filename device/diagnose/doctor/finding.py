"""Finding: one thing that was checked, whether it is in order, and what to type if not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from edgeinfer.device.core.errors import EdgeinferError, printable
from edgeinfer.device.diagnose.doctor.child import ChildEnd
from edgeinfer.device.diagnose.doctor.system import System

State = Literal["ok", "note", "broken"]
"""`note`: it works, or is not needed, but is worth knowing."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found about one subject.

    Attributes:
        subject: what it is about.
        state: whether it is in order.
        got: what was found.
        expected: what should have been found; may be empty if `got` says it all.
        fix: what to do about it, with the command to type; never empty if it is broken.
    """

    subject: str
    state: State
    got: str
    expected: str = ""
    fix: str = ""

    def __post_init__(self) -> None:
        """Refuse a fault without a fix; keep every text on one line."""
        if self.state == "broken" and not self.fix:
            raise ValueError(f"{self.subject} is broken ({self.got}), expected a fix")
        for name in ("subject", "got", "expected", "fix"):
            object.__setattr__(self, name, printable(getattr(self, name)))


class Check(Protocol):
    """Looks at one subject, in limited time; if it cannot find something out, that is not an error.

    Attributes:
        title: the heading.
    """

    @property
    def title(self) -> str:
        """The subject."""

    def run(self, system: System) -> Sequence[Finding]:
        """Look, change nothing, and return what was found."""


def ok(subject: str, got: str) -> Finding:
    """Return a finding that is in order."""
    return Finding(subject=subject, state="ok", got=got)


def note(subject: str, got: str, *, expected: str = "", fix: str = "") -> Finding:
    """Return a finding that is worth knowing and breaks nothing."""
    return Finding(subject=subject, state="note", got=got, expected=expected, fix=fix)


def broken(subject: str, got: str, *, fix: str, expected: str = "") -> Finding:
    """Return a fault."""
    return Finding(subject=subject, state="broken", got=got, expected=expected, fix=fix)


def from_error(error: EdgeinferError, *, subject: str = "", fix: str = "") -> Finding:
    """Return a command's error as a fault.

    Args:
        error: what was raised.
        subject: what it is about; empty for the error's own subject.
        fix: what to do if the error does not say.
    """
    return broken(
        subject or error.subject, error.got, expected=error.expected, fix=error.next_step or fix
    )


def fault_of(end: ChildEnd, subject: str, *, fix: str) -> Finding:
    """Return the error that a probe reported, or how it ended, as a fault.

    Args:
        end: how the probe ended.
        subject: what it was about.
        fix: what to do if the error does not say.
    """
    error = end.facts.get("error")
    if not error:
        return broken(subject, f"does not work ({end.reason})", fix=fix)
    return broken(subject, error["got"], expected=error["expected"], fix=error["next_step"] or fix)
