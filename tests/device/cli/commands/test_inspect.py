"""`edgeinfer inspect` on bundles, on models of our own and of others, and on what is neither."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgeinfer.device.cli.commands.inspect import inspect
from edgeinfer.device.core.errors import (
    BundleError,
    EdgeinferError,
    ModelError,
    StorageError,
    UsageError,
)
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import (
    Number,
    dense_model,
    encode,
    graph,
    operator,
    operator_code,
    quantization,
    tensor,
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(inspect, [str(argument) for argument in arguments])


def text_of(*arguments: str | Path) -> str:
    """What it prints before the table of boards, which has its own tests."""
    result = run(*arguments)
    assert result.exception is None, result.exception
    return result.output.partition("\nboards ")[0]


def json_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text_of(path, "--json"))
    assert document.pop("boards")
    assert document.pop("accelerators")
    return document


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS | {"variants/cpu.tflite": encode(dense_model())})
    return path


def test_a_model_as_text(dense: Path) -> None:
    assert text_of(dense) == (
        f"{dense}: {dense.stat().st_size:,} bytes\n"
        "  description  a dense layer\n"
        "  inputs       image  1 x 4  int8  scale 0.5, zero point -1\n"
        "  outputs      scores  1 x 2  int8  scale 1, zero point 0\n"
        "  operators    1  x  FULLY_CONNECTED v4  8  MACs\n"
        "  arithmetic   integer only\n"
        "  parameters   10 in 16 bytes\n"
        "  MACs         8 an inference\n"
        "  activations  6 bytes at the peak, operator 0 (FULLY_CONNECTED)\n"
        "  signatures   serving_default\n"
        "  metadata     min_runtime_version (5 bytes)\n"
    )


def test_a_model_as_json(dense: Path) -> None:
    assert json_of(dense) == {
        "kind": "tflite",
        "file": str(dense),
        "size_bytes": dense.stat().st_size,
        "description": "a dense layer",
        "inputs": [
            {
                "name": "image",
                "shape": [1, 4],
                "dtype": "int8",
                "scale": 0.5,
                "zero_point": -1,
                "channels": 0,
            }
        ],
        "outputs": [
            {
                "name": "scores",
                "shape": [1, 2],
                "dtype": "int8",
                "scale": 1.0,
                "zero_point": 0,
                "channels": 0,
            }
        ],
        "operators": [{"op": "FULLY_CONNECTED", "version": 4, "count": 1}],
        "custom_ops": [],
        "needs_delegate": None,
        "fully_integer": True,
        "parameters": 10,
        "constant_bytes": 16,
        "macs": 8,
        "peak_activation_bytes": 6,
        "peak_activation_operator": 0,
        "per_operator": [
            {
                "index": 0,
                "op": "FULLY_CONNECTED",
                "macs": 8,
                "output_shape": [1, 2],
                "output_dtype": "int8",
                "alive_bytes": 6,
            }
        ],
        "subgraphs": 1,
        "signatures": ["serving_default"],
        "metadata": [{"name": "min_runtime_version", "size_bytes": 5}],
        "tflite_metadata": None,
        "labels": None,
    }


def test_what_matters_about_a_bundle_comes_first(bundle: Path) -> None:
    assert text_of(bundle) == (
        f"{bundle}: bundle, {bundle.stat().st_size:,} bytes\n"
        "  model     example\n"
        "  task      classification\n"
        "  labels    2: cat | dog's \N{DOG FACE}\n"
        "  frames    2 x 2 rgb, stretch, area\n"
        "  accuracy  int8 top1 50.00 %\n"
        f"  variants  cpu  int8  {len(encode(dense_model())):,} bytes  8 MACs\n"
        "  settings, tensors and operators: --all\n"
    )


def test_all_of_a_bundle(bundle: Path) -> None:
    text = text_of(bundle, "--all")
    for line in (
        f"{bundle}: bundle, {bundle.stat().st_size:,} bytes",
        "  model       example",
        "  labels      2: cat | dog's \N{DOG FACE}",
        "  frames      2 x 2 rgb, stretch, area",
        "  golden      1 frames",
        "  metrics     test.int8.top1  0.5",
        "variant cpu, int8",
        "    operators    1  x  FULLY_CONNECTED v4  8  MACs",
    ):
        assert line in text.splitlines()
    document = json_of(bundle)
    assert document["kind"] == "bundle"
    assert document["manifest"]["labels"] == ["cat", "dog's \N{DOG FACE}"]
    assert document["variants"]["cpu"]["parameters"] == 10


def test_each_operator_on_a_line(dense: Path, bundle: Path) -> None:
    for path in (dense, bundle):
        assert text_of(path, "--ops").splitlines()[-3:] == [
            "operators, first graph",
            "   operator         output        MACs  alive bytes",
            "0  FULLY_CONNECTED  1 x 2   int8     8            6",
        ]


def test_a_bundle_that_decodes_jpegs_smaller_says_so(tmp_path: Path) -> None:
    content = manifest()
    smaller = dataclasses.replace(content.preprocess, jpeg_reduction=4)
    path = tmp_path / "smaller.edgebundle"
    models = {"variants/cpu.tflite": encode(dense_model())}
    write_bundle(path, dataclasses.replace(content, preprocess=smaller), MEMBERS | models)
    frames = "  frames      2 x 2 rgb, stretch, area, JPEGs decoded at down to 1/4"
    assert frames in text_of(path, "--all").splitlines()


def test_a_drawing_and_the_text(dense: Path, bundle: Path, tmp_path: Path) -> None:
    for path in (dense, bundle):
        drawing = tmp_path / f"{path.stem}.svg"
        assert text_of(path, "--graph", drawing) == text_of(path)
        assert f'x="24" y="28">{path.name}</text>' in drawing.read_text()
        assert json.loads(text_of(path, "--json", "--graph", drawing))["file"] == str(path)


def test_a_drawing_has_a_fitting_name_and_place(dense: Path, tmp_path: Path) -> None:
    raised = run(dense, "--graph", tmp_path / "graph.png").exception
    assert isinstance(raised, UsageError)
    assert str(raised).endswith(
        "is not the name of a drawing, expected a file name that ends in .svg"
    )
    raised = run(dense, "--graph", dense / "graph.svg").exception
    assert isinstance(raised, StorageError)


def test_without_a_name_the_installed_bundle(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    installed = tmp_path / "edgeinfer" / bundle.name
    installed.parent.mkdir()
    bundle.rename(installed)
    assert text_of().startswith(f"{installed}: bundle, ")


def test_a_variant_names_the_delegate_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "two.edgebundle"
    content = manifest()
    compiled: Variant = dataclasses.replace(
        content.variants["cpu"], file="variants/edgetpu.tflite", delegate="edgetpu"
    )
    content = dataclasses.replace(content, variants=content.variants | {"edgetpu": compiled})
    code = operator_code("CUSTOM", custom="edgetpu-custom-op")
    models = {
        "variants/cpu.tflite": encode(dense_model()),
        "variants/edgetpu.tflite": encode(dense_model(extra_codes=[code])),
    }
    write_bundle(path, content, MEMBERS | models)
    assert "variant edgetpu, int8, needs delegate edgetpu" in text_of(path, "--all")
    assert json_of(path)["variants"]["edgetpu"]["needs_delegate"] == "edgetpu"


def test_a_model_compiled_by_vela(tmp_path: Path) -> None:
    model: Any = dense_model()
    model[1] = [operator_code("CUSTOM", custom="ethos-u")]
    # Commands, weights, memory to work in that nobody writes (twice), the image.
    graph(model)[0].extend(tensor(name, [64], "uint8") for name in ("scratch", "never written"))
    graph(model)[3] = [operator([1, 2, 4, 4, 0], [3])]
    path = tmp_path / "vela.tflite"
    path.write_bytes(encode(model))
    lines = text_of(path).splitlines()
    assert "  delegate     compiled for Arm Ethos-U: needs its delegate" in lines
    assert "  MACs         0 an inference; custom operators are not counted" in lines
    assert json_of(path)["needs_delegate"] == "ethos-u"

    graph(model)[3] = [operator([1, 2, 4, 4, 5], [3])]
    path.write_bytes(encode(model))
    raised = run(path).exception
    assert isinstance(raised, ModelError)
    assert "operator 0 (ethos-u): nothing computes its input, tensor 5" in str(raised)


def test_an_edge_tpu_model(shared_data: Path) -> None:
    path = shared_data / "coral" / "split_concat_edgetpu.tflite"
    assert "  delegate     compiled for Edge TPU: needs its delegate" in text_of(path).splitlines()
    assert json_of(path)["needs_delegate"] == "edgetpu"


def test_a_model_with_labels_and_one_with_floats(shared_data: Path) -> None:
    labelled = shared_data / "coral" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    assert "  labels       1001: background | tench, Tinca tinca | " in text_of(labelled)
    assert len(json_of(labelled)["labels"]) == 1001
    text = text_of(shared_data / "mlperf_tiny" / "pretrainedResnet.tflite")
    assert "  inputs       input_1  ? x 32 x 32 x 3  float32" in text
    assert "  arithmetic   floating point, in part" in text


def test_control_characters_and_long_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    model: Any = dense_model(extra_codes=[operator_code("CUSTOM", custom="x\x1b[2Jy")])
    model[3] = "bell\a" + "long" * 1000
    image = tensor("in\n\x1b]0;owned\a", [1, 4], quantization=quantization([0.5], [-1]))
    model[2][0][0][0] = image
    path = tmp_path / "evil\x1b[31m.tflite"
    path.write_bytes(encode(model))
    text = text_of(path)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert r"in\n\x1b]0;owned\x07" in text
    assert max(map(len, text.splitlines())) < 400 + len(str(tmp_path))
    assert json_of(path)["inputs"][0]["name"] == "in\n\x1b]0;owned\a"


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("random.tflite", bytes(range(256)) * 20, ModelError, "is not a TensorFlow Lite model"),
        ("empty.tflite", b"", ModelError, "is not a TensorFlow Lite model"),
        (
            "truncated.tflite",
            encode(dense_model())[:900],
            ModelError,
            "is a damaged TensorFlow Lite",
        ),
        (
            "truncated.edgebundle",
            b"PK\3\4" + bytes(50),
            BundleError,
            "is truncated or not a bundle",
        ),
        ("random.edgebundle", b"no bundle", BundleError, "is truncated or not a bundle"),
    ],
)
def test_what_is_neither(
    name: str, content: bytes, error: type[EdgeinferError], words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    raised = run(path).exception
    assert isinstance(raised, error)
    assert words in str(raised)
    assert raised.subject == str(path)
    assert raised.exit_code == 1


def test_a_bundle_whose_model_is_damaged_names_the_member(tmp_path: Path) -> None:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS)
    raised = run(path).exception
    assert isinstance(raised, ModelError)
    assert str(raised).startswith("variants/cpu.tflite: is not a TensorFlow Lite model")


def test_absent_files_and_folders(tmp_path: Path) -> None:
    absent = run(tmp_path / "absent.tflite").exception
    assert isinstance(absent, ModelError)
    assert "does not exist" in str(absent)
    folder = run(tmp_path).exception
    assert isinstance(folder, ModelError)
    assert "is not a file" in str(folder)


def test_a_graph_without_operators_or_inputs(tmp_path: Path) -> None:
    path = tmp_path / "bare.tflite"
    path.write_bytes(encode({0: Number("I", 3), 2: [{}]}))
    assert text_of(path).splitlines()[1:] == [
        "  arithmetic   integer only",
        "  parameters   0 in 0 bytes",
        "  MACs         0 an inference",
        "  activations  0 bytes at the peak",
    ]
