"""The calls that a Keras model makes, in order, found only with Keras's public interface."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeinfer.device.core.errors import ConversionError


def functional(model: Any) -> Any:
    """Return a Sequential or functional model as a functional one.

    Raises:
        ConversionError: it is none of the two.
    """
    import keras

    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs, model.outputs, name=model.name)
    # Only functional models know their operations.
    if not hasattr(model, "operations"):
        raise ConversionError(
            model.name,
            got="is not a functional or Sequential Keras model",
            expected="a model of one of these kinds",
        )
    return model


@dataclass(kw_only=True)
class Call:
    """A layer's use.

    Attributes:
        layer: a Keras layer, or an operation of keras.ops.
        fill: gives the layer's arguments, positional and by name, with values for its tensors.
        inputs: numbers of the tensors among its arguments.
        output: number of its result.
        shape: of its result; None along the batch.
    """

    layer: Any
    fill: Callable[[Sequence[Any]], tuple[Any, Any]]
    inputs: list[int]
    output: int
    shape: tuple[int | None, ...]

    @property
    def rank(self) -> int:
        """How many axes the result has."""
        return len(self.shape)

    def run(self, *values: Any) -> Any:
        """Call the layer again, with values for its tensors."""
        args, kwargs = self.fill(values)
        return self.layer(*args, **kwargs)


class Trace:
    """A model's calls in order: nested models opened, without layers that do nothing in inference.

    Attributes:
        calls: in an order in which they can run.
    """

    def __init__(self) -> None:
        import keras

        layers = keras.layers
        self.calls: list[Call] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no tensor's id is used again
        self._counter = itertools.count()
        self._idle = (
            *(layers.Dropout, layers.SpatialDropout2D, layers.AlphaDropout, layers.GaussianDropout),
            *(layers.GaussianNoise, layers.ActivityRegularization, layers.Identity),
        )

    def follow(self, model: Any) -> tuple[list[int], list[int]]:
        """Record a functional model's calls; return the numbers of its inputs and outputs."""
        import keras

        # "Cloning" with its own layers calls each of them again, in order.
        clone = keras.models.clone_model(
            model, clone_function=lambda layer: layer, call_function=self._record
        )
        self._kept.append(clone)
        return [self.number(t) for t in clone.inputs], [self.number(t) for t in clone.outputs]

    def fresh(self) -> int:
        """Return a number for a value without a Keras tensor."""
        return next(self._counter)

    def number(self, tensor: Any) -> int:
        """Return a tensor's number, a new one for a new tensor."""
        return self._numbers.setdefault(id(tensor), self.fresh())

    def _record(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        import keras

        outputs = layer(*args, **kwargs)
        self._kept.append(outputs)
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            raise ConversionError(
                layer.name, got="is a recurrent layer", expected="a model without any"
            )
        if not isinstance(outputs, keras.KerasTensor):
            raise ConversionError(layer.name, got="returns several results", expected="one")
        tensors = [
            leaf
            for leaf in keras.tree.flatten((args, kwargs))
            if isinstance(leaf, keras.KerasTensor)
        ]
        inputs = [self.number(tensor) for tensor in tensors]
        linear = getattr(layer, "activation", None) is keras.activations.linear
        if isinstance(layer, self._idle) or (type(layer) is keras.layers.Activation and linear):
            self._numbers[id(outputs)] = inputs[0]
        elif isinstance(layer, keras.Model) and len(inputs) == 1:
            self._numbers[id(outputs)] = self._nested(layer, inputs[0])
        else:
            self.calls.append(
                Call(
                    layer=layer,
                    fill=lambda values: _filled((args, kwargs), values),
                    inputs=inputs,
                    output=self.number(outputs),
                    shape=tuple(outputs.shape),
                )
            )
        return outputs

    def _nested(self, model: Any, outer: int) -> int:
        """Record a model that is used as a layer; return its output's number."""
        first = len(self.calls)
        (inner,), (output,) = self.follow(functional(model))
        for call in self.calls[first:]:
            call.inputs = [outer if number == inner else number for number in call.inputs]
        return outer if output == inner else output


def _filled(structure: tuple[Any, Any], values: Sequence[Any]) -> tuple[Any, Any]:
    """Return a call's arguments with values instead of its tensors."""
    import keras

    rest = iter(values)
    filled: tuple[Any, Any] = keras.tree.map_structure(
        lambda leaf: next(rest) if isinstance(leaf, keras.KerasTensor) else leaf, structure
    )
    return filled
