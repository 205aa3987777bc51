"""Importers that misbehave: small programs, run as real processes in the importer's place."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edgeinfer.converters.importers.environment import EnvironmentPlan
from edgeinfer.converters.importers.run import MARK
from edgeinfer.device.core.installation.stamps import STAMP_FILE
from tests.converters.importers.tiny_float import tiny_float

GOOD = {"difference": 1e-8, "scale": 0.5}

_HEAD = f"""
import json, os, signal, subprocess, sys, time
from pathlib import Path
job = json.loads(sys.argv[-1])
output = Path(job["output"])
def answer(**parts):
    print({MARK!r} + json.dumps(parts), flush=True)
"""


def fake_program(path: Path, code: str) -> Path:
    """Write an importer's program; `job`, `output` and `answer(...)` are there for its code."""
    path.write_text(_HEAD + code, encoding="utf-8")
    return path


def good_code(folder: Path) -> str:
    """Return the code of a program that writes a model and answers as it should."""
    model = folder / "good.tflite"
    model.write_bytes(tiny_float())
    return f"output.write_bytes(Path({str(model)!r}).read_bytes()); answer(**{GOOD!r})"


def fake_environment(plan: EnvironmentPlan, home: Path, code: str) -> Path:
    """Make an environment that counts as complete, whose Python runs this code instead.

    Args:
        plan: what it seems to hold.
        home: where environments are.
        code: see `fake_program`.
    """
    folder = home / plan.name
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f"#!{sys.executable} -I\n{_HEAD}{code}\n", encoding="utf-8")
    python.chmod(0o755)
    stamp = {"name": plan.name, "purpose": plan.purpose, "virtual": True, "size_mb": 1}
    content = json.dumps({**stamp, "packages": list(plan.packages)})
    (folder / STAMP_FILE).write_text(content, encoding="utf-8")
    return folder
