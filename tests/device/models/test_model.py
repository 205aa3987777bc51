"""Bundles and plain models, opened and asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.tensors import KernelFamily
from edgeinfer.device.models.bundle.reader import ModelBundle, open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner, choose_runtime, installed_runtimes
from edgeinfer.device.tasks.classification.prediction import Classification
from tests.support.program import edgeinfer, error_line


def members(bundle: ModelBundle) -> dict[str, bytes]:
    return {name: bundle.member(name) for name in bundle.manifest.members}


def test_the_sample_answers_its_own_golden_frames(sample_bundle: Path) -> None:
    with Model.open(sample_bundle) as model:
        frames = model.golden_frames()
        assert len(frames) == 10
        answers = [model.predict(pixels) for pixels, _ in frames]
    right = sum(
        isinstance(answer, Classification) and answer.label == label
        for answer, (_, label) in zip(answers, frames, strict=True)
    )
    assert right >= 7


def test_labels_for_a_bundle_are_refused(sample_bundle: Path) -> None:
    with pytest.raises(UsageError, match=r"--labels: is given for .*, which has its own") as caught:
        Model.open(sample_bundle, OpenOptions(labels=("cat", "dog")))
    assert caught.value.exit_code == 2


def test_prepare_and_infer_are_the_halves_of_predict(sample_bundle: Path) -> None:
    with Model.open(sample_bundle) as model:
        pixels, _ = model.golden_frames()[0]
        tensor = model.prepare(Frame(pixels=pixels, sequence=0, captured_ns=0))
        assert tensor.shape == (1, 28, 28, 1)
        assert tensor.dtype == np.dtype(np.int8)
        whole, halves = model.predict(pixels), model.infer(tensor)
    assert isinstance(whole, Classification)
    assert isinstance(halves, Classification)
    assert whole.probabilities.tolist() == halves.probabilities.tolist()


def test_the_kernel_families_differ_by_a_few_steps_only(sample_bundle: Path) -> None:
    with Model.open(sample_bundle) as model, open_bundle(sample_bundle) as bundle:
        content = bundle.member("variants/cpu.tflite")
        families: tuple[KernelFamily, ...] = ("builtin", "xnnpack")
        runners = [Runner(content, subject="sample", kernels=family) for family in families]
        for pixels, _ in model.golden_frames():
            one, other = (
                r.invoke([model.preprocessor.tensor(pixels)])[0].astype(int) for r in runners
            )
            # Each of the net's layers may round one step differently.
            assert abs(one - other).max() <= 4


def test_the_named_runtime_is_taken(sample_bundle: Path) -> None:
    # In separate processes: TensorFlow, which other tests import, and tflite-runtime cannot
    # share one.
    answers = set()
    for runtime in installed_runtimes():
        answer = edgeinfer("verify", sample_bundle, "--json", env={"EDGEINFER_RUNTIME": runtime})
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["runtime"].startswith(runtime)
        answers.add(runtime)
    assert answers


def test_a_runtime_that_is_absent_is_named(sample_bundle: Path) -> None:
    line = error_line(edgeinfer("verify", sample_bundle, env={"EDGEINFER_RUNTIME": "armnn"}))
    assert "armnn is not installed, expected one of" in line
    assert choose_runtime() == installed_runtimes()[0]


def test_a_bundle_whose_model_is_another_is_refused(sample_bundle: Path, tmp_path: Path) -> None:
    with open_bundle(sample_bundle) as bundle:
        manifest, content = bundle.manifest, members(bundle)
    content[manifest.variants["cpu"].file] = b"\x00" * 500
    path = tmp_path / "other.edgebundle"
    write_bundle(path, manifest, content)
    with pytest.raises(ModelError, match=r"other\.edgebundle: variants/cpu\.tflite"):
        Model.open(path)


def test_a_plain_tflite_file_answers_too(sample_bundle: Path, tmp_path: Path) -> None:
    with open_bundle(sample_bundle) as bundle:
        content = bundle.member("variants/cpu.tflite")
    path = tmp_path / "plain.tflite"
    path.write_bytes(content)
    with Model.open(path) as model:
        answer = model.predict(np.zeros((50, 40, 3), np.uint8))
        assert model.labels[:2] == ("class 0", "class 1")
        assert isinstance(answer, Classification)
        assert answer.probabilities.sum() == pytest.approx(1.0)
    with pytest.raises(ModelError, match="2 labels for 10 outputs"):
        Model.open(path, OpenOptions(labels=("a", "b")))


@pytest.mark.parametrize(
    ("picture", "names"),
    [("parrot.jpg", {"macaw"}), ("cat.bmp", {"Egyptian cat", "tabby, tabby cat", "tiger cat"})],
)
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v1_0.25_128_quant.tflite",
        "mobilenet_v1_0.5_160_quant.tflite",
        "mobilenet_v2_1.0_224_quant.tflite",
        "tf2_mobilenet_v2_1.0_224_ptq.tflite",
    ],
)
def test_third_party_models_know_their_pictures(
    shared_data: Path, name: str, picture: str, names: set[str]
) -> None:
    folder = shared_data / "coral"
    labels = tuple((folder / "imagenet_labels.txt").read_text().splitlines())
    with open(folder / name, "rb") as stream:
        classes = Runner(stream.read(), subject=name).outputs[0].shape[1]
    with Model.open(folder / name, OpenOptions(labels=labels[len(labels) - classes :])) as model:
        answer = model.predict(read_image(folder / picture))
    assert isinstance(answer, Classification)
    assert any(known in answer.label for known in names)
    assert 0.2 < answer.probability <= 1.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobilenet_v2_1.0_224_quant_edgetpu.tflite", "compiled for the Edge TPU"),
        ("deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite", "compiled for the Edge TPU"),
        ("split_concat.tflite", "outputs .*, expected a model of single images"),
    ],
)
def test_models_of_other_tasks_are_refused(shared_data: Path, name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Model.open(shared_data / "coral" / name)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.tflite: does not exist"):
        Model.open(tmp_path / "absent.tflite")


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "random.tflite"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(ModelError, match=r"random\.tflite") as caught:
        Model.open(path)
    assert "\n" not in str(caught.value)
