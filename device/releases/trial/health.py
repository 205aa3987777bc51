"""Whether a release that was just started answers as it should."""

from __future__ import annotations

from typing import Any

from edgeinfer.device.releases.systemd.manager import ServiceState
from edgeinfer.device.releases.trial.status import age_s, whole

FRESH_S = 10.0
"""The newest answer is not older than this."""


def answers_of(service: ServiceState, status: dict[str, Any] | None) -> int:
    """Return how many answers the service's own process gave, 0 where none is fresh."""
    if service.pid == 0 or whole(status, "pid") != service.pid or age_s(status) > FRESH_S:
        return 0
    return whole(status, "answers")


def is_healthy(service: ServiceState, status: dict[str, Any] | None) -> bool:
    """Return whether a service is ready and answers."""
    return service.active == "active" and answers_of(service, status) > 0


class HealthWatch:
    """Judges a start of the service, from outside of it.

    Healthy is: ready, and at least `frames` answers by one and the same process, the newest not
    older than `FRESH_S`. A process that ends, or that another one follows, is not.

    Args:
        frames: how many answers.
        before: the service as it was before it was started.
    """

    def __init__(self, frames: int, before: ServiceState) -> None:
        self._frames = frames
        self._before = before.invocation
        self.invocation = ""
        """The start that is judged; empty until the service manager began it."""
        self.answers = 0
        self.failure = ""
        """Why it is not healthy; empty while it may be."""

    def look(self, service: ServiceState, status: dict[str, Any] | None) -> bool:
        """Take the service as it is now; return whether it is healthy."""
        if not self.invocation:
            if service.invocation in ("", self._before) or service.pid == 0:
                if service.active == "failed":
                    self.failure = _how_it_ended(service)
                return False
            self.invocation = service.invocation
        if service.invocation != self.invocation:
            self.failure = "it ended and was started again"
        elif service.pid == 0 or service.active in ("failed", "inactive", "deactivating"):
            self.failure = _how_it_ended(service)
        if self.failure:
            return False
        self.answers = max(self.answers, answers_of(service, status))
        return service.active == "active" and answers_of(service, status) >= self._frames

    def too_late(self, service: ServiceState, seconds: float) -> str:
        """Say why it was not healthy in the time that it had."""
        if not self.invocation:
            return f"the service was not started within {seconds:g} s"
        if service.active != "active":
            return f"no answer within {seconds:g} s"
        return f"{self.answers} answers within {seconds:g} s, expected {self._frames} fresh ones"


def _how_it_ended(service: ServiceState) -> str:
    if service.result == "exit-code":
        return f"it ended with exit code {service.exit_code}"
    if service.result in ("signal", "core-dump"):
        return f"it was ended by signal {service.exit_code}"
    if service.result == "watchdog":
        return "it hung and was ended by the watchdog"
    if service.result == "oom-kill":
        return "it took more memory than it may, or than there was (MemoryMax of its unit)"
    return f"it ended ({service.result or service.sub})"
