"""Scores of channels against their formulas, and against what leaving channels out does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.pruning.graph import channel_graph
from edgeinfer.converters.pruning.importance import LossBatch, taylor_scores, weight_scores
from edgeinfer.converters.pruning.plan import choose_cells
from edgeinfer.converters.pruning.surgery import keep_channels
from edgeinfer.device.core.errors import ConversionError

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
from tests.converters.pruning import networks as nets  # noqa: E402

layers = keras.layers


def _loss(targets: Any, outputs: Any) -> Any:
    return keras.losses.categorical_crossentropy(targets, outputs, from_logits=True)


def _batches(count: int = 3, size: int = 8, channels: int = 2) -> list[LossBatch]:
    generator = np.random.default_rng(0)
    return [
        (
            generator.normal(size=(size, 6, 6, channels)).astype(np.float32),
            np.eye(2, dtype=np.float32)[generator.integers(0, 2, size)],
            generator.uniform(0.5, 2, size).astype(np.float32),
        )
        for _ in range(count)
    ]


def _relative(sums: NDArray[Any]) -> NDArray[Any]:
    relative: NDArray[Any] = sums / sums.mean()
    return relative


def test_l1_is_the_sum_of_each_layers_relative_weights() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, name="conv")(image)
    x = layers.DepthwiseConv2D(3, name="depth")(x)
    x = layers.Conv2DTranspose(5, 2, name="transposed")(x)
    x = layers.SeparableConv2D(3, 2, name="separable")(x)
    model = nets.randomize(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    graph = channel_graph(model)
    scores = weight_scores(graph, "l1")
    kernels = {name: np.abs(model.get_layer(name).get_weights()[0]) for name in ("conv", "depth")}
    transposed = np.abs(model.get_layer("transposed").kernel)
    pointwise = np.abs(model.get_layer("separable").pointwise_kernel)
    expected = {
        "conv": _relative(kernels["conv"].sum((0, 1, 2)))
        + _relative(kernels["depth"].sum((0, 1, 3))),
        "transposed": _relative(transposed.sum((0, 1, 3))),
        "separable": _relative(pointwise.sum((0, 1, 2))),
    }
    assert [group.name for group in graph.groups] == list(expected)
    for group in graph.groups:
        np.testing.assert_allclose(scores[group.cells], expected[group.name], rtol=1e-5)


def test_bn_is_the_absolute_scale() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3)(image))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(layers.ReLU()(x))))
    model.get_layer("norm").gamma.assign([-3.0, 0.5, 0.0, 1.0])
    graph = channel_graph(model)
    scores = weight_scores(graph, "bn")
    assert scores[graph.groups[0].cells].tolist() == [3.0, 0.5, 0.0, 1.0]


@pytest.mark.parametrize("scale", [None, False])
def test_bn_needs_a_scale_for_every_group(scale: bool | None) -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, name="bare")(image)
    if scale is not None:
        x = layers.BatchNormalization(scale=scale)(x)
    graph = channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    with pytest.raises(ConversionError, match="bare: no batch normalization follows it"):
        weight_scores(graph, "bn")


def test_taylor_is_the_squared_product_of_gradient_and_weight() -> None:
    """Against differences: of the loss as all of a channel's weights are scaled a little."""
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(3, 3, activation="tanh", name="conv")(image)
    x = layers.DepthwiseConv2D(2, depth_multiplier=2, activation="tanh", name="depth")(x)
    x = layers.Conv2DTranspose(2, 2, activation="tanh", name="transposed")(x)
    model = nets.randomize(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    graph = channel_graph(model)
    batches = _batches(2)
    scores = taylor_scores(graph, _loss, batches)

    def loss(batch: LossBatch) -> float:
        inputs, targets, weights = batch
        return float(np.mean(np.asarray(_loss(targets, model(inputs))) * weights))

    def score(name: str, index: Any, channel: int) -> float:
        """Return the mean square of the loss's change by the relative size of some weights."""
        layer = model.get_layer(name)
        before = layer.get_weights()
        changes = []
        for batch in batches:
            losses = []
            for factor in (1.01, 0.99):
                kernel, bias = (weights.copy() for weights in before)
                kernel[index] *= factor
                bias[channel] *= factor
                layer.set_weights([kernel, bias])
                losses.append(loss(batch))
            changes.append((losses[0] - losses[1]) / 0.02)
        layer.set_weights(before)
        return float(np.mean(np.square(changes)))

    conv, transposed = graph.groups
    assert conv.layers == ("conv", "depth")
    expected = [
        score("conv", np.s_[..., c], c)
        + sum(score("depth", np.s_[..., c, m], 2 * c + m) for m in range(2))
        for c in range(3)
    ]
    np.testing.assert_allclose(scores[conv.cells], expected, rtol=0.05)
    expected = [score("transposed", np.s_[..., c, :], c) for c in range(2)]
    np.testing.assert_allclose(scores[transposed.cells], expected, rtol=0.05)


def test_a_channel_that_nothing_looks_at_scores_nothing() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 3)(image)))
    x = layers.GlobalAveragePooling2D()(x)
    model = nets.randomize(keras.Model(image, layers.Dense(2, name="logits")(x)))
    kernel, bias = model.get_layer("logits").get_weights()
    kernel[2] = 0.0
    model.get_layer("logits").set_weights([kernel, bias])
    graph = channel_graph(model)
    scores = taylor_scores(graph, _loss, _batches())[graph.groups[0].cells]
    assert scores[2] == 0.0
    assert (np.delete(scores, 2) > 1e-9).all()


@pytest.mark.parametrize("nested", [False, True])
def test_dropping_the_lowest_scores_hurts_less_than_the_highest(nested: bool) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(256, 6, 6, 2)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[(inputs[:, :3].mean((1, 2, 3)) > 0).astype(int)]
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 2))
    body = [layers.Conv2D(12, 3, name="conv"), layers.BatchNormalization(), layers.ReLU()]
    x = keras.Sequential(body)(image) if nested else body[2](body[1](body[0](image)))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
    model.fit(inputs, targets, epochs=5, verbose=0)
    graph = channel_graph(model)
    weights = np.ones(16, np.float32)
    batches = [
        (inputs[start : start + 16], targets[start : start + 16], weights)
        for start in range(0, 256, 16)
    ]
    scores = taylor_scores(graph, _loss, batches)

    def loss_without(scores: Any) -> float:
        pruned = keep_channels(graph, choose_cells(graph, scores, {0: 8}))
        return float(np.mean(_loss(targets, pruned(inputs))))

    assert loss_without(scores) < loss_without(-scores)


def test_mixed_precision_is_scored() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, dtype="mixed_float16")(image)
    x = layers.Dense(2, dtype="mixed_float16")(layers.Flatten(dtype="mixed_float16")(x))
    graph = channel_graph(nets.randomize(keras.Model(image, x)))
    scores = taylor_scores(graph, _loss, _batches())
    assert (scores[graph.groups[0].cells] > 0).all()
