"""`edgeinfer train` on the command line."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgeinfer.boards import profile_names
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.device.core.errors import EdgeinferError, MissingExtraError, ModelError, UsageError
from edgeinfer.device.core.installation.advice import add_extra
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host import extras
from edgeinfer.host.cli.training.train import _print, train
from edgeinfer.host.models import ARCHITECTURES
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from tests.host.cli.conftest import SHORT, TOLD


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, edgeinfer.host.cli.training.train; "
        "sys.exit(bool({'keras', 'tensorflow', 'numpy', 'rich', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_lists_the_networks() -> None:
    result = CliRunner().invoke(train, ["--list"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(ARCHITECTURES)


def _error(*arguments: str) -> EdgeinferError:
    """Run the command and return the error that the main command would print."""
    result = CliRunner().invoke(train, list(arguments), catch_exceptions=True)
    assert isinstance(result.exception, EdgeinferError), result.exception
    return result.exception


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-a", "vgg"], "architecture 'vgg': is not a known network"),
        (["--size", "big"], "--size: 'big'"),
        (["--size", "2x2"], "--size: 2x2"),
        (["--epochs", "0"], "--epochs: 0"),
        (["--learning-rate", "nan"], "--learning-rate: nan"),
        (["--student", "rpi9"], "--student rpi9: is not a known board"),
        (["--student", "rpi-zero2w", "-a", "resnet8"], "small-cnn for rpi-zero2w, and resnet8"),
        (["--student", "rpi5"], "--student rpi5: is efficientnet-lite0, which is made for photos"),
        (["--temperature", "3"], "--temperature: is given without a teacher"),
        (["--teacher-weight", "0.5"], "--teacher-weight: is given without a teacher"),
        (["--teacher-features"], "--teacher-features: is given without a teacher"),
        (["--teacher", "x", "--teacher-weight", "2"], "--teacher-weight: 2"),
        (["--validation-share", "0"], "--validation-share: 0"),
        (["--validation-share", "0.95"], "1.05 together"),
        (
            ["--test-share", "0.2"],
            "--test-share: given for fashion-mnist, which has its own test",
        ),
        (["-a", "resnet8", "--init", "pretrained"], "resnet8: has no pretrained weights"),
        (["-a", "resnet8", "--weights", "imagenet"], "resnet8: has no pretrained weights"),
        (["-a", "resnet8", "--weights", "no-such-file"], "--weights: given for --init he"),
        (
            ["-a", "mobilenet-v2", "--init", "he", "--weights", "imagenet"],
            "--weights: is imagenet, together with --init he, expected --init pretrained",
        ),
        (["-a", "efficientnet-lite0", "--width", "0.5"], "efficientnet-lite0: --width 0.5"),
        (["-a", "mobilenet-v3-small", "--size", "31x224"], "--size: 31x224, expected 32 pixels"),
        (["-a", "mobilenet-v3-large", "--init", "he", "--size", "28"], "--size: 28x28, expected"),
        (["--fine-tune-epochs", "2"], "--fine-tune-epochs: is given with --init he"),
        (["--fine-tune", "upper"], "--fine-tune: is given with --init he"),
        (["--folds", "auto"], "--folds: is given with --init he"),
        (
            ["-a", "efficientnet-lite0", "--fine-tune-epochs", "0", "--fine-tune", "upper"],
            "--fine-tune: is given with --fine-tune-epochs 0",
        ),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], says: str, tmp_path: Path) -> None:
    error = _error("fashion-mnist", "--out", str(tmp_path / "run"), *arguments)
    assert isinstance(error, UsageError)
    assert says in str(error)
    assert not (tmp_path / "run").exists()


def test_weights_that_are_not_there_are_noticed_before_the_data(tmp_path: Path) -> None:
    arguments = ("-a", "mobilenet-v2", "--weights", str(tmp_path / "no-such-file"))
    error = _error(str(tmp_path / "no-such-data"), *arguments)
    assert isinstance(error, ModelError)
    assert "no-such-file: is not a file, expected weights of mobilenet-v2" in str(error)


def test_a_share_of_a_split_that_the_folder_makes_is_refused(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            (tmp_path / split / label).mkdir(parents=True)
            for index in range(3):
                pixels = np.full((16, 16, 3), 30 * index + len(split), np.uint8)
                (tmp_path / split / label / f"{index}.png").write_bytes(encode_png(pixels))
    error = _error(str(tmp_path), "--test-share", "0.2", "--out", str(tmp_path / "run"))
    assert isinstance(error, UsageError)
    assert f"--test-share: given for {tmp_path}, which has its own test pictures" in str(error)


@pytest.mark.parametrize(
    ("arguments", "size", "channels"),
    [
        ([], (28, 28), "grey"),
        (["-a", "resnet8"], (28, 28), "grey"),
        (["-a", "efficientnet-lite0", "--init", "he"], (28, 28), "grey"),
        # Pretrained weights want their own size, said or not.
        (["-a", "efficientnet-lite0"], (224, 224), "rgb"),
        (["-a", "efficientnet-lite0", "--weights", "imagenet"], (224, 224), "rgb"),
        (["-a", "efficientnet-lite0", "--channels", "grey"], (224, 224), "grey"),
    ],
)
def test_what_small_grey_pictures_get(
    arguments: list[str],
    size: tuple[int, int],
    channels: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configs: list[TrainConfig] = []

    def stop(data: object, config: TrainConfig, *others: object, **settings: object) -> None:
        configs.append(config)
        raise UsageError("enough", got="seen")

    monkeypatch.setattr("edgeinfer.host.training.train.train", stop)
    assert "enough" in str(_error("fashion-mnist", "--out", str(tmp_path / "run"), *arguments))
    assert (configs[0].size, configs[0].channels) == (size, channels)


def test_an_earlier_run_is_not_overwritten(tmp_path: Path) -> None:
    assert "--force" in str(_error("fashion-mnist", "--out", str(tmp_path)))


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "_NEEDED", ("no_such_package_of_ours",))
    error = _error("fashion-mnist", "--out", str(tmp_path / "run"))
    assert isinstance(error, MissingExtraError)
    assert str(error).endswith(add_extra("host"))


@pytest.mark.slow
def test_it_trains(fashion_run: Path) -> None:
    answer = json.loads(fashion_run.with_name(TOLD).read_text())
    assert answer["run"] == str(fashion_run)
    assert answer["provenance"]["samples.train"] == "6300"
    assert (fashion_run / "model.keras").is_file()


def test_it_lists_the_students() -> None:
    result = CliRunner().invoke(train, ["--list-students"])
    assert result.exit_code == 0
    for board in profile_names():
        assert board in result.output.replace(",", "").split()
    assert "small-cnn, 112 pixels, width 0.75" in result.output


def test_a_teacher_that_is_not_a_run_is_one_sentence(tmp_path: Path) -> None:
    arguments = ["fashion-mnist", "--out", str(tmp_path / "run"), "--teacher", str(tmp_path)]
    error = _error(*arguments)
    assert isinstance(error, ModelError)
    assert "has no trained.json" in str(error)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_is_the_teacher_of_the_next(fashion_run: Path, tmp_path: Path) -> None:
    student = tmp_path / "student"
    arguments = [*SHORT, "--out", str(student), "--teacher", str(fashion_run), "--student"]
    arguments += ["rpi-zero2w", "--teacher-features", "--temperature", "3"]
    result = CliRunner().invoke(train, arguments, catch_exceptions=False)
    provenance = json.loads(result.stdout)["provenance"]
    assert provenance["teacher.run"] == str(fashion_run)
    assert provenance["teacher.features"] == "True"
    # The student's settings, except for what was asked for and what the data needs.
    assert provenance["setting.batch_size"] == "32"
    assert provenance["setting.width"] == "0.25"
    assert provenance["setting.size"] == "(28, 28)"
    # Another seed alone would have given another split.
    assert (student / "samples.csv").read_bytes() == (fashion_run / "samples.csv").read_bytes()


def test_it_says_what_was_learned_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    trained = TrainedModel(
        name="squares",
        labels=("left", "right"),
        preprocess=PreprocessSpec(size=(8, 8)),
        provenance={
            "setting.architecture": "resnet8",
            "samples.train": "1200",
            "samples.validation": "8",
            "parameters": "1234",
            "epochs": "3",
            "seconds": "7",
        },
        metrics={"validation.keras.top1": 0.875},
    )
    _print(Path("runs/squares"), trained)
    assert capsys.readouterr().out.splitlines() == [
        "trained resnet8 (1,234 parameters) on 1,200 pictures of 2 classes: 3 epochs, 7 s",
        "validation accuracy 87.50 % (float, 8 pictures)",
        "the run: runs/squares",
        "next: edgeinfer convert runs/squares",
    ]


def test_the_help_page_shows_the_real_defaults() -> None:
    """They depend on the network, so that click cannot show them."""
    pretrained, scratch = default_config("efficientnet-lite0"), default_config("small-cnn")
    value = default_config("efficientnet-lite0", task="value")
    teacher = {field.name: field.default for field in dataclasses.fields(TeacherConfig)}
    teacher["temperature"] = TeacherConfig(run=Path()).softness
    compared = []
    for option in train.params:
        shown = getattr(option, "show_default", None)
        name = {"teacher_weight": "weight"}.get(str(option.name), str(option.name))
        if not isinstance(shown, str) or not re.match(r"\d|[a-z]+$", shown):
            continue
        if name not in teacher and not hasattr(pretrained, name):
            continue  # the shares of the splits
        compared.append(name)
        if name in teacher:
            assert shown == f"{teacher[name]:g}", name
            continue
        shown, _, of_values = re.sub("; for values", ", for values", shown).partition(
            ", for values "
        )
        assert of_values in ("", _text(getattr(value, name))), name
        with_weights, _, without = shown.partition(" with pretrained weights, else ")
        assert with_weights == _text(getattr(pretrained, name)), name
        if not name.startswith("fine_tune"):
            assert (without or with_weights) == _text(getattr(scratch, name)), name
    assert len(compared) >= 16, compared


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
