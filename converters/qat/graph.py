"""A Keras model as the steps of its INT8 TFLite graph: what fuses, and which tensors are rounded.

A step is what becomes one TFLite operator: a convolution with the batch normalization and the ReLU
that the converter fuses into it is one, and only its result is a tensor of its own. The rules were
read off what TensorFlow 2.21's converter makes of each layer:

- batch normalization folds into the convolution or dense layer before it, if nothing else reads
  that; elsewhere it is a multiplication and an addition by constants that are rounded too;
- ReLU and ReLU6 fuse into the operator before them, but for a concatenation;
- pooling, reshaping and concatenation keep scale and zero point: what they read and what they give
  share one range;
- sigmoid, softmax and tanh have ranges that the format fixes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Rounding: TypeAlias = Literal["own", "shared", "kept"] | tuple[float, float]
"""How a result is rounded: to a range from pictures, to that of what it reads, not at all because
it lies on the grid of what it reads, or to a range that the format fixes."""

SIGMOID: Rounding = (0.0, 255 / 256)
TANH: Rounding = (-1.0, 127 / 128)


@dataclass(kw_only=True)
class Weights:
    """What a step multiplies or adds.

    Attributes:
        read: gives the float values.
        channel_axes: the axes that count output channels, each of which is rounded by itself to
            [-127, 127]; empty for an elementwise constant, which is rounded as activations are.
        bias: a Keras variable, or None.
        dense: they are a dense layer's.
    """

    read: Callable[[], Any]
    channel_axes: tuple[int, ...] = ()
    bias: Any = None
    dense: bool = False


@dataclass(kw_only=True)
class Step:
    """One operator of the INT8 graph.

    Attributes:
        name: the Keras layer's.
        inputs: numbers of the values that it reads.
        output: number of the value that it gives.
        run: computes it from the inputs and the weights (None where there are none).
        weights: its weights, if any.
        norm: the batch normalization that is folded into the weights, if any.
        relu: the activation that is fused into it, if any.
        rounding: of the result.
        fuses: an activation may be fused into it.
        softmax: it is one.
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
        """It puts several values on one grid, as a concatenation does."""
        return self.rounding == "kept" and len(self.inputs) > 1


@dataclass(kw_only=True)
class Graph:
    """A whole model.

    Attributes:
        steps: in an order in which they can run.
        input: number of the value that is the image.
        output: number of the value that is the answer, before a softmax at the end.
        softmax: the model ends in one.
        uncovered: names of layers whose inner results are not rounded.
    """

    steps: list[Step]
    input: int
    output: int
    softmax: bool
    uncovered: list[str]


def norm_factors(norm: Any) -> tuple[Any, Any]:
    """Return by what a batch normalization in inference multiplies and what it adds, (channels,).

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
