"""Activations kept for the next training: found again, never out of date, never damaged."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.device.core.files import cache_home
from edgeinfer.host.training.data.batches import ImageSource
from edgeinfer.host.training.data.kept_features import FOLDER, LIMIT_ENV, fetch, keep
from tests.host.training.data.problem import small_network, squares

pytestmark = pytest.mark.slow

TABLE = np.arange(-1, 1, 1 / 128, dtype=np.float32)[None].repeat(3, axis=0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(LIMIT_ENV, raising=False)


def features(
    folder: Path, source: ImageSource, model: Any, *, mirrored: bool = False
) -> tuple[np.ndarray[Any, Any], str]:
    """Return the activations of all pictures, and what was said."""
    from edgeinfer.host.training.data.feature_cache import cache_features
    from edgeinfer.host.training.data.kept_features import features_key

    told = io.StringIO()
    folder.mkdir()
    ((plain, *_),) = cache_features(
        *(model, source, folder, "train"),
        mirrored=mirrored,
        progress=LineProgress(told),
        key=lambda: features_key(model, source, mirrored=mirrored),
    )
    return plain.read(np.arange(len(source.rows))), told.getvalue()


def test_they_are_used_again_for_the_same_network_and_pictures(tmp_path: Path) -> None:
    source, model = ImageSource(squares(20, side=16, depth=3), TABLE), small_network(16, seed=1)
    first, told = features(tmp_path / "1", source, model)
    assert "earlier training" not in told
    second, told = features(tmp_path / "2", source, model)
    assert "earlier training" in told
    assert np.array_equal(first, second)
    others = {
        "other weights": (source, small_network(16, seed=2)),
        "other pictures": (ImageSource(squares(20, side=16, depth=3, seed=5), TABLE), model),
        "another normalization": (ImageSource(squares(20, side=16, depth=3), TABLE * 2), model),
        "fewer pictures": (ImageSource(squares(19, side=16, depth=3), TABLE), model),
    }
    for name, (images, network) in others.items():
        _, told = features(tmp_path / name, images, network)
        assert "earlier training" not in told, name
    _, told = features(tmp_path / "mirrored", source, model, mirrored=True)
    assert "earlier training" not in told


def test_a_damaged_entry_is_computed_again(tmp_path: Path) -> None:
    source, model = ImageSource(squares(20, side=16, depth=3), TABLE), small_network(16, seed=1)
    first, _ = features(tmp_path / "1", source, model)
    (entry,) = (cache_home() / FOLDER).iterdir()
    file = entry / "train.0.0.f16"
    for number, content in enumerate((file.read_bytes()[:-2], b"", file.read_bytes()[::-1])):
        file.write_bytes(content)
        again, told = features(tmp_path / f"again{number}", source, model)
        assert "earlier training" not in told
        assert np.array_equal(first, again)


def test_the_oldest_entries_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_ENV, "1")
    file = tmp_path / "file"
    file.write_bytes(bytes(400_000))
    for key in ("a", "b"):
        keep(key, [file])
    assert fetch("a", [tmp_path / "file"])
    keep("c", [file])
    kept = {entry.name for entry in (cache_home() / FOLDER).iterdir()}
    assert "c" in kept
    assert len(kept) == 2
    file.write_bytes(bytes(1_100_000))
    keep("large", [file])
    assert {entry.name for entry in (cache_home() / FOLDER).iterdir()} == kept


def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    file = tmp_path / "file"
    file.write_bytes(b"1")
    keep("a", [file])
    assert not fetch("a", [tmp_path / "wanted"])
