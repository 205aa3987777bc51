"""`edgeinfer train` that begins with a run, or goes on with one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.cli.training.train import train

SMALL = ("-a", "resnet8", "--size", "12", "--batch-size", "8", "--augment", "none")


def write_photos(root: Path, *labels: str) -> Path:
    generator = np.random.default_rng(0)
    for place, label in enumerate(labels):
        folder = root / label
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(10):
            pixels = generator.integers(60 * place, 60 * place + 60, (12, 12, 3), dtype=np.uint8)
            (folder / f"{number}.png").write_bytes(encode_png(pixels))
    return root


def call(*words: object) -> Result:
    return CliRunner().invoke(train, [str(word) for word in words])


def told(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos") / "photos", "dark", "grey")


@pytest.fixture(scope="module")
def run(photos: Path) -> Path:
    """A short run; not to be changed."""
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    out = photos.parent / "run"
    told(call(photos, *SMALL, "--epochs", "1", "--out", out, "--json"))
    return out


@pytest.mark.slow
def test_a_run_begins_the_next_with_another_class(run: Path, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "more", "dark", "grey", "bright")
    out = tmp_path / "next"
    words = ("--from", run, "--epochs", "1", "--batch-size", "8", "--augment", "none")
    answer = told(call(photos, *words, "--out", out, "--json"))
    assert answer["labels"] == ["bright", "dark", "grey"]
    provenance = answer["provenance"]
    assert isinstance(provenance, dict)
    assert provenance["from"] == str(run)
    assert provenance["setting.architecture"] == "resnet8"
    assert provenance["setting.size"] == "(12, 12)"


@pytest.mark.slow
def test_more_epochs_take_the_settings_of_the_run(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    told(call(photos, *SMALL, "--epochs", "1", "--out", out, "--json"))
    answer = told(call(photos, "--more-epochs", "2", "--out", out, "--json"))
    provenance = answer["provenance"]
    assert isinstance(provenance, dict)
    assert provenance["setting.size"] == "(12, 12)"
    stages = [row["stage"] for row in json.loads((out / "history.json").read_text())]
    assert stages[0] == "train"
    assert set(stages[1:]) == {"more"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "RUN", "--student", "rpi4"), "--student: is given with --from"),
        (("--from", "RUN", "--width", "0.5"), "--width: is given with --from"),
        (("--from", "RUN", "-a", "small-cnn"), "--architecture: is small-cnn"),
        (("--from", "RUN", "--size", "16"), "--size: is 16x16, expected 12x12"),
        (("--resume",), "there is no training to go on with, expected one that was stopped"),
    ],
)
def test_what_does_not_fit_the_run_is_refused(
    photos: Path, run: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    given = [str(run) if word == "RUN" else word for word in words]
    error = call(photos, *given, "--out", tmp_path / "next").exception
    assert isinstance(error, UsageError)
    assert says in str(error)
    assert not any(tmp_path.iterdir())


def test_more_epochs_refuse_other_settings(photos: Path, tmp_path: Path) -> None:
    words = ("--more-epochs", "1", "--epochs", "3", "--out", tmp_path / "run")
    error = call(photos, *words).exception
    assert isinstance(error, UsageError)
    assert "--epochs: is given with --more-epochs" in str(error)
    assert f"--from {tmp_path / 'run'}" in str(error)
