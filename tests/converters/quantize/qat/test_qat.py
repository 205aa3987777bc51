"""Quantization-aware training, from a model that INT8 breaks to one that it does not."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.quantize.qat.job import QatJob
from edgeinfer.converters.quantize.qat.qat import QatOptions, QatResult, quantization_aware_training
from edgeinfer.converters.quantize.qat.train_job import run_job
from edgeinfer.converters.quantize.quantize import QuantizeOptions, quantize_trained
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tensorflow.worker.job import Here, Worker
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import ConversionError, ModelError, UsageError
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, normalize_table
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.fashion_mnist import EMBEDDED, LABELS, list_samples
from tests.converters.common.listening import Listening
from tests.support.program import PROGRAM

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_tensorflow")]
SPEC = PreprocessSpec(size=(28, 28), channels="grey", mean=(127.5,), std=(127.5,))
SAID = Said(labels=LABELS, decoder=Decoder(activation="softmax"))
STRETCH = 200.0


@pytest.fixture(scope="module")
def splits() -> tuple[list[Sample], list[Sample]]:
    """Photographs of clothing to train and to test with."""
    train, test = list_samples(EMBEDDED)
    return train[:2000], test[:400]


@pytest.fixture(scope="module")
def stretched(
    splits: tuple[list[Sample], list[Sample]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A small CNN four channels of which are 200 times larger than the rest.

    The next layer makes good for it, so the float model answers as before; in INT8 the other
    channels are left with a step or two.
    """
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    import keras

    L = keras.layers
    preprocessor, table = Preprocessor(SPEC), normalize_table(SPEC)
    inputs = np.stack([table[[0], preprocessor.image(read_sample(s.source))] for s in splits[0]])
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = L.ReLU()(L.BatchNormalization(momentum=0.8)(x))
    x = L.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization(momentum=0.8)(x))
    x = L.Conv2D(16, 1, use_bias=False)(x)
    wide = L.BatchNormalization(momentum=0.8)
    x = L.MaxPooling2D()(L.ReLU()(wide(x)))
    following = L.Conv2D(32, 3, padding="same", activation="relu")
    x = L.Dropout(0.1)(L.GlobalAveragePooling2D()(following(x)))
    model = keras.Model(image, L.Dense(10)(x))
    model.compile(
        optimizer=keras.optimizers.Adam(5e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(inputs, np.array([s.target for s in splits[0]]), epochs=5, batch_size=32, verbose=0)
    scale = np.where(np.arange(16) < 4, STRETCH, 1.0).astype(np.float32)
    wide.gamma.assign(wide.gamma * scale)
    wide.beta.assign(wide.beta * scale)
    following.kernel.assign(following.kernel / scale[:, None])
    wide.trainable = False
    path = tmp_path_factory.mktemp("stretched") / "model.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def tuned(
    stretched: Path,
    splits: tuple[list[Sample], list[Sample]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[QatResult, Listening]:
    """The fine-tuned model, and the progress that was reported."""
    told = Listening()
    result = quantization_aware_training(
        stretched,
        SPEC,
        splits[0],
        QatOptions(epochs=3, learning_rate=3e-4, max_images=1000),
        told,
        out=tmp_path_factory.mktemp("tuned") / "tuned.keras",
        tensorflow=Here(),
    )
    return result, told


def test_int8_loses_less_after_training(
    stretched: Path,
    tuned: tuple[QatResult, Listening],
    splits: tuple[list[Sample], list[Sample]],
) -> None:
    train, test = splits
    options = QuantizeOptions(backend="ai-edge-quantizer")
    plain = quantize_trained(stretched, SPEC, train[:100], options, Silent(), tensorflow=Here())
    tuned_model = tuned[0].keras_model
    better = quantize_trained(tuned_model, SPEC, train[:100], options, Silent(), tensorflow=Here())
    contents = {"float": plain.float32, "plain": plain.small, "tuned": better.small}

    def make(name: str) -> Any:
        return lambda: evaluation_model(
            contents[name], subject=name, task="classification", said=SAID, preprocess=SPEC
        )

    found: dict[str, Evaluation] = evaluate(
        {name: make(name) for name in contents}, test, TASK, SAID, truth="float"
    )
    # What is measured is the share of the float model's decisions that INT8 keeps.
    assert found["plain"].score < 0.7
    assert found["tuned"].score > found["plain"].score + 0.1


def test_the_loss_falls_and_is_reported(tuned: tuple[QatResult, Listening]) -> None:
    result, told = tuned
    assert result.images == 1000
    assert result.uncovered == ()
    assert len(result.losses) == 4
    assert result.losses[-1] < result.losses[0] / 3
    # Preparing them, their float answers, the loss before and three epochs are a round each.
    assert told.told == [
        "prepare pictures to train with quantization of 1000",
        "train with quantization of 5000",
    ]
    assert told.advances[:1002] == [*[1] * 1000, 32, 32]
    assert sum(told.advances) == 6000


def test_the_result_is_the_same_architecture_with_other_weights(
    stretched: Path, tuned: tuple[QatResult, Listening]
) -> None:
    import keras

    before = keras.saving.load_model(stretched, compile=False)
    after = keras.saving.load_model(tuned[0].keras_model, compile=False)
    assert after.get_config() == before.get_config()
    changed = {
        (layer.name, old.name)
        for layer, new in zip(before.layers, after.layers, strict=True)
        for old, other in zip(layer.weights, new.weights, strict=True)
        if not np.array_equal(old.numpy(), other.numpy())
    }
    names = {name for _, name in changed}
    # Even what an earlier stage froze learns; the statistics of batch normalization never do.
    assert names == {"kernel", "bias", "gamma", "beta"}
    assert not any("moving" in name for name in names)


def tune(
    model: Path, samples: list[Sample], out: Path, tensorflow: Worker | None = None, **options: Any
) -> QatResult:
    chosen = QatOptions(**{"epochs": 1, "batch_size": 8, **options})
    return quantization_aware_training(
        model, SPEC, samples, chosen, Silent(), out=out, tensorflow=tensorflow or Here()
    )


def test_the_same_seed_gives_the_same_model(
    stretched: Path, splits: tuple[list[Sample], list[Sample]], tmp_path: Path
) -> None:
    first, again = (
        tune(stretched, splits[0][:40], tmp_path / name, seed=1, max_images=24)
        for name in ("a.keras", "b.keras")
    )
    assert first.images == 24
    # Threads add numbers up in another order each time.
    assert first.losses == pytest.approx(again.losses, rel=1e-4)


@pytest.mark.parametrize("last", ["value", "softmax"])
def test_other_answers_than_logits_are_learned_too(
    last: str, splits: tuple[list[Sample], list[Sample]], tmp_path: Path
) -> None:
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    import keras

    L = keras.layers
    keras.utils.set_random_seed(0)
    first, head = L.Conv2D(4, 5, strides=3, activation="relu"), L.Dense(1 + 3 * (last != "value"))
    layers = [keras.Input((28, 28, 1)), first, L.Flatten(), head]
    model = keras.Sequential(layers + [L.Softmax()] * (last == "softmax"))
    # One channel is so much larger that INT8 has few steps for the others.
    scale = np.array([STRETCH, 1, 1, 1], np.float32)
    first.kernel.assign(first.kernel * scale)
    head.kernel.assign(head.kernel / np.tile(scale, 64)[:, None])
    model.save(tmp_path / "model.keras")
    result = tune(tmp_path / "model.keras", splits[0][:64], tmp_path / "out.keras", epochs=4)
    assert 0 < result.losses[-1] < 0.95 * result.losses[0]
    assert result.losses[0] < 10


def test_a_learning_rate_too_high_is_named(
    stretched: Path, splits: tuple[list[Sample], list[Sample]], tmp_path: Path
) -> None:
    with pytest.raises(ConversionError, match=r"diverged: .*; lower the learning rate") as caught:
        tune(stretched, splits[0][:80], tmp_path / "out.keras", learning_rate=1e30, epochs=2)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_a_distribution_are_learned_one_by_one(
    splits: tuple[list[Sample], list[Sample]], stretched: Path, tmp_path: Path
) -> None:
    """Of a distribution's logits only their differences count, of other numbers each one."""

    def losses(*, distribution: bool) -> float:
        options = QatOptions(epochs=1, max_images=32, learning_rate=1e-9, distribution=distribution)
        result = quantization_aware_training(
            *(stretched, SPEC, splits[0], options, Silent()),
            out=tmp_path / "out.keras",
            tensorflow=Here(),
        )
        return result.losses[0]

    divergence, share = (losses(distribution=kind) for kind in (True, False))
    assert divergence != pytest.approx(share, rel=0.05)
    assert 0 < share < 10  # of the answers' variance


def test_models_that_cannot_be_trained_are_named(
    splits: tuple[list[Sample], list[Sample]], stretched: Path, tmp_path: Path
) -> None:
    import keras

    L = keras.layers
    image = keras.Input((28, 28, 1))
    rows = L.LSTM(4, name="memory")(L.Reshape((28, 28))(image))
    model, out = tmp_path / "lstm.keras", tmp_path / "out.keras"
    keras.Model(image, L.Dense(2)(rows)).save(model)
    few = splits[0][:4]
    with pytest.raises(ConversionError, match=r"lstm\.keras: 'memory' is a recurrent layer"):
        tune(model, few, out)
    (tmp_path / "truncated.keras").write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(ConversionError, match=r"truncated\.keras: cannot be trained \(\w+"):
        tune(tmp_path / "truncated.keras", few, out)
    job = QatJob(
        keras_model=str(stretched),
        preprocess=PreprocessSpec(size=(8, 8), channels="grey", mean=(0.0,), std=(1.0,)),
        images="",
        output_folder=str(tmp_path),
        calibration_images=1,
        epochs=1,
        learning_rate=1e-4,
        batch_size=8,
        seed=0,
        calibration="min-max",
        per_tensor_dense=False,
    )
    with pytest.raises(ConversionError, match=r"its input is \(28, 28, 1\), expected \(8, 8, 1\)"):
        run_job(job, Silent())
    assert not out.exists()


def test_what_is_missing_is_named_before_training(
    splits: tuple[list[Sample], list[Sample]], stretched: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConversionError, match="no pictures to train with, expected at least one"):
        tune(stretched, [], tmp_path / "out.keras")
    with pytest.raises(ModelError, match=r"does not exist, expected a \.keras file"):
        tune(tmp_path / "none.keras", splits[0][:4], tmp_path / "out.keras")
    wrong: list[dict[str, Any]] = [
        {"epochs": 0},
        {"learning_rate": float("nan")},
        {"calibration": "guess"},
    ]
    for options in wrong:
        with pytest.raises(UsageError, match=f"{next(iter(options))}: "):
            QatOptions(**options)


def test_a_worker_that_is_killed_is_reported_as_such(
    splits: tuple[list[Sample], list[Sample]],
    stretched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -KILL $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    with (
        TensorflowProcess() as tensorflow,
        pytest.raises(ConversionError, match="killed by SIGKILL; free memory or lower the batch"),
    ):
        tune(stretched, splits[0][:4], tmp_path / "out.keras", tensorflow)


def test_ctrl_c_ends_the_worker_too(
    splits: tuple[list[Sample], list[Sample]],
    stretched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", PROGRAM[0])  # a process that has the command's own name

    pids: list[int | None] = []

    class Interrupting(Listening):
        def advance(self, steps: int = 1, note: str = "") -> None:
            super().advance(steps, note)
            if sum(self.advances) > 500:
                pids.append(tensorflow.pid)
                raise KeyboardInterrupt

    with TensorflowProcess() as tensorflow:
        with pytest.raises(KeyboardInterrupt):
            quantization_aware_training(
                stretched,
                SPEC,
                splits[0][:500],
                QatOptions(epochs=50),
                Interrupting(),
                out=tmp_path / "x.keras",
                tensorflow=tensorflow,
            )
        assert tensorflow.pid is None
    (pid,) = pids
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()
    assert list(tmp_path.iterdir()) == []
