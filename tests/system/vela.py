"""vela in its own environment, as docs/accelerators/ethos-u.md installs it; made once."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.own_folders import kept_cache
from tests.system.environments import clean_environ, find_python, unavailable

REQUIREMENT = "ethos-u-vela==5.2.0"


def cached_vela() -> Path:
    """Return the program, installed at the first call; skip where pip cannot install it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = find_python(version)
    if python is None:
        unavailable(f"no Python {version} with ensurepip")
    home = kept_cache()
    home.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(f"{REQUIREMENT} {python}".encode()).hexdigest()[:16]
    folder, stamp = home / f"vela-{digest}", home / f"vela-{digest}.complete"
    # An environment cannot be renamed, so a stamp tells a whole one from an incomplete one.
    with (home / f"vela-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and (folder / "bin" / "vela").exists()):
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([python, "-m", "venv", folder], check=True, env=clean_environ())
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
            done = subprocess.run(
                [*pip, "install", "--quiet", REQUIREMENT],
                capture_output=True,
                text=True,
                check=False,
                env=clean_environ(),
            )
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                unavailable(f"pip cannot install {REQUIREMENT} ({last})")
            stamp.touch()
    return folder / "bin" / "vela"
