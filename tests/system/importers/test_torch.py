"""litert-torch itself, installed by edgeinfer: one run with the network, all others without it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support.program import edgeinfer
from tests.support.told import tell
from tests.system.importers.answers import answers
from tests.system.importers.conftest import Workshop

pytestmark = [pytest.mark.system, pytest.mark.long]

WRITE = """
import sys, numpy as np, torch
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from network import build
network, example = build()
network.eval()
image = torch.rand(example.shape)
np.savez("reference.npz", x=image.numpy(), y=network(image).detach().numpy())
torch.export.save(torch.export.export(network, (example,)), "net.pt2")
torch.save(network.state_dict(), "weights.pth")
torch.save(network.state_dict(), "old.pth", _use_new_zipfile_serialization=False)
torch.save(network, "whole.pt")
torch.jit.trace(network, example).save("script.pt")
"""


@pytest.fixture(scope="module")
def folder(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network's file, and, once litert-torch is installed, all that PyTorch makes of it."""
    folder = tmp_path_factory.mktemp("torch")
    shutil.copy(Path(__file__).with_name("network.py"), folder)
    return folder


@pytest.fixture(scope="module")
def installed(workshop: Workshop, folder: Path) -> str:
    """What the first run says, which installs litert-torch."""
    first = workshop.convert(
        "network.py:build", folder / "first.edgebundle", offline=False, cwd=folder
    )
    assert first.code == 0, first.said
    second = workshop.convert("network.py:build", folder / "second.edgebundle", cwd=folder)
    assert second.code == 0, second.said
    assert "not installed yet" not in second.said
    command = [str(workshop.python("litert-torch")), "-I", "-c", WRITE, str(folder)]
    subprocess.run(command, check=True, cwd=folder)
    return (
        f"litert-torch: first run {first.time_s:.0f} s, {workshop.size_mb('litert-torch'):,} MB; "
        f"second, offline, {second.time_s:.1f} s\n{first.said}"
    )


def test_the_first_run_says_what_it_installs(
    installed: str, workshop: Workshop, folder: Path, pytestconfig: pytest.Config
) -> None:
    tell(pytestconfig, "importers", installed.splitlines()[0])
    assert "litert-torch, which reads PyTorch models, is not installed yet: about" in installed
    assert "network.py:build: your own code runs in the importer's process" in installed
    assert abs(workshop.size_mb("litert-torch") - 2140) < 300
    assert not (folder / "__pycache__").exists()


@pytest.mark.parametrize("model", ["network.py:build", "net.pt2"])
def test_the_float_model_answers_as_the_original(
    model: str,
    installed: str,
    workshop: Workshop,
    folder: Path,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    out = tmp_path / "float.edgebundle"
    done = workshop.convert(model, out, "--precision", "float32", cwd=folder)
    assert done.code == 0, done.said
    reference = np.load(folder / "reference.npz")
    got, _, _ = answers(out, reference["x"].transpose(0, 2, 3, 1))
    difference = float(np.abs(got - reference["y"]).max())
    tell(pytestconfig, "importers", f"litert-torch, {model}: float differs by {difference:.1e}")
    assert difference < 1e-4


def test_the_int8_bundle_verifies(installed: str, folder: Path) -> None:
    for name in ("first.edgebundle", "second.edgebundle"):
        done = edgeinfer("verify", "--model", folder / name)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("network.py:without_example", (), "does not say how large its input is, expected a size"),
        ("network.py:needs_another", (), "needs 'timm', which PyTorch's importer does not have"),
        ("network.py:fails", (), "'fails' failed in line 8"),
        ("network.py:not_a_module", (), "'not_a_module' returned int, expected a torch.nn.Module"),
        ("network.py:absent", (), "has no function 'absent', expected one of build, fails"),
        ("network.py:two_maps", (), "expected a model of single images that edgeinfer reads"),
        (
            "net.pt2",
            ("--input-size", "64x64"),
            "a fixed size, expected 64x64, as --input-size says",
        ),
        ("weights.pth", (), "holds weights alone, without the network's code"),
        ("old.pth", (), "holds weights alone, without the network's code"),
        ("whole.pt", (), "is a pickled module (network.Network), which runs code"),
        ("script.pt", (), "is a TorchScript model"),
    ],
)
def test_what_is_refused(
    model: str,
    options: tuple[str, ...],
    message: str,
    installed: str,
    workshop: Workshop,
    folder: Path,
    tmp_path: Path,
) -> None:
    done = workshop.convert(model, tmp_path / "net.edgebundle", *options, cwd=folder)
    assert done.code == 1, done.said
    (line,) = (each for each in done.said.splitlines() if each.startswith("error: "))
    assert line.startswith(f"error: {model}: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []
