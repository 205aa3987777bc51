"""Files that strangers made to do harm: one line, exit code 1 or 2, soon, in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.runtime import installed_runtimes

HOSTILE = Path(__file__).resolve().parents[2] / "shared" / "cases" / "hostile"
MODELS = sorted(path.name for path in HOSTILE.glob("*.tflite"))
BUNDLES = sorted(path.name for path in HOSTILE.glob("*.edgebundle"))

MOST_MIB = 300
# Generous beside the second or less that each takes: the machine may be busy.
MOST_CPU_S = 20

_MEASURED = """
import json, os, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors="replace")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"code": done.returncode, "stderr": done.stderr, "stdout": done.stdout,
                  "mib": used.ru_maxrss / 1024, "cpu_s": used.ru_utime + used.ru_stime}))
"""

pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"{HOSTILE} is absent")


def measured(*arguments: object, runtime: str) -> dict[str, object]:
    command = [sys.executable, "-P", "-c", _MEASURED]
    command += [sys.executable, "-P", "-m", "edgeinfer.device.cli", *map(str, arguments)]
    done = subprocess.run(
        command,
        env={**os.environ, "EDGEINFER_RUNTIME": runtime},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize("name", MODELS + BUNDLES)
def test_a_hostile_model_is_one_line(name: str, runtime: str, shared_data: Path) -> None:
    path = HOSTILE / name
    commands: list[list[object]] = [["inspect", path]]
    picture = shared_data / "coral" / "cat.bmp"
    commands.append(["predict", "--model", path, picture])
    if runtime == installed_runtimes()[0]:
        commands.append(["run", "--camera", picture, "--model", path, "--max-frames", "1"])
        commands.append(["verify", path])
    for command in commands:
        found = measured(*command, runtime=runtime)
        told = str(found["stderr"]).strip().splitlines()
        assert found["code"] in (1, 2), found
        assert len(told) == 1, told
        assert told[0].startswith("error: "), told
        assert "a defect" not in told[0]
        assert float(str(found["mib"])) < MOST_MIB
        assert float(str(found["cpu_s"])) < MOST_CPU_S
