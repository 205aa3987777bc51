"""`edgeinfer prune` on the command line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    TrainedModel,
    read_trained,
    write_trained,
)
from edgeinfer.device.core.errors import EdgeinferError, MissingExtraError, UsageError
from edgeinfer.device.core.installation.advice import add_extra
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host import extras
from edgeinfer.host.cli.training.prune import _DEFAULT_SPEEDUP, _print, prune
from edgeinfer.host.training.pruning.config import PruneConfig
from tests.support.program import edgeinfer, error_line


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, edgeinfer.host.cli.training.prune; "
        "sys.exit(bool({'keras', 'tensorflow', 'numpy', 'rich', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_run_is_reported_before_tensorflow_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; "
        "from edgeinfer.host.cli.training.prune import prune; "
        "result = CliRunner().invoke(prune, sys.argv[1:]); "
        "assert 'does not exist' in str(result.exception), result; "
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "none")], check=False)
    assert done.returncode == 0


def _error(*arguments: object) -> EdgeinferError:
    """Run the command and return the error that the main command would print."""
    result = CliRunner().invoke(prune, list(map(str, arguments)), catch_exceptions=True)
    assert isinstance(result.exception, EdgeinferError), result.exception
    return result.exception


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--speedup", "2", "--keep-cost", "0.5"], "2 of them"),
        (["--sparsity", "0.5", "--keep-cost", "0.5"], "2 of them"),
        (["--sparsity", "4:2"], "--sparsity: '4:2'"),
        (["--sparsity", "0.5", "--size", "32"], "--size: given with --sparsity"),
        (["--sparsity", "2:4", "--steps", "3"], "--steps: is given with --sparsity"),
        (["--sparsity", "2:4", "--min-share", "0.5"], "--min-share: is given with --sparsity"),
        (["--speedup", "0.5"], "--speedup: 0.5"),
        (["--keep-cost", "nan"], "--keep-cost: nan"),
        (["--size", "big"], "--size: 'big'"),
        (["--steps", "0"], "--steps: 0"),
        (["--min-share", "2"], "--min-share: 2"),
        (["--multiple", "0"], "--multiple: 0"),
        (["--temperature", "2"], "--teacher: is not given"),
        (["--teacher-weight", "0.5"], "--teacher: is not given"),
        (["--teacher", "self", "--teacher-weight", "0"], "--teacher-weight: 0"),
        (["--teacher", "self", "--temperature", "nan"], "--temperature: nan"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], says: str, tmp_path: Path) -> None:
    error = _error(tmp_path / "run", *arguments)
    assert isinstance(error, UsageError)
    assert says in str(error)
    assert not list(tmp_path.iterdir())


def test_an_earlier_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run-pruned").mkdir()
    assert "--force" in str(_error(tmp_path / "run"))


@pytest.mark.parametrize("named", [".", "..", "run", "run/"])
def test_the_pruned_run_is_next_to_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str
) -> None:
    """As the refusal of what is there already shows."""
    (tmp_path / "run-pruned").mkdir()
    place = tmp_path / {".": "run", "..": "run/inside"}.get(named, "")
    place.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(place)
    assert "run-pruned: already exists" in str(_error(named))


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extras, "_NEEDED", ("no_such_package_of_ours",))
    error = _error(tmp_path / "run")
    assert isinstance(error, MissingExtraError)
    assert str(error).endswith(add_extra("host"))


def test_exit_codes_tell_wrong_usage_from_failed_work(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "--keep-cost" in error_line(edgeinfer("prune", run, "--keep-cost", "2"), code=2)
    assert "run" in error_line(edgeinfer("prune", run), code=1)
    run.mkdir()
    assert "run" in error_line(edgeinfer("prune", run), code=1)
    spec = PreprocessSpec(size=(8, 8))
    trained = TrainedModel(name="run", labels=("a", "b"), preprocess=spec, provenance={})
    write_trained(run, trained, {"train": [], "validation": [], "test": []})
    (run / KERAS_FILE).write_bytes(b"PK\3\4 torn")
    error_line(edgeinfer("prune", run, "--out", run), code=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize(("amx", "how"), [(False, "one thread"), (True, "one thread, without AMX")])
def test_it_says_what_is_left_and_what_comes_next(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, amx: bool, how: str
) -> None:
    monkeypatch.setattr("edgeinfer.host.cli.training.prune.has_amx", lambda: amx)
    pruned = TrainedModel(
        name="small",
        labels=("left", "right"),
        preprocess=PreprocessSpec(size=(8, 8)),
        provenance={
            "parameters": "1234",
            "prune.epochs-done": "7",
            "prune.seconds": "42",
            "samples.validation": "8",
        },
        metrics={
            "validation.keras.top1": 0.875,
            "prune.macs-share": 0.4321,
            "prune.speedup": 2.046,
            "prune.zeros": 0.5,
        },
    )
    _print(Path("runs/small"), pruned)
    assert capsys.readouterr().out.splitlines() == [
        "1234 parameters, 43.2% of the multiplications: 7 epochs, 42 s",
        f"INT8 invoke 2.05 times as fast, timed here, {how}",
        "50.0% of the weights are 0: smaller only if compressed, not faster",
        "validation accuracy 87.50 % (float, 8 pictures)",
        "the run: runs/small",
        "next: edgeinfer convert runs/small",
    ]


@pytest.mark.slow
def test_a_faster_run_of_fashion_mnist_can_be_converted(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="pruning needs the host extra")
    from edgeinfer.host.data.dataset import prepare_fashion_mnist
    from edgeinfer.host.models.small_cnn import build

    # Pictures so small that the network has few layers, wide enough for its time to be arithmetic.
    size, few = (12, 12), 60
    data = prepare_fashion_mnist(seed=0, full=False)
    run, out, bundle = tmp_path / "run", tmp_path / "fast", tmp_path / "fast.edgebundle"
    run.mkdir()
    build((*size, 1), 10, initializer="he", width=2.0).save(run / KERAS_FILE)
    trained = TrainedModel(
        name="run",
        labels=data.labels,
        preprocess=PreprocessSpec(size=size, channels="grey", mean=(72.0,), std=(90.0,)),
        provenance={"setting.architecture": "small-cnn", "setting.augment": "none"},
    )
    # Spread over the classes, which lie one after another.
    samples = {s: list(all_[:: len(all_) // few]) for s, all_ in data.splits.items()}
    write_trained(run, trained, samples)
    training = ("--steps", 1, "--epochs", 1, "--importance", "l1", "--teacher", "self")
    # In so large blocks there are two ways to cut this network, so at most two are timed.
    aim = ("--speedup", 1.3, "--multiple", 64)
    arguments = [run, "--out", out, *aim, *training, "--json"]
    result = CliRunner().invoke(prune, list(map(str, arguments)), catch_exceptions=False)
    answer = json.loads(result.stdout)
    assert answer["run"] == str(out)
    assert answer["metrics"]["prune.speedup"] >= 1.3
    assert answer["metrics"]["prune.macs-share"] < 0.9
    assert answer["metrics"] == read_trained(out).metrics
    assert answer["provenance"]["teacher.run"] == str(run)
    home = {"XDG_DATA_HOME": str(tmp_path)}
    finished = edgeinfer("convert", out, "--out", bundle, "--max-drop", 20, env=home)
    assert finished.returncode == 0, finished.stderr
    assert bundle.is_file()


def test_the_help_page_shows_the_real_defaults() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(PruneConfig)}
    shown = {
        str(option.name): option.show_default
        for option in prune.params
        if isinstance(option, click.Option)
    }
    names = ("importance", "steps", "step_epochs", "epochs", "patience", "multiple", "min_share")
    assert {name: shown[name] for name in names} == {name: f"{defaults[name]}" for name in names}
    assert shown["speedup"] == f"{_DEFAULT_SPEEDUP:g}"
