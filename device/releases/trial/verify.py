"""`edgeinfer verify` of a release, before anything is switched."""

from __future__ import annotations

import os
import pwd
import signal
from typing import Any

from edgeinfer.device.core.processes import run_to_end
from edgeinfer.device.releases.install.release import BUNDLE, Release
from edgeinfer.device.releases.paths import USER, Layout


def verify(layout: Layout, release: Release, user: str = USER) -> str:
    """Replay a release's golden frames with its own package; return why it fails, or "".

    It runs as the service's user with that user's groups, so that an accelerator is opened as the
    service would; never as root. In the trial's service it is as shut in as that is.
    """
    try:
        who = _as_user(user)
    except KeyError:
        return f"verify is not run: there is no user {user}; run `releases.pyz setup`"
    folder = layout.release(release.number)
    command = [str(folder / "package" / "bin" / "edgeinfer"), "verify", str(folder / BUNDLE)]
    try:
        done = run_to_end(
            command,
            limit_s=release.spec.verify_timeout_s,
            cwd=layout.data if layout.data.is_dir() else "/",
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(layout.data),
                "LC_ALL": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            **who,
        )
    except OSError as error:
        return f"verify does not run ({error})"
    if done.end.code == 0:
        return ""
    if done.end.signal == signal.SIGKILL:
        return "verify was ended: it took more memory than it may, or than there was (signal 9)"
    if done.end.code is None or done.end.signal is not None:
        return f"verify {done.end.text}"
    said = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("error: ")] or said
    reason = errors[-1].removeprefix("error: ") if errors else done.end.text
    return f"verify failed: {reason}"


def _as_user(name: str) -> dict[str, Any]:
    """Return how root starts a process as a user; a KeyError where there is none of that name."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(name)
    from edgeinfer.device.releases.systemd.units import present_groups

    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": present_groups()}
