"""The rest of a network computes what the whole one does without the removed channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edgeinfer.converters.pruning.cost import CostModel
from edgeinfer.converters.pruning.graph import channel_graph
from edgeinfer.converters.pruning.surgery import keep_channels, with_input_size
from edgeinfer.device.core.errors import ConversionError

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
from tests.converters.pruning import networks as nets  # noqa: E402

layers = keras.layers
SOME = settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@SOME
@given(st.data(), st.integers(0, 2**32 - 1))
def test_what_is_left_computes_what_the_whole_does_with_those_channels_at_zero(
    data: st.DataObject, seed: int
) -> None:
    model = nets.network(data.draw)
    graph = channel_graph(model)
    before = model.get_config(), model.get_weights()
    keep = nets.random_keep(graph, np.random.default_rng(seed))
    inputs = nets.noise(graph)
    whole = nets.answers(model, inputs)
    pruned = keep_channels(graph, keep)
    nets.assert_same(nets.answers(pruned, inputs), nets.cut_answers(graph, keep, inputs))
    # The same groups are found in what is left, and cost what was foretold.
    smaller = channel_graph(pruned)
    counts = {index: int(keep[group.cells].sum()) for index, group in enumerate(graph.groups)}
    if min(counts.values(), default=2) > 1:
        assert [len(group.cells) for group in smaller.groups] == list(counts.values())
        cost = CostModel(smaller)
        assert cost.total(cost.full) == pytest.approx(CostModel(graph).total(counts))
    # The original is as it was.
    assert model.get_config() == before[0]
    nets.assert_same(model.get_weights(), before[1])
    everything = keep_channels(graph, np.ones(graph.cells, bool))
    nets.assert_same(nets.answers(everything, inputs), whole)


def _half(model: Any) -> Any:
    """Check what is left of a model after half of each group went, and return it."""
    nets.randomize(model)
    graph = channel_graph(model)
    assert graph.groups
    keep = np.ones(graph.cells, bool)
    for group in graph.groups:
        keep[group.cells[1::2]] = False
    pruned = keep_channels(graph, keep)
    assert pruned.count_params() < model.count_params()
    inputs = nets.noise(graph)
    nets.assert_same(nets.answers(pruned, inputs), nets.cut_answers(graph, keep, inputs))
    return pruned


def test_what_is_left_can_be_saved_and_loaded(tmp_path: Path) -> None:
    image = keras.Input((6, 6, 3), name="image")
    x = layers.Conv2D(8, 3, activation="relu", name="first")(image)
    x = layers.BatchNormalization()(x) * 0.5 + 0.1
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    pruned = _half(keras.Model(image, layers.Dense(2, name="logits")(x), name="net"))
    pruned.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = nets.noise(channel_graph(loaded))
    nets.assert_same(nets.answers(loaded, inputs), nets.answers(pruned, inputs))
    assert (loaded.name, loaded.get_layer("first").filters) == ("net", 4)
    assert loaded.get_layer("pool").output.shape == (None, 4)


def test_a_sequential_model_loses_channels() -> None:
    convolution = layers.Conv2D(6, 3, activation="relu", name="convolution")
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), convolution, layers.Flatten(), layers.Dense(2)]
    )
    assert _half(model).get_layer("convolution").filters == 3


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")
def test_a_softmax_over_one_channel_is_taken_as_it_is() -> None:
    """It gives 1 everywhere, of which Keras warns; networks drawn at random have none."""
    image = keras.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, padding="same", name="convolution")(layers.Softmax()(image) + image)
    x = layers.Concatenate()([x, layers.Conv2D(1, 1, activation="softmax")(x)])
    pruned = _half(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    assert pruned.get_layer("convolution").filters == 2


@settings(SOME, max_examples=100)
@given(st.data())
def test_networks_drawn_at_random_run_without_a_warning(data: st.DataObject) -> None:
    """Warnings are errors here: one network in thousands must not end the test above."""
    image = keras.Input((nets.SIDE, nets.SIDE, 1))
    model = keras.Model(image, nets.weightless(data.draw, [image]))
    nets.answers(model, [np.ones((1, *image.shape[1:]), np.float32)])


def test_names_that_collide_when_nested_models_are_opened_are_made_new() -> None:
    image = keras.Input((6, 6, 2), name="image")

    def block() -> Any:
        inside = keras.Input((6, 6, 4), name="image")
        y = layers.Conv2D(4, 1, name="convolution")(inside)
        return keras.Model(inside, layers.ReLU(name="pool")(y + inside))

    x = layers.Conv2D(4, 3, padding="same", name="convolution")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(block()(block()(x)))
    pruned = _half(keras.Model(image, layers.Dense(2)(x)))
    # The outer layers keep their names: by them the training finds them.
    assert isinstance(pruned.get_layer("pool"), layers.GlobalAveragePooling2D)
    assert pruned.get_layer("convolution").input.shape == (None, 6, 6, 2)


def test_operations_whose_names_collide_are_made_new() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same")(image)
    for _ in range(2):
        inside = keras.Input((6, 6, 4))
        nested = keras.Model(inside, inside * 2)
        nested.operations[-1].name = "multiply"
        x = nested(x)
    _half(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))


def test_a_nested_model_that_is_used_twice_stays_whole() -> None:
    image = keras.Input((6, 6, 2))
    first = layers.Conv2D(4, 3, padding="same", name="first")(image)
    nested = keras.Sequential([layers.Conv2D(4, 1, name="shared"), layers.ReLU()])
    last = layers.Conv2D(4, 1, name="last")(nested(nested(first)))
    pruned = _half(keras.Model(image, layers.Dense(2)(layers.Flatten()(last))))
    widths = [pruned.get_layer(name).filters for name in ("first", "shared", "last")]
    assert widths == [4, 4, 2]


def test_a_reshape_that_is_used_twice_stays_whole() -> None:
    image = keras.Input((6, 6, 2))
    x, y = (layers.Conv2D(4, 3, padding="same")(image) for _ in range(2))
    pool, reshape = layers.GlobalAveragePooling2D(), layers.Reshape((1, 1, 4))
    both = layers.Concatenate()([reshape(pool(x)), reshape(pool(y))])
    z = layers.Conv2D(4, 1, name="last")(both)
    pruned = _half(keras.Model(image, layers.Dense(2)(layers.Flatten()(z))))
    assert pruned.get_layer("last").filters == 2


def test_several_inputs_and_outputs_keep_their_form() -> None:
    left, right = keras.Input((6, 6, 1), name="b"), keras.Input((6, 6, 2), name="a")
    x = layers.Conv2D(4, 3, name="x")(left) + layers.Conv2D(4, 3, name="y")(right)
    inner = layers.Conv2D(5, 1, name="inner")(x)
    logits = layers.Dense(2)(layers.Flatten()(layers.ReLU()(inner)))
    model = keras.Model({"b": left, "a": right}, {"logits": logits, "inner": inner})
    pruned = _half(model)
    assert set(pruned.input) == {"a", "b"}
    assert {name: tuple(value.shape) for name, value in pruned.output.items()} == {
        "logits": (None, 2),
        "inner": (None, 4, 4, 5),
    }
    assert pruned.get_layer("x").filters == pruned.get_layer("y").filters == 2


def test_additions_of_concatenations_and_the_reverse() -> None:
    image = keras.Input((6, 6, 2))
    a, b, c, d = (layers.Conv2D(width, 3, name=f"c{width}")(image) for width in (2, 4, 6, 8))
    added = layers.Add()([layers.Concatenate()([a, b]), c])
    again = layers.Concatenate()([added, layers.Add()([d, layers.Concatenate()([a, c])])])
    pruned = _half(keras.Model(image, layers.Dense(2)(layers.Flatten()(again))))
    assert pruned.get_layer("c6").filters == sum(
        pruned.get_layer(name).filters for name in ("c2", "c4")
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_other_dtypes_stay(policy: str) -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(6, 3, dtype=policy, name="convolution")(image)
    model = keras.Model(image, layers.Dense(2, dtype="float32")(layers.Flatten(dtype=policy)(x)))
    graph = channel_graph(nets.randomize(model))
    keep = np.ones(graph.cells, bool)
    (group,) = graph.groups
    keep[group.cells[3:]] = False
    pruned = keep_channels(graph, keep)
    assert pruned.get_layer("convolution").dtype_policy.name == policy
    assert pruned.get_layer("convolution").filters == 3
    inputs = nets.noise(graph)
    got, expected = nets.answers(pruned, inputs), nets.cut_answers(graph, keep, inputs)
    np.testing.assert_allclose(got[0], expected[0], rtol=2e-2, atol=2e-2)


def test_a_layer_without_any_channel_is_refused() -> None:
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, name="gone")(image)
    graph = channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    keep = np.ones(graph.cells, bool)
    keep[graph.groups[0].cells] = False
    with pytest.raises(ConversionError, match="gone: would lose all its channels"):
        keep_channels(graph, keep)


def test_another_input_size_has_the_same_weights() -> None:
    image = keras.Input((12, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(image)
    x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x * 2))
    model = nets.randomize(keras.Model(image, layers.Dense(2)(x)))
    smaller = with_input_size(channel_graph(model), (10, 8))
    assert smaller.input_shape == (None, 8, 10, 3)
    nets.assert_same(smaller.get_weights(), model.get_weights())
    # A picture of one colour pools to the same at any size, except for its edges.
    assert np.isfinite(nets.answers(smaller, nets.noise(channel_graph(smaller)))[0]).all()


@pytest.mark.parametrize(
    "head",
    [
        lambda x: layers.Dense(2)(layers.Flatten()(x)),
        lambda x: layers.Dense(2)(layers.Reshape((12 * 16 * 4,))(x)),
        lambda x: layers.Dense(2)(layers.Flatten()(layers.AveragePooling2D(12)(x))),
    ],
)
def test_a_network_that_depends_on_its_size_is_refused(head: Any) -> None:
    image = keras.Input((12, 16, 3))
    model = keras.Model(image, head(layers.Conv2D(4, 3, padding="same")(image)), name="fixed")
    with pytest.raises(ConversionError, match=r"fixed: .*depend on the picture's size of 16x12"):
        with_input_size(channel_graph(model), (10, 8))


def test_only_a_network_of_one_picture_takes_another_size() -> None:
    left, right = keras.Input((6, 6, 1)), keras.Input((6, 6, 1))
    model = keras.Model([left, right], layers.GlobalAveragePooling2D()(left + right))
    with pytest.raises(ConversionError, match="takes 2 inputs"):
        with_input_size(channel_graph(model), (4, 4))


def _enlarging(height: int) -> Any:
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="fine")(image)
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="coarse")(x)
    y = layers.Resizing(height, 4, interpolation="nearest", name="enlarged")(y)
    x = layers.Add()([x, y]) if height == 4 else y
    return keras.Model(image, layers.Conv2D(2, 1, name="last")(x))


def test_channels_pass_through_an_enlargement() -> None:
    pruned = _half(_enlarging(4))
    assert [pruned.get_layer(name).filters for name in ("fine", "coarse")] == [4, 4]


def test_an_enlargement_follows_the_input() -> None:
    model = with_input_size(channel_graph(_enlarging(4)), (16, 24))
    assert model.output_shape == (None, 12, 8, 2)
    with pytest.raises(ConversionError, match="enlarged: enlarges to 3 pixels of 8"):
        with_input_size(channel_graph(_enlarging(3)), (8, 12))
