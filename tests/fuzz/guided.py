"""Runs a target under atheris, which keeps inputs that reach new code and changes those further."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import Fault, load_target
from tests.support.checkout import ROOT

_TIMEOUT_S = 20
_MEMORY_MIB = 2048


def run_guided(name: str, *, attempts: int, seed: int) -> list[Fault]:
    """Return the fault that ended the run, if there is one; it needs atheris.

    Args:
        name: the target's.
        attempts: how many inputs.
        seed: of the changes; what is found depends on the processor's time, too.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus, kept = Path(folder) / "corpus", Path(folder) / "kept"
        for place in (corpus, kept):
            place.mkdir()
        for number, data in enumerate(load_target(name).seeds()):
            (corpus / str(number)).write_bytes(data)
        command = [
            *(sys.executable, "-m", "tests.fuzz.with_atheris", name, str(corpus)),
            *(f"-runs={attempts}", f"-seed={seed + 1}", f"-artifact_prefix={kept}/"),
            *(f"-timeout={_TIMEOUT_S}", f"-rss_limit_mb={_MEMORY_MIB}", "-verbosity=0"),
        ]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        found = sorted(kept.iterdir())
        data = found[0].read_bytes() if found else b""
    if done.returncode == 0:
        return []
    return [Fault(number=-1, data=data, trace=done.stdout[-4000:].decode(errors="replace"))]
