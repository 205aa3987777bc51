"""The run's folder appears whole or not at all."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import LineProgress, Silent
from edgeinfer.device.core.errors import StorageError, UsageError
from edgeinfer.host.training.keeping.checkpoint_file import Checkpoint, write_checkpoint
from edgeinfer.host.training.keeping.identity import Identity
from edgeinfer.host.training.keeping.work_folder import Lock
from edgeinfer.host.training.keeping.workspace import kept_training, kept_workspace, workspace


def _make(out: Path, content: str, *, force: bool = False) -> None:
    with workspace(out, force=force) as place:
        assert not (out / "new").exists()
        (place.run / "trained.json").write_text(content)
        (place.cache / "big").write_text("cache")


def test_it_appears_by_rename_and_the_cache_goes(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "cats"
    _make(out, "first")
    assert os.listdir(out.parent) == ["cats"]
    assert os.listdir(out) == ["trained.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_an_error(tmp_path: Path, error: type[BaseException]) -> None:
    out = tmp_path / "cats"

    def work() -> None:
        with workspace(out, force=False) as place:
            (place.run / "model.keras").write_text("half")
            raise error

    with pytest.raises(error):
        work()
    assert not os.listdir(tmp_path)


def test_an_earlier_run_stays_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    _make(out, "first")
    with pytest.raises(UsageError, match="--force"):
        _make(out, "second")
    with pytest.raises(ValueError, match="broken"), workspace(out, force=True):
        raise ValueError("broken")
    assert (out / "trained.json").read_text() == "first"
    _make(out, "third", force=True)
    assert (out / "trained.json").read_text() == "third"
    assert os.listdir(tmp_path) == ["cats"]


def test_force_does_not_replace_a_folder_of_someone_else(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_text("precious")
    with pytest.raises(UsageError, match="was not made by"):
        _make(photos, "run", force=True)
    assert (photos / "cat.jpg").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        _make(tmp_path / "file" / "cats", "run")


IDENTITY = Identity(settings={"--epochs": "3"}, samples=["train\ta.png\t'cat'\t"])


def _stop(out: Path, *, checkpoint: bool, error: type[BaseException] = KeyboardInterrupt) -> None:
    """Begin a training and stop it."""

    def work() -> None:
        kept = kept_workspace(out, IDENTITY, force=False, resume=False, progress=Silent())
        with kept as place:
            (place.cache / "train.u8").write_text("prepared")
            if checkpoint:
                assert place.checkpoints is not None
                facts = {"stage": [1, "train"], "epoch": 2, "step": 0, "epochs": [{}, {}]}
                write_checkpoint(
                    place.checkpoints / "checkpoint-00000001", Checkpoint(facts=facts, arrays={})
                )
            raise error

    with pytest.raises(error):
        work()


def test_a_stopped_training_waits_for_resume_or_force(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    _stop(out, checkpoint=True)
    assert os.listdir(tmp_path) == [".cats.training"]
    assert kept_training(out) == "the training up to train epoch 2"
    with (
        pytest.raises(UsageError, match=r"stopped at train epoch 2 .*--resume.*--force"),
        kept_workspace(out, IDENTITY, force=False, resume=False, progress=Silent()),
    ):
        pass
    with kept_workspace(out, IDENTITY, force=False, resume=True, progress=Silent()) as place:
        assert (place.cache / "train.u8").read_text() == "prepared"
        (place.run / "trained.json").write_text("whole")
    assert os.listdir(tmp_path) == ["cats"]


def test_force_starts_again(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    _stop(out, checkpoint=True)
    with kept_workspace(out, IDENTITY, force=True, resume=False, progress=Silent()) as place:
        assert not any(place.cache.iterdir())
        assert place.checkpoints is not None
        assert not any(place.checkpoints.iterdir())


def test_what_was_only_prepared_is_used_again_or_removed(tmp_path: Path) -> None:
    out, said = tmp_path / "cats", io.StringIO()
    _stop(out, checkpoint=False)
    assert kept_training(out) == "what was prepared"
    _stop(out, checkpoint=False)
    other = replace(IDENTITY, settings={"--epochs": "9"})
    told = LineProgress(said)
    with kept_workspace(out, other, force=False, resume=False, progress=told) as place:
        assert not any(place.cache.iterdir())
    assert "removed what a training left" in said.getvalue()
    # After another error it would only take up room.
    _stop(tmp_path / "dogs", checkpoint=False, error=OSError)
    assert os.listdir(tmp_path) == ["cats"]


def test_there_must_be_something_to_go_on_with(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    with (
        pytest.raises(UsageError, match="no training to go on with"),
        kept_workspace(out, IDENTITY, force=False, resume=True, progress=Silent()),
    ):
        pass
    assert not os.listdir(tmp_path)


def test_two_trainings_of_one_run_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "cats"
    with (
        kept_workspace(out, IDENTITY, force=False, resume=False, progress=Silent()),
        pytest.raises(UsageError, match=f"in use by another training, process {os.getpid()}"),
        kept_workspace(out, IDENTITY, force=True, resume=False, progress=Silent()),
    ):
        pass


def test_what_a_killed_process_left_is_removed_and_said(tmp_path: Path) -> None:
    dead, alive = tmp_path / ".dogs.99.making", tmp_path / ".owls.98.making"
    Lock(dead).release()
    (dead / "half").write_text("half")
    held = Lock(alive)
    said = io.StringIO()
    with workspace(tmp_path / "cats", force=False, progress=LineProgress(said)):
        pass
    assert sorted(os.listdir(tmp_path)) == [".owls.98.making", "cats"]
    assert f"removed {dead}" in said.getvalue().replace("\n", " ")
    held.release()
