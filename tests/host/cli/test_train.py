"""`edgeinfer train` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeinfer.converters.samples import Sample
from edgeinfer.converters.trained import TrainedModel
from edgeinfer.device.errors import EdgeinferError, MissingExtraError, UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host import extras
from edgeinfer.host.cli.train import _print, train
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.models import ARCHITECTURES


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, edgeinfer.host.cli.train; "
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
        (["-a", "vgg"], "architecture: 'vgg'"),
        (["--size", "big"], "--size: 'big'"),
        (["--size", "2x2"], "--size: 2x2"),
        (["--epochs", "0"], "--epochs: 0"),
        (["--learning-rate", "nan"], "--learning-rate: nan"),
        (["--validation-share", "0"], "--validation-share: 0"),
        (["--validation-share", "0.6", "--test-share", "0.6"], "1.2 together"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], says: str, tmp_path: Path) -> None:
    error = _error("fashion-mnist", "--out", str(tmp_path / "run"), *arguments)
    assert isinstance(error, UsageError)
    assert says in str(error)
    assert not (tmp_path / "run").exists()


def test_an_earlier_run_is_not_overwritten(tmp_path: Path) -> None:
    assert "--force" in str(_error("fashion-mnist", "--out", str(tmp_path)))


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "_NEEDED", ("no_such_package_of_ours",))
    error = _error("fashion-mnist", "--out", str(tmp_path / "run"))
    assert isinstance(error, MissingExtraError)
    assert "pip install 'edgeinfer[host]'" in str(error)


@pytest.mark.slow
def test_it_trains(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["fashion-mnist", "--out", str(out), "--epochs", "1", "--width", "0.25", "--json"]
    result = CliRunner().invoke(train, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer["run"] == str(out)
    assert answer["provenance"]["samples.train"] == "6300"
    assert (out / "model.keras").is_file()


def test_it_says_what_was_learned_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    trained = TrainedModel(
        name="squares",
        labels=("left", "right"),
        preprocess=PreprocessSpec(size=(8, 8)),
        provenance={
            "setting.architecture": "resnet8",
            "parameters": "1234",
            "epochs": "3",
            "seconds": "7",
        },
        metrics={"validation.keras.top1": 0.875},
    )
    sample = Sample(source="x.png", label=0)
    prepared = PreparedData(
        name="squares",
        labels=("left", "right"),
        splits={"train": [sample] * 1200, "validation": [sample] * 8, "test": [sample]},
        findings=(),
    )
    _print(Path("runs/squares"), trained, prepared)
    assert capsys.readouterr().out.splitlines() == [
        "trained resnet8 (1,234 parameters) on 1,200 pictures of 2 classes: 3 epochs, 7 s",
        "validation accuracy 87.50 % (float, 8 pictures)",
        "the run: runs/squares",
        "next: edgeinfer convert runs/squares",
    ]
