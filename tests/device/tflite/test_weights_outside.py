"""Weights outside of the FlatBuffer: read as both runtimes read them, and nowhere else."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.accelerators.registry import OWN, answer_json
from edgeinfer.device.cli.boards.table import board_fits, fits_json
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark.op_prefixes import Prefixes
from edgeinfer.device.diagnose.inspect.description import (
    ModelDescription,
    describe_file,
    describe_tflite,
)
from edgeinfer.device.diagnose.inspect.graph_svg import draw_graph
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.first_opening import limits
from edgeinfer.device.runtime.runner import Runner, RuntimeName, installed_runtimes
from edgeinfer.device.tasks.labels import labels_in_model
from edgeinfer.device.tflite.edits.cut import cut_model, without_pose_decoder
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside
from tests.device.metadata_examples import (
    label_file,
    model_metadata,
    tensor_metadata,
    with_metadata,
)
from tests.device.tflite.edits.test_cut import with_decoder
from tests.device.tflite.outside_examples import offset_places, outside
from tests.device.tflite_examples import (
    BIAS,
    WEIGHTS,
    Number,
    TableNode,
    dense_model,
    encode,
    graph,
    operator_code,
    tensor,
)

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT.parent / "shared" / "cases" / "models" / "external_buffers_int8.tflite"
REAL = (
    "coral/split_concat.tflite",
    "coral/mobilenet_v1_0.25_128_quant.tflite",
    "coral/deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite",
    "mlperf_tiny/pretrainedResnet.tflite",
    "mlperf_tiny/pretrainedResnet_quant.tflite",
)

SAME_EVERY_TIME = tuple(name for name in REAL[1:] if "edgetpu" not in name)
"""Models that a runtime runs, and whose outputs are not memory that it uses again."""

INSIDE = encode(dense_model())
OUTSIDE = outside(INSIDE)


def with_numbers(number: int, offset: int, size: int, model: bytes = OUTSIDE) -> bytes:
    """Return a model of which a buffer outside says another offset and size."""
    changed = bytearray(model)
    struct.pack_into("<2Q", changed, offset_places(model)[number], offset % 2**64, size % 2**64)
    return bytes(changed)


def numbers(number: int, model: bytes = OUTSIDE) -> tuple[int, int]:
    offset, size = struct.unpack_from("<2Q", model, offset_places(model)[number])
    return int(offset), int(size)


@pytest.fixture
def case() -> Path:
    if not CASE.exists():
        pytest.skip(f"{CASE} is absent")
    return CASE


@pytest.mark.parametrize("name", REAL)
def test_a_model_is_the_same_with_its_buffers_outside(name: str, shared_data: Path) -> None:
    inside = (shared_data / name).read_bytes()
    assert outside(inside) != inside
    for least_bytes in (1, 1024):
        moved = outside(inside, least_bytes=least_bytes)
        before, after = (read_tflite(content, subject=name) for content in (inside, moved))
        assert after == before
        again = with_buffers_inside(moved, subject=name)
        assert read_tflite(again, subject=name) == before
        assert offset_places(again) == []
        assert (after.parameters, after.constant_bytes) == (
            before.parameters,
            before.constant_bytes,
        )
        assert limits(after) == limits(before)


def test_what_lies_inside_already_stays_as_it_is() -> None:
    assert with_buffers_inside(INSIDE, subject="x") is INSIDE
    again = with_buffers_inside(OUTSIDE, subject="x")
    assert with_buffers_inside(again, subject="x") is again


def test_bytes_inside_are_aligned_as_the_schema_wants(shared_data: Path) -> None:
    moved = outside((shared_data / REAL[1]).read_bytes())
    again = with_buffers_inside(moved, subject="x")
    whole = np.frombuffer(again, np.uint8)
    for table in FlatBuffer(again).root().tables(4):
        data = np.frombuffer(table.raw(0), np.uint8)
        if data.size:
            assert (data.ctypes.data - whole.ctypes.data) % 16 == 0


def len_of_model(content: bytes) -> int:
    """Return where the ZIP of labels begins."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return min(member.header_offset for member in archive.infolist())
    except zipfile.BadZipFile:
        return len(content)


@pytest.mark.parametrize("name", REAL)
def test_inspect_and_verify_report_the_same(name: str, shared_data: Path, tmp_path: Path) -> None:
    inside = (shared_data / name).read_bytes()
    size = len_of_model(inside)
    told = []
    moved = outside(inside[:size], behind=inside[size:])
    for folder, content in (("inside", inside), ("outside", moved)):
        path = tmp_path / folder / Path(name).name
        path.parent.mkdir()
        path.write_bytes(content)
        described, model = describe_file(path), read_tflite(content, subject="x")
        assert isinstance(described, ModelDescription)
        described = replace(described, size_bytes=0, name="x")
        told.append(
            (
                described.to_json(),
                described.lines(),
                described.main.operator_lines(),
                [answer_json(accelerator, model) for accelerator in OWN],
                fits_json(board_fits(described)),
                draw_graph(model, name="x"),
                model_input_size(path),
            )
        )
    assert told[0] == told[1]


def test_labels_and_metadata_are_found_behind_the_weights() -> None:
    output = tensor_metadata("scores", files=[label_file("labels.txt")])
    metadata = model_metadata([tensor_metadata("image")], [output])
    whole = with_metadata(dense_model(), metadata, {"labels.txt": b"cat\ndog\n"})
    size = len(with_metadata(dense_model(), metadata))
    moved = outside(whole[:size], behind=whole[size:])
    assert labels_in_model(moved, subject="x") == ("cat", "dog")
    described = describe_tflite(moved, name="x")
    assert described.about == describe_tflite(whole, name="x").about is not None
    assert described.labels == ("cat", "dog")


def test_what_ends_earlier_keeps_its_weights(shared_data: Path) -> None:
    inside = (shared_data / REAL[1]).read_bytes()
    whole, moved = (Prefixes(content, subject="x") for content in (inside, outside(inside)))
    for count in (1, 5, len(whole)):
        one, other = whole.model(count), moved.model(count)
        assert read_tflite(one, subject="x") == read_tflite(other, subject="x")
        assert np.array_equal(answers(one), answers(other))


def answers(content: bytes) -> Any:
    """Return what a model gives for made-up bytes, with the builtin kernels."""
    runner = Runner(content, subject="x", runtime="ai-edge-litert", kernels="builtin")
    (fed,) = runner.inputs
    pixels = np.random.default_rng(0).integers(0, 120, fed.shape).astype(fed.dtype)
    return runner.invoke([pixels])[0]


def test_posenets_lose_their_decoder_all_the_same(shared_data: Path) -> None:
    name = "coral/posenet_mobilenet_v1_075_353_481_16_quant_decoder.tflite"
    inside = (shared_data / name).read_bytes()
    one, other = (
        read_tflite(without_pose_decoder(content, subject="x"), subject="x")
        for content in (inside, outside(inside))
    )
    assert one == other
    assert one.custom_ops == ()


_CHILD = """
import json, sys
import numpy as np
from importlib import import_module
interpreter = import_module(sys.argv[1]).Interpreter
said = []
for line in sys.stdin:
    try:
        model = interpreter(model_path=line.strip())
        model.allocate_tensors()
        fed = model.get_input_details()[0]
        shape, dtype = fed["shape"], fed["dtype"]
        pixels = np.random.default_rng(0).integers(0, 120, shape).astype(dtype)
        model.set_tensor(fed["index"], pixels)
        model.invoke()
        said.append([model.get_tensor(one["index"]).tolist() for one in model.get_output_details()])
    except Exception as error:
        said.append(str(error).strip().splitlines()[-1])
print(json.dumps(said))
"""


def said_by(runtime: RuntimeName, models: list[bytes], folder: Path) -> list[Any]:
    """Return what a runtime by itself answers to each model, or the words of its refusal.

    In a separate process: tflite-runtime cannot load together with TensorFlow.
    """
    paths = [folder / f"{number}.tflite" for number in range(len(models))]
    for path, model in zip(paths, models, strict=True):
        path.write_bytes(model)
    module = runtime.replace("-", "_") + ".interpreter"
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", _CHILD, module],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_both_runtimes_answer_bit_for_bit(
    runtime: RuntimeName, shared_data: Path, tmp_path: Path, case: Path
) -> None:
    for number, name in enumerate((*SAME_EVERY_TIME, "")):
        if name:
            inside = (shared_data / name).read_bytes()
            moved = outside(inside)
        else:
            moved = case.read_bytes()
            inside = with_buffers_inside(moved, subject="x")
        folder = tmp_path / str(number)
        folder.mkdir()
        models = [inside, moved, with_buffers_inside(moved, subject="x")]
        said = [json.dumps(one) for one in said_by(runtime, models, folder)]
        assert said[0].startswith("[["), said[0][:300]
        assert len(set(said)) == 1, name


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_the_model_of_the_quantizer_in_our_hands(
    runtime: RuntimeName, case: Path, shared_data: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "EDGEINFER_RUNTIME": runtime}
    environment["XDG_CACHE_HOME"] = str(tmp_path)  # so that it is opened for the first time
    picture = shared_data / "coral" / "cat.bmp"
    inside = tmp_path / case.name
    inside.write_bytes(with_buffers_inside(case.read_bytes(), subject="x"))
    said = []
    for path in (case, inside):
        command = [sys.executable, "-P", "-m", "edgeinfer.device.cli", "predict", "--json"]
        done = subprocess.run(
            [*command, "--model", str(path), str(picture)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(json.loads(done.stdout))
    assert said[0] == said[1]
    with Model.open(case) as model:
        assert model.name == "external_buffers_int8"


LAST = numbers(0)
"""Offset and size of the dense layer's weights, 8 bytes."""

REFUSED = {
    "beyond the end": with_numbers(0, len(OUTSIDE) - 7, 8),
    "an absurd size": with_numbers(0, LAST[0], 2**63),
    "a sum that overflows": with_numbers(0, LAST[0], -LAST[0]),
    "a sum that overflows onto the right size": with_numbers(0, -8, 16),
    "the last number": with_numbers(0, -1, -1),
    "too few bytes": with_numbers(0, LAST[0], 7),
    "no bytes": with_numbers(0, LAST[0], 0),
    "no place": with_numbers(0, 0, 8),
    "a place to fill in later": with_numbers(0, 1, 8),
    "a bias on an odd place": with_numbers(1, numbers(1)[0] + 1, 8, OUTSIDE + bytes(8)),
    "a bias on half a number": with_numbers(1, numbers(1)[0] + 2, 8, OUTSIDE + bytes(8)),
    "cut off behind the weights": OUTSIDE[: LAST[0] + 7],
}


@pytest.mark.parametrize("name", REFUSED)
def test_numbers_that_lead_nowhere_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="is a damaged TensorFlow Lite model") as caught:
        read_tflite(REFUSED[name], subject="x")
    assert "\n" not in str(caught.value)


def both_inside_and_out(inside: bytes) -> bytes:
    """A buffer of these bytes that says another place as well."""
    model: Any = dense_model()
    model[4][1] = {0: inside, 1: Number("Q", 16), 2: Number("Q", 8)}
    return encode(model)


ODD = {
    "over the FlatBuffer": with_numbers(0, 16, 8),
    "over the bias": with_numbers(0, numbers(1)[0] - 4, 8),
    "on an odd place": with_numbers(0, LAST[0] + 1, 8, OUTSIDE + bytes(8)),
    "inside goes first": both_inside_and_out(WEIGHTS.tobytes()),
    "the file's last bytes": outside(INSIDE, only=[1]),
    "inside goes first, empty": both_inside_and_out(b""),
    "too few bytes": REFUSED["too few bytes"],
    "no bytes": REFUSED["no bytes"],
    "no place": REFUSED["no place"],
    "a place to fill in later": REFUSED["a place to fill in later"],
    "beyond the end": REFUSED["beyond the end"],
}
"""What runtimes may be handed without harm."""


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_odd_files_are_read_as_the_runtimes_read_them(runtime: RuntimeName, tmp_path: Path) -> None:
    said = dict(zip(ODD, said_by(runtime, list(ODD.values()), tmp_path), strict=True))
    for name, content in ODD.items():
        try:
            weights, bias = read_tflite(content, subject="x").subgraphs[0].tensors[1:3]
        except ModelError:
            assert isinstance(said[name], str), f"{name}: {runtime} reads it"
            continue
        assert said[name] == said_by(runtime, [dense_of(weights.data, bias.data)], tmp_path)[0]
    assert sum(isinstance(one, list) for one in said.values()) >= 4


def dense_of(weights: memoryview, bias: memoryview) -> bytes:
    model: Any = dense_model()
    model[4][1], model[4][2] = {0: bytes(weights)}, {0: bytes(bias)}
    return encode(model)


@given(
    offset=st.one_of(
        st.integers(0, 2**64 - 1), st.integers(0, len(OUTSIDE) + 9), st.integers(-20, -1)
    ),
    size=st.one_of(
        st.sampled_from([0, 7, 8, 9]), st.integers(0, 2**64 - 1), st.integers(-20, len(OUTSIDE))
    ),
    which=st.integers(0, 2),
)
def test_whatever_the_numbers_say_is_read_within_the_file(
    offset: int, size: int, which: int
) -> None:
    content = with_numbers(which, offset, size)
    try:
        model = read_tflite(content, subject="hostile")
    except ModelError:
        return
    for one in model.subgraphs[0].tensors:
        assert bytes(one.data) in content
    try:
        again = with_buffers_inside(content, subject="hostile")
    except ModelError:
        return
    assert read_tflite(again, subject="hostile") == model


def test_a_place_to_fill_in_later_is_taken_away() -> None:
    """Other readers take byte 1 of the file for the content of what is computed."""
    model: Any = dense_model()
    model[4].append({1: Number("Q", 1), 2: Number("Q", 1)})
    graph(model)[0][3][2] = Number("I", 4)
    content = encode(model)
    again = with_buffers_inside(content, subject="x")
    assert read_tflite(again, subject="x") == read_tflite(content, subject="x")
    assert struct.unpack_from("<Q", again, offset_places(again)[0]) == (0,)


def custom(fields: TableNode) -> bytes:
    model: Any = dense_model(extra_codes=[operator_code("CUSTOM", custom="someones")])
    graph(model)[0].append(tensor("more", [1], "float32"))
    step = {0: Number("I", 1), 1: graph(model)[2], 2: type(graph(model)[2])("i", [4]), **fields}
    graph(model)[3].append(step)
    graph(model)[2] = type(graph(model)[2])("i", [4])
    return encode(model)


def test_custom_options_may_lie_outside() -> None:
    without = custom({9: Number("Q", 2), 10: Number("Q", 0)})
    size = len(without)
    good = custom({9: Number("Q", size), 10: Number("Q", 5)}) + b"hello"
    model = read_tflite(good, subject="x")
    assert model.custom_ops == ("someones",)
    for offset, count in ((size, 6), (size + 6, 0), (2**64 - 1, 2), (size, 2**64 - size)):
        bad = custom({9: Number("Q", offset), 10: Number("Q", count)}) + b"hello"
        with pytest.raises(ModelError, match="lie outside the file's"):
            read_tflite(bad, subject="x")
    cut = cut_model(good, 1, (3,), subject="x")
    assert read_tflite(cut, subject="x").outputs[0].name == "scores"
    with pytest.raises(ModelError, match="keeps options of a custom operator outside"):
        with_buffers_inside(good, subject="x")
    # Options inside go first, and other readers must not see the offset.
    both = custom({5: b"options", 9: Number("Q", 8), 10: Number("Q", 4)})
    again = with_buffers_inside(both, subject="x")
    assert read_tflite(again, subject="x") == read_tflite(both, subject="x")
    assert again.count(struct.pack("<2Q", 8, 4)) == 0


def test_nothing_is_changed_in_weights_that_lie_over_tables() -> None:
    content = encode(with_decoder())
    moved = outside(content, only=[1])
    main = FlatBuffer(moved).root().tables(2)[0]
    places = main.offset_place(2), main.offset_place(3)
    assert places[0] is not None
    assert places[1] is not None
    for place in (places[0][0], places[1][1]):
        over = with_numbers(0, place - 4, 8, moved)
        read_tflite(over, subject="x")
        with pytest.raises(ModelError, match="its weights overlap its tables"):
            without_pose_decoder(over, subject="x")
    (place, *_) = FlatBuffer(OUTSIDE).root().table_places(4)
    with pytest.raises(ModelError, match="its weights overlap its tables"):
        with_buffers_inside(with_numbers(0, place, 8), subject="x")


def many(count: int, size: int, first: int = 2) -> bytes:
    """A model of this many buffers outside, which begin one byte apart."""
    model: Any = dense_model()
    model[4] += [{1: Number("Q", first + number), 2: Number("Q", size)} for number in range(count)]
    return encode(model)


def test_weights_that_lie_over_one_another_do_not_multiply() -> None:
    count, size = 20_000, 100_000
    behind = len(many(count, size))
    content = many(count, size, behind) + bytes(count + size)
    read_tflite(content, subject="x")
    with pytest.raises(ModelError, match=r"its weights would take 2,000,000,000 bytes in its"):
        with_buffers_inside(content, subject="x")
    # Each of the places to change is compared with each of these, if that is done badly.
    with pytest.raises(ModelError, match="its weights overlap its tables"):
        with_buffers_inside(many(count, size), subject="x")


def test_weights_that_buffers_share_are_moved_once(shared_data: Path) -> None:
    inside = (shared_data / REAL[1]).read_bytes()
    moved = outside(inside, least_bytes=1024)
    places = offset_places(moved)
    shared = bytearray(moved)
    largest = max((numbers(n, moved) for n in range(len(places))), key=lambda one: one[1])
    same = [n for n in range(len(places)) if numbers(n, moved)[1] <= largest[1]]
    for number in same:
        struct.pack_into("<Q", shared, places[number], largest[0])
    model = read_tflite(bytes(shared), subject="x")
    again = with_buffers_inside(bytes(shared), subject="x")
    assert read_tflite(again, subject="x") == model


@pytest.mark.parametrize("content", [b"", b"content", b"TFL3", b"PK\x03\x04" * 10])
def test_a_file_that_is_not_a_model_stays_as_it_is(content: bytes) -> None:
    assert with_buffers_inside(content, subject="x") is content


def test_a_damaged_file_is_reported_as_damaged() -> None:
    with pytest.raises(ModelError, match="x: is a damaged TensorFlow Lite model"):
        with_buffers_inside(INSIDE[:200], subject="x")


def test_the_example_answers() -> None:
    fed = np.array([[1, 2, 3, 4]], np.int8)
    for content in (INSIDE, OUTSIDE, with_buffers_inside(OUTSIDE, subject="x")):
        runner = Runner(content, subject="x", runtime="ai-edge-litert")
        real = (fed.astype(int) + 1) @ WEIGHTS.T.astype(int) + BIAS
        assert runner.invoke([fed])[0].tolist() == np.round(real * 0.125).astype(int).tolist()
