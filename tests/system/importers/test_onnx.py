"""onnx2tf itself, installed by edgeinfer: one run with the network, all others without it."""

from __future__ import annotations

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
import numpy as np, onnx, sys
from onnx import TensorProto as T, helper as h, numpy_helper as n
r = np.random.default_rng(0)
def save(name, nodes, inputs, outputs, weights=(), kind=T.FLOAT):
    info = h.make_tensor_value_info
    graph = h.make_graph(
        nodes, "g", [info(k, kind, s) for k, s in inputs.items()],
        [info(k, T.FLOAT, s) for k, s in outputs.items()], list(weights))
    model = h.make_model(
        graph, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("mine", 1)])
    model.ir_version = 8
    onnx.save(model, sys.argv[1] + "/" + name)
def head(before):
    given = before[-1].output[0] if before else "x"
    return [*before, h.make_node("Conv", [given, "k", "b"], ["c"]),
            h.make_node("Relu", ["c"], ["r"]), h.make_node("GlobalAveragePool", ["r"], ["p"]),
            h.make_node("Flatten", ["p"], ["y"])]
w = [n.from_array(r.normal(size=(5, 3, 3, 3)).astype(np.float32), "k"),
     n.from_array(r.normal(size=5).astype(np.float32), "b")]
turn = [h.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])]
save("varies.onnx", head([]), {"x": ["N", 3, "H", "W"]}, {"y": ["N", 5]}, w)
save("batch.onnx", head([]), {"x": [8, 3, 16, 24]}, {"y": [8, 5]}, w)
save("last.onnx", head(turn), {"x": [1, 16, 24, 3]}, {"y": [1, 5]}, w)
save("two.onnx", [h.make_node("Add", ["x", "z"], ["y"])],
     {"x": [1, 3, 8, 8], "z": [1, 3, 8, 8]}, {"y": [1, 3, 8, 8]})
save("own.onnx", [h.make_node("Frobnicate", ["x"], ["y"], domain="mine")],
     {"x": [1, 3, 8, 8]}, {"y": [1, 5]})
save("bytes.onnx", [h.make_node("Cast", ["x"], ["y"], to=T.FLOAT)],
     {"x": [1, 3, 8, 8]}, {"y": [1, 3, 8, 8]}, kind=T.UINT8)
big = n.from_array(r.normal(size=(5, 3, 3, 3)).astype(np.float32), "k")
save("outside.onnx", head([]), {"x": [1, 3, 16, 24]}, {"y": [1, 5]}, [big, w[1]])
m = onnx.load(sys.argv[1] + "/outside.onnx")
onnx.save(m, sys.argv[1] + "/outside.onnx", save_as_external_data=True, location="weights.bin",
          size_threshold=0)
content = open(sys.argv[1] + "/last.onnx", "rb").read()
open(sys.argv[1] + "/damaged.onnx", "wb").write(content[: len(content) // 2])
open(sys.argv[1] + "/junk.onnx", "wb").write(b"this is not a model" * 9)
"""


@pytest.fixture(scope="module")
def prototype(shared_data: Path) -> Path:
    folder = shared_data.parent / "prototypes" / "torch_in"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: this test needs its ONNX model and its reference")
    return folder


@pytest.fixture(scope="module")
def installed(workshop: Workshop, prototype: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the first run says, which installs onnx2tf."""
    out = tmp_path_factory.mktemp("first") / "net.edgebundle"
    first = workshop.convert(prototype / "net.onnx", out, offline=False)
    assert first.code == 0, first.said
    second = workshop.convert(prototype / "net.onnx", out.with_name("again.edgebundle"))
    assert second.code == 0, second.said
    assert "not installed yet" not in second.said
    return (
        f"onnx2tf: first run {first.time_s:.0f} s, {workshop.size_mb('onnx2tf'):,} MB; second, "
        f"offline, {second.time_s:.1f} s\n{first.said}"
    )


def test_the_first_run_says_what_it_installs(
    installed: str, workshop: Workshop, pytestconfig: pytest.Config
) -> None:
    tell(pytestconfig, "importers", installed.splitlines()[0])
    assert (
        "onnx2tf, which reads ONNX models, is not installed yet: about 570 MB go into" in installed
    )
    assert abs(workshop.size_mb("onnx2tf") - 570) < 100
    env = {"XDG_CACHE_HOME": str(workshop.cache)}
    assert "onnx2tf" in edgeinfer("doctor", env=env).stdout


def test_the_float_model_answers_as_the_original(
    installed: str, workshop: Workshop, prototype: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    out = tmp_path / "float.edgebundle"
    done = workshop.convert(prototype / "net.onnx", out, "--precision", "float32")
    assert done.code == 0, done.said
    reference = np.load(prototype / "reference.npz")
    got, taken, given = answers(out, reference["x"].transpose(0, 2, 3, 1))
    difference = float(np.abs(got - reference["y"]).max())
    tell(pytestconfig, "importers", f"onnx2tf: float differs by {difference:.1e} from the original")
    assert difference < 1e-4
    assert (taken, given) == ("image", "logits")


def test_the_int8_bundle_verifies(
    installed: str, workshop: Workshop, prototype: Path, tmp_path: Path
) -> None:
    out = tmp_path / "net.edgebundle"
    assert workshop.convert(prototype / "net.onnx", out).code == 0
    done = edgeinfer("verify", "--model", out)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def models(installed: str, workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    command = [str(workshop.python("onnx2tf")), "-I", "-c", WRITE, str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("varies.onnx", ("--input-size", "24x16")),
        ("last.onnx", ()),
        ("outside.onnx", ()),
        ("last.onnx", ("--input-size", "24x16")),
    ],
)
def test_other_layouts(
    name: str, options: tuple[str, ...], models: Path, workshop: Workshop, tmp_path: Path
) -> None:
    out = tmp_path / "net.edgebundle"
    done = workshop.convert(models / name, out, "--precision", "float32", *options)
    assert done.code == 0, done.said
    got, taken, given = answers(out, np.zeros((1, 16, 24, 3), np.float32))
    assert got.shape == (1, 5)
    assert (taken, given) == ("x", "y")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("varies.onnx", (), "with sizes that vary, expected a size; choose it with --input-size"),
        (
            "last.onnx",
            ("--input-size", "32x32"),
            "a fixed size, expected 32x32, as --input-size says",
        ),
        ("batch.onnx", (), "its batch is 8, expected 1; export it with a batch of 1"),
        ("two.onnx", (), "has 2 inputs (x, z), expected one, the picture"),
        ("bytes.onnx", (), "of type 2, expected float32"),
        ("own.onnx", (), "onnx2tf cannot convert it"),
        ("damaged.onnx", (), "cannot be read as ONNX"),
        ("junk.onnx", (), "cannot be read as ONNX"),
        ("last.onnx", ("--import-timeout", "0.1"), "onnx2tf did not end within 0.1 s"),
    ],
)
def test_what_is_refused(
    name: str,
    options: tuple[str, ...],
    message: str,
    models: Path,
    workshop: Workshop,
    tmp_path: Path,
) -> None:
    done = workshop.convert(models / name, tmp_path / "net.edgebundle", *options)
    assert done.code == 1
    (line,) = (each for each in done.said.splitlines() if each.startswith("error: "))
    assert line.startswith(f"error: {models / name}: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []
