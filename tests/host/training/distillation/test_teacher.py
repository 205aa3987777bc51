"""The teacher's answers: what it would say live, in the student's order, asked once."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, TRAINED_FILE
from edgeinfer.device.core.errors import EdgeinferError, ModelError, StorageError, UsageError
from edgeinfer.device.preprocess import Preprocessor, normalize_table
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.data.batches import normalize
from edgeinfer.host.training.data.feature_cache import DTYPE, FeatureFile
from edgeinfer.host.training.distillation.teacher import (
    StandardFeatures,
    TeacherAnswers,
    TeacherConfig,
    ask_teacher,
)
from tests.host.training.distillation.teacher_run import (
    LABELS,
    SPEC,
    WIDTH,
    teacher_network,
    write_pictures,
    write_teacher,
)
from tests.spots.training import TASK as SPOTS


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return write_pictures(tmp_path_factory.mktemp("pictures"), 14)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_teacher(tmp_path_factory.mktemp("teachers") / "teacher")


def _ask(
    run: Path,
    samples: list[Sample],
    cache: Path,
    *,
    labels: tuple[str, ...] = LABELS,
    mirrored: bool = False,
    features: bool = False,
    said: io.StringIO | None = None,
) -> TeacherAnswers:
    config = TeacherConfig(run=run, features=features)
    progress = LineProgress(said or io.StringIO())
    lesson = Lesson(task=TASK, said=Said(labels=labels))
    return ask_teacher(config, samples, lesson, cache=cache, mirrored=mirrored, progress=progress)


def _inputs(samples: list[Sample]) -> Floats:
    """Return what the teacher sees of each sample, as the device prepares it."""
    prepare = Preprocessor(SPEC).image
    images = np.stack([prepare(read_sample(sample.source)) for sample in samples])
    return normalize(images, normalize_table(SPEC))


@pytest.mark.slow
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_answers_are_those_of_a_live_run(
    mirrored: bool, run: Path, samples: list[Sample], tmp_path: Path
) -> None:
    import keras

    answers = _ask(run, samples, tmp_path, mirrored=mirrored, features=True)
    teacher = teacher_network()
    both = keras.Model(teacher.input, [teacher.output, teacher.get_layer("pool").output])
    inputs = _inputs(samples)
    logits, features = (np.asarray(values) for values in both(inputs))
    if mirrored:
        flipped = [np.asarray(values) for values in both(inputs[:, :, ::-1])]
        logits, features = (logits + flipped[0]) / 2, (features + flipped[1]) / 2
    # Kept in half precision, 11 bits.
    np.testing.assert_allclose(answers.logits, logits, rtol=2e-3, atol=1e-3)
    assert answers.logits.dtype == np.float32
    assert answers.features is not None
    assert answers.features.shape == (len(samples), WIDTH)
    wanted = (features - features.mean(axis=0)) / features.std(axis=0)
    order = np.array([5, 0, 13])
    # Half a step of half precision, divided by the features' deviation.
    slack = 2e-3 * float((np.abs(features).max(axis=0) / features.std(axis=0)).max())
    np.testing.assert_allclose(answers.features.read(order), wanted[order], atol=slack)


@pytest.mark.slow
def test_classes_in_another_order_are_put_in_the_students(
    run: Path, samples: list[Sample], tmp_path: Path
) -> None:
    there = _ask(run, samples, tmp_path)
    turned = _ask(run, samples, tmp_path, labels=LABELS[::-1])
    np.testing.assert_array_equal(turned.logits, there.logits[:, ::-1])


def test_other_classes_are_refused(run: Path, samples: list[Sample], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"left, right, expected .*up; train a teacher"):
        _ask(run, samples, tmp_path, labels=("left", "up"))
    assert not list(tmp_path.iterdir())


def test_a_task_without_a_teacher_is_refused(
    run: Path, samples: list[Sample], tmp_path: Path
) -> None:
    lesson = Lesson(task=SPOTS, said=Said())
    progress, config = LineProgress(io.StringIO()), TeacherConfig(run=run)
    with pytest.raises(UsageError, match="task is 'classification', expected 'spots', the student"):
        ask_teacher(config, samples, lesson, cache=tmp_path, mirrored=False, progress=progress)
    with pytest.raises(UsageError, match="--teacher: given for the task 'spots'; leave it out"):
        SPOTS.teacher_order(run, Said(), Said())


@pytest.mark.slow
def test_it_is_asked_once_for_the_same_pictures(
    run: Path, samples: list[Sample], tmp_path: Path
) -> None:
    first, again, other, altered = (io.StringIO() for _ in range(4))
    answers = _ask(run, samples, tmp_path, said=first)
    repeated = _ask(run, samples, tmp_path, said=again)
    np.testing.assert_array_equal(answers.logits, repeated.logits)
    assert "teacher: " in first.getvalue()
    assert not again.getvalue()
    _ask(run, samples[:-1], tmp_path, said=other)
    assert "teacher: features of 13 pictures" in other.getvalue()
    # A picture that has been replaced under its name is another picture.
    Path(samples[0].source).write_bytes(Path(samples[1].source).read_bytes())
    changed = _ask(run, samples, tmp_path, said=altered)
    assert altered.getvalue()
    np.testing.assert_allclose(changed.logits[0], changed.logits[1])
    # Prepared pictures are not kept.
    assert not list(tmp_path.rglob("*.u8"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        (KERAS_FILE, b""),
        (KERAS_FILE, b"PK\x03\x04 cut"),
        (KERAS_FILE, None),
        (TRAINED_FILE, b"{"),
        (TRAINED_FILE, None),
    ],
)
def test_a_damaged_teacher_gives_one_clear_line(
    name: str, content: bytes | None, samples: list[Sample], tmp_path: Path
) -> None:
    run = write_teacher(tmp_path / "teacher")
    if content is None:
        (run / name).unlink()
    else:
        (run / name).write_bytes(content)
    with pytest.raises(
        ModelError, match=r"teacher.*; (train .*again|run `edgeinfer train` first)"
    ) as caught:
        _ask(run, samples, tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_made_is_reported(
    run: Path, samples: list[Sample], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match="cache"):
        _ask(run, samples, tmp_path / "cache")


@pytest.mark.slow
def test_a_network_that_is_not_what_its_run_says_is_refused(
    samples: list[Sample], tmp_path: Path
) -> None:
    run = write_teacher(tmp_path / "teacher", model=teacher_network(classes=3))
    with pytest.raises(ModelError, match=r"gives \(3,\), expected .* \(2,\)"):
        _ask(run, samples, tmp_path)


@pytest.mark.slow
def test_without_a_feature_vector_there_is_none_to_learn(
    samples: list[Sample], tmp_path: Path
) -> None:
    import keras

    inputs = keras.Input(SPEC.shape)
    flat = keras.layers.Flatten()(inputs)
    run = write_teacher(tmp_path / "t", model=keras.Model(inputs, keras.layers.Dense(2)(flat)))
    assert _ask(run, samples, tmp_path).features is None
    with pytest.raises(UsageError, match="no layer named 'pool'; leave --teacher-features out"):
        _ask(run, samples, tmp_path, features=True)


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 2), st.integers(1, 40), st.integers(1, 5)),
        elements=st.floats(-8, 8, width=16),
    )
)
def test_features_are_standardized(
    tmp_path_factory: pytest.TempPathFactory, values: NDArray[np.float32]
) -> None:
    folder = tmp_path_factory.mktemp("features")
    files = []
    for number, variant in enumerate(values):
        path = folder / f"{number}.f16"
        path.write_bytes(variant.astype(DTYPE).tobytes())
        files.append(FeatureFile(path, variant.shape))
    rows = StandardFeatures(files).read(np.arange(values.shape[1]))
    mean = values.mean(axis=0, dtype=np.float64)
    deviation = mean.std(axis=0)
    # What almost does not change is left at 0.
    changes = deviation > 2e-4
    expected = (mean - mean.mean(axis=0)) / np.where(changes, deviation, np.inf)
    np.testing.assert_allclose(rows[:, changes], expected[:, changes], rtol=1e-3, atol=1e-2)
    assert np.isfinite(rows).all()
    assert not rows[:, deviation < 5e-5].any()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"weight": 0.0}, "--teacher-weight: 0"),
        ({"weight": 1.01}, "--teacher-weight: 1.01"),
        ({"weight": float("nan")}, "--teacher-weight: nan"),
        ({"temperature": 0.0}, "--temperature: 0"),
        ({"temperature": float("inf")}, "--temperature: inf"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], says: str) -> None:
    with pytest.raises(EdgeinferError, match=says):
        TeacherConfig(run=Path("x"), **settings)  # type: ignore[arg-type]
