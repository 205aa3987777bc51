"""A Keras model as the steps of its INT8 TFLite graph: what fuses, and which tensors are rounded.

A step becomes one TFLite operator: a convolution with the batch normalization and the ReLU
that the converter fuses into it is one step, and only its result is a tensor. The rules follow what
TensorFlow 2.21's converter does with each layer:

- batch normalization folds into the convolution or dense layer before it, if nothing else reads
  that; everywhere else it is a multiplication and an addition by constants that are rounded too;
- ReLU and ReLU6 fuse into the operator before them, except a concatenation;
- pooling, reshaping and concatenation keep scale and zero point: what they read and what they give
  share one range;
- sigmoid, softmax and tanh have ranges that the format fixes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Rounding: TypeAlias = Literal["own", "shared", "kept"] | tuple[float, float]
"""How a result is rounded: to a range from pictures, to the range of its input, not at all because
its values are already rounded, or to a range that the format fixes."""

SIGMOID: Rounding = (0.0, 255 / 256)
TANH: Rounding = (-1.0, 127 / 128)


@dataclass(kw_only=True)
class Weights:
    """What a step multiplies or adds.

    Attributes:
        read: gives the float values.
        channel_axes: the axes that count output channels, each of which is rounded separately to
            [-127, 127]; empty for an elementwise constant, which is rounded as activations are.
        bias: a Keras variable, or None.
        dense: whether they belong to a dense layer.
    """

    read: Callable[[], Any]
    channel_axes: tuple[int, ...] = ()
    bias: Any = None
    dense: bool = False


@dataclass(kw_only=True)
class Step:
    """One operator of the INT8 graph.

    Attributes:
        name: the Keras layer's name.
        inputs: numbers of the values that it reads.
        output: number of the value that it gives.
        run: computes it from the inputs and the weights (None where there are none).
        weights: its weights, if any.
        norm: the batch normalization that is folded into the weights, if any.
        relu: the activation that is fused into it, if any.
        rounding: of the result.
        fuses: an activation may be fused into it.
        softmax: whether it is a softmax.
    """

    name: str
    inputs: list[int]
    output: int
    run: Callable[[Sequence[Any], Any], Any]
    weights: Weights | None = None
    norm: Any = None
    relu: Callable[[Any], Any] | None = None
    rounding: Rounding = "own"
    fuses: bool = False
    softmax: bool = False

    @property
    def joins(self) -> bool:
        """Whether several values get one range, as in a concatenation."""
        return self.rounding == "kept" and len(self.inputs) > 1


@dataclass(kw_only=True)
class Graph:
    """A whole model.

    Attributes:
        steps: in an order in which they can run.
        input: number of the value that is the image.
        outputs: numbers of the values that are the answers, in the model's order; before a softmax
            at the end, where there is one answer.
        softmax: whether the model ends in a softmax.
        uncovered: names of layers whose inner results are not rounded.
    """

    steps: list[Step]
    input: int
    outputs: tuple[int, ...]
    softmax: bool
    uncovered: list[str]


def norm_factors(norm: Any) -> tuple[Any, Any]:
    """Return the factor and the offset of a batch normalization in inference, (channels,) each.

    Its statistics are constants; gamma and beta may be trained.
    """
    import keras

    gain = keras.ops.rsqrt(keras.ops.stop_gradient(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        gain = gain * norm.gamma
    shift = -keras.ops.stop_gradient(norm.moving_mean) * gain
    return gain, shift + norm.beta if norm.center else shift


def plain_step(
    name: str,
    inputs: Sequence[int],
    output: int,
    function: Callable[[Any], Any],
    *,
    rounding: Rounding = "own",
) -> Step:
    """Return a step that applies a function to its one input."""
    return Step(
        name=name,
        inputs=list(inputs),
        output=output,
        run=lambda values, _: function(values[0]),
        rounding=rounding,
    )
