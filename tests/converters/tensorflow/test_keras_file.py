"""What a Keras file says of itself before Keras reads it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.converters.tensorflow.keras_file import (
    Generation,
    KerasFile,
    read_keras_file,
    saved_model_outputs,
)
from edgeinfer.device.core.errors import ConversionError

pytest.importorskip("h5py", reason="reading .h5 files needs the [host] extra")

CASES = Path(__file__).parents[4] / "shared" / "cases" / "models" / "keras2"
PLAIN = {"class_name": "Dense", "module": "keras.layers", "config": {"name": "dense"}}


def archive(path: Path, config: Any, version: str | None = "3.9.0") -> KerasFile:
    with zipfile.ZipFile(path, "w") as target:
        metadata = {} if version is None else {"keras_version": version}
        target.writestr("metadata.json", json.dumps(metadata))
        target.writestr("config.json", json.dumps(config))
    return read_keras_file(path)


def hdf5(path: Path, **attributes: Any) -> KerasFile:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
    return read_keras_file(path)


def layers(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(entries)}}


@pytest.mark.parametrize(
    ("version", "generation"),
    [("2.4.0", 2), ("2.2.4-tf", 2), ("1.2.2", 2), ("3.0.0", 3), ("10.1", 3), ("", 2)],
)
def test_the_version_in_the_file_says_which_keras_reads_it(
    version: str, generation: Generation, tmp_path: Path
) -> None:
    text = json.dumps(layers(PLAIN))
    assert hdf5(tmp_path / "a.h5", keras_version=version, model_config=text) == KerasFile(
        version=version, generation=generation, code=(), strange=()
    )
    as_bytes = hdf5(tmp_path / "b.h5", keras_version=version.encode(), model_config=text.encode())
    assert (as_bytes.version, as_bytes.generation) == (version, generation)
    assert archive(tmp_path / "a.keras", layers(PLAIN), version).generation == generation


def test_a_file_of_weights_alone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"holds weights alone, .* save it with model"):
        hdf5(tmp_path / "a.h5", layer_names=["a"])


@pytest.mark.parametrize("content", ["", "[", "[" * 100_000, "\ud800"])
def test_a_damaged_description_is_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("metadata.json", "{}")
        target.writestr("config.json", content.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConversionError, match="its description cannot be read") as caught:
        read_keras_file(path)
    assert len(str(caught.value)) < 600


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("metadata.json", "{}")
        with target.open("config.json", "w", force_zip64=True) as stream:
            for _ in range(80):
                stream.write(b" " * 2**20)
    with pytest.raises(ConversionError, match=r"config\.json has more than 64 MiB"):
        read_keras_file(path)


def function(name: str, module: str | None) -> dict[str, Any]:
    return {"class_name": "function", "config": name, "module": module}


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": "Lambda", "module": "keras.layers", "config": {"name": name, **config}}


def call(symbol: str) -> dict[str, Any]:
    return {"class_name": "TFOpLambda", "config": {"name": "op", "function": symbol}}


@pytest.mark.parametrize(
    ("entry", "code", "strange"),
    [
        (layer("a", function=["4wEAAA==", None, None], function_type="lambda"), ("a",), ()),
        (layer("a", output_shape_type="lambda"), ("a",), ()),
        (layer("a", function={"class_name": "__lambda__", "config": {}}), ("a",), ()),
        (layer("a", function=function("relu", "builtins")), (), ()),
        (layer("a", function=function("gelu", "keras.activations")), (), ()),
        (layer("a", function=function("get_file", "keras.utils")), ("a",), ()),
        (layer("a", function=function("system", "os")), (), ("system",)),
        (layer("a", function=function("eval", "builtins")), (), ("eval",)),
        ({"class_name": "Popen", "module": "subprocess", "config": {}}, (), ("Popen",)),
        ({"class_name": "Mine", "module": "mine", "config": {"name": "b"}}, (), ("Mine",)),
        (call("math.multiply"), (), ()),
        (call("__operators__.add"), (), ()),
        (call("cast"), (), ()),
        (call("io.gfile.rmtree"), ("op",), ()),
        (call("load_library"), ("op",), ()),
    ],
)
def test_code_and_strange_layers_are_found_at_any_depth(
    entry: dict[str, Any], code: tuple[str, ...], strange: tuple[str, ...], tmp_path: Path
) -> None:
    inner = {"class_name": "TimeDistributed", "config": {"layer": entry}}
    for place, config in enumerate((layers(PLAIN, entry), layers(layers(PLAIN, inner)))):
        found = archive(tmp_path / f"{place}.keras", config)
        assert (found.code, found.strange) == (code, strange)


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda one: (
            st.lists(one)
            | st.dictionaries(
                st.sampled_from(["class_name", "config", "module", "name", "function", "layers"])
                | st.text(),
                one,
            )
        ),
    )
)
def test_any_description_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, config: Any
) -> None:
    found = archive(tmp_path_factory.getbasetemp() / "any.keras", config)
    assert found.generation == 3


def message(*fields: tuple[int, bytes]) -> bytes:
    """A protocol buffer of texts below 128 bytes, or of 128 to 16,383."""
    coded = b""
    for number, value in fields:
        size = len(value)
        coded += bytes([number << 3 | 2])
        coded += bytes([size]) if size < 128 else bytes([size & 127 | 128, size >> 7])
        coded += value
    return coded


def test_the_outputs_of_a_saved_model_keep_their_order(tmp_path: Path) -> None:
    config = {"config": {"output_layers": [["zoom", 0, 0], ["angle", 0, 0]], "padding": "x" * 200}}
    root = message((3, b"root"), (4, b"_tf_keras_model"), (5, json.dumps(config).encode()))
    other = message((3, b"root.layer-0"), (5, b"{}"))
    (tmp_path / "keras_metadata.pb").write_bytes(message((1, other), (1, root)))
    assert saved_model_outputs(tmp_path) == ("zoom", "angle")
    assert saved_model_outputs(tmp_path / "none") == ()


@given(st.binary(max_size=200))
def test_any_metadata_of_a_saved_model_is_read(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "keras_metadata.pb").write_bytes(content)
    saved_model_outputs(folder)


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases")
@pytest.mark.parametrize("name", ["driver.h5", "depthwise.h5", "depthwise.keras"])
def test_files_that_keras_2_wrote(name: str) -> None:
    assert read_keras_file(CASES / name) == KerasFile(
        version="2.21.0", generation=2, code=(), strange=()
    )
