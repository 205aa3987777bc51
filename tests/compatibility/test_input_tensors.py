"""The input tensors of 57 cases, of which an earlier commit noted the hashes.

The cases are those of `tests/system/emulated/replay.py`, which runs on ARM too: camera formats,
frames, crop policies, kernels, channels and dtypes. What is compared is what the tensors hold,
in all ways that they are made here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.compatibility.stored import INPUT_TENSORS, read_json, sha256
from tests.system.emulated import frames as emulated
from tests.system.environments import unavailable


def test_the_tensors_are_what_they_were(sample_bundle: Path, tmp_path: Path) -> None:
    stored = read_json(INPUT_TENSORS)
    frames = emulated.make_frames()
    drawn = {name: sha256(frame.tobytes()) for name, frame in frames.items()}
    assert drawn == stored["frames"], "numpy draws other frames: the tensors cannot be compared"
    np.savez(tmp_path / "frames.npz", **frames)

    replay = Path(emulated.__file__).with_name("replay.py")
    done = subprocess.run(
        [sys.executable, "-P", replay, "tensors", sample_bundle, "frames.npz"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    implementations = {name for hashes in found.values() for name in hashes}
    for implementation in implementations:
        made = {case: hashes[implementation] for case, hashes in found.items()}
        # Of what that commit did not have yet, the implementations must agree with each other.
        expected = {case: hashes["numpy"] for case, hashes in found.items()} | stored["tensors"]
        assert made == expected, implementation
    # Cases that were the same by mistake would prove less than they seem to.
    assert len({*stored["tensors"].values()}) == len(stored["tensors"]) == 57
    assert "numpy" in implementations
    if implementations == {"numpy"}:
        unavailable("the native kernels are not built: numpy's tensors alone were compared")
