"""The program `run` of a release, which the service starts."""

from __future__ import annotations

import shlex
from pathlib import Path

from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.releases.install import camera_file
from edgeinfer.device.releases.install.spec import ReleaseSpec

# The release is found once, without the link `current`: a process is of one release, whenever the
# link is turned.
_RUN = """\
#!/bin/sh
release=$(cd "$(dirname "$0")" && pwd -P) || exit 1
exec {program} run {options} --model "$release/bundle.edgebundle" \\
    --output "status:${{RUNTIME_DIRECTORY:-/run/edgeinfer}}/status.json"
"""
_PROGRAM = '"$release/package/bin/edgeinfer"'
_CAMERA = f'--camera-url-file "$release/{camera_file.NAME}"'

# Packages of releases that were installed before `--camera-url-file` know only `--camera`. Their
# program gets it as if on its command line, which others would see.
_OLD_PROGRAM = """\
"$release/package/bin/python" -I -c '
import runpy, sys
sys.dont_write_bytecode = True
release, *options = sys.argv[1:]
with open(release + "/camera-url") as file:
    options += ["--camera", file.read().strip()]
sys.argv = [release + "/package/bin/edgeinfer", *options]
runpy.run_path(sys.argv[0], run_name="__main__")
' "$release" """


def write_run(folder: Path, spec: ReleaseSpec, *, knows_file: bool = True) -> None:
    """Write the program into a release's folder; it appears whole or not at all.

    Args:
        folder: the release's, where the camera's file is already if the camera is secret.
        spec: what the release consists of.
        knows_file: its package knows `--camera-url-file`.

    Raises:
        StorageError: it cannot be written.
    """
    program, options = _PROGRAM, [shlex.join(spec.run)] if spec.run else []
    if spec.camera_url and knows_file:
        options.append(_CAMERA)
    elif spec.camera_url:
        program = _OLD_PROGRAM
    with atomic_file(folder / "run", mode=0o755) as file:
        file.write(_RUN.format(program=program, options=" ".join(options)).encode())
