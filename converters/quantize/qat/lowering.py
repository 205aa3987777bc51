"""A Keras model lowered to the steps of its INT8 TFLite graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from edgeinfer.converters.quantize.qat.graph import (
    SIGMOID,
    TANH,
    Graph,
    Rounding,
    Step,
    Weights,
    norm_factors,
    plain_step,
)
from edgeinfer.converters.tensorflow.trace import Call, Trace, functional
from edgeinfer.device.core.errors import ConversionError

_ELEMENTWISE = {"Add", "Subtract", "Multiply", "Divide", "TrueDivide"}
_KEPT = {
    *("MaxPooling2D", "GlobalMaxPooling2D", "Flatten", "Reshape", "Permute", "ZeroPadding2D"),
    *("Cropping2D", "Concatenate", "Maximum", "Minimum", "Transpose"),
}
_OWN = {"GlobalAveragePooling2D", "Rescaling", "Average", "Mean"}
_FIXED: dict[str, Rounding] = {"sigmoid": SIGMOID, "softmax": SIGMOID, "tanh": TANH}
_SINGLE_OPS = {"leaky_relu", "hard_silu", "gelu"}
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


def int8_graph(model: Any) -> Graph:
    """Return the steps of a functional or Sequential Keras model; they use its own variables.

    Raises:
        ConversionError: it has several inputs, recurrent layers, or is neither.
    """
    model = functional(model)
    if len(model.inputs) != 1:
        raise ConversionError(
            model.name, got=f"has {len(model.inputs)} inputs", expected="one, the picture"
        )
    trace = Trace()
    (image,), answers = trace.follow(model)
    return _Lowering(trace).graph(image, answers)


class _Lowering:
    """Turns calls into steps, one after another; an operator that fuses changes the step before."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._steps: list[Step] = []
        self._producers: dict[int, Step] = {}
        self._uncovered: list[str] = []
        self._readers: Counter[int] = Counter()

    def graph(self, image: int, answers: Sequence[int]) -> Graph:
        self._readers.update([*answers, *(i for call in self._trace.calls for i in call.inputs)])
        for call in self._trace.calls:
            self._lower(call)
        last = self._producers.get(answers[0]) if len(answers) == 1 else None
        softmax = last is not None and last.softmax
        if last is not None and softmax:
            self._steps.remove(last)
            answers = last.inputs
        return Graph(
            steps=self._steps,
            input=image,
            outputs=tuple(answers),
            softmax=softmax,
            uncovered=self._uncovered,
        )

    def _lower(self, call: Call) -> None:
        import keras

        layer, layers = call.layer, keras.layers
        # A user's own class may compute anything, whatever its base class is.
        known = {
            layers.Conv2D: self._conv,
            layers.DepthwiseConv2D: self._depthwise,
            layers.SeparableConv2D: self._separable,
            layers.Conv2DTranspose: self._transposed,
            layers.Dense: self._dense,
            layers.BatchNormalization: self._norm,
            layers.Activation: lambda c: self._activation(c, c.layer.activation),
            layers.ReLU: self._relu_layer,
            layers.Softmax: lambda c: self._activate(c.layer.name, "softmax", c.layer, c),
            layers.LeakyReLU: lambda c: self._activate(c.layer.name, "leaky_relu", c.layer, c),
            layers.AveragePooling2D: lambda c: self._call(c, rounding="shared", fuses=True),
            layers.UpSampling2D: self._enlarging,
            layers.Resizing: self._enlarging,
        }
        channels_last = getattr(layer, "data_format", None) != "channels_first"
        if type(layer) in known and channels_last:
            known[type(layer)](call)
            return
        name = type(layer).__name__
        ours = type(layer).__module__.startswith("keras.") and channels_last
        if ours and name in _KEPT:
            self._call(call, rounding="kept", fuses=name == "MaxPooling2D")
        elif ours and name in _OWN:
            self._call(call)
        elif ours and name in _ELEMENTWISE:
            self._call(call, fuses=True)
        elif ours and not isinstance(layer, keras.Layer) and len(call.inputs) == 1:
            # An operation of keras.ops: an activation, or one that is not known here.
            self._activate(layer.name, _snake(name), call.run, call)
        else:
            self._uncovered.append(layer.name)
            self._call(call)

    def _conv(self, call: Call) -> None:
        layer = call.layer
        self._weighted(call, layer.kernel, (3,), lambda x, w: layer.convolution_op(x, w))

    def _depthwise(self, call: Call) -> None:
        self._weighted(call, call.layer.kernel, (2, 3), _depthwise_op(call.layer))

    def _dense(self, call: Call) -> None:
        import keras

        self._weighted(call, call.layer.kernel, (1,), keras.ops.matmul)

    def _transposed(self, call: Call) -> None:
        import keras

        layer = call.layer
        apply = partial(
            keras.ops.conv_transpose,
            strides=list(layer.strides),
            padding=layer.padding,
            output_padding=layer.output_padding,
            data_format=layer.data_format,
            dilation_rate=layer.dilation_rate,
        )
        self._weighted(call, layer.kernel, (2,), lambda x, w: apply(x, w))

    def _separable(self, call: Call) -> None:
        """Two operators, with a tensor between them."""
        import keras

        layer, between = call.layer, self._trace.fresh()
        depthwise = _depthwise_op(layer)
        self._add(
            Step(
                name=layer.name,
                inputs=call.inputs,
                output=between,
                run=lambda inputs, weights: depthwise(inputs[0], weights),
                weights=Weights(read=lambda: layer.depthwise_kernel.value, channel_axes=(2, 3)),
            )
        )
        pointwise = partial(keras.ops.conv, padding="valid", data_format=layer.data_format)
        second = replace(call, inputs=[between])
        self._weighted(second, layer.pointwise_kernel, (3,), lambda x, w: pointwise(x, w))

    def _weighted(
        self,
        call: Call,
        kernel: Any,
        channel_axes: tuple[int, ...],
        apply: Callable[[Any, Any], Any],
    ) -> None:
        """Add a convolution or dense layer, and the activation that it carries."""
        import keras

        layer = call.layer
        weights = Weights(
            read=lambda: kernel.value,
            channel_axes=channel_axes,
            bias=layer.bias if layer.use_bias else None,
            dense=type(layer) is keras.layers.Dense,
        )
        plain = layer.activation is keras.activations.linear
        output = call.output if plain else self._trace.fresh()
        self._add(
            Step(
                name=layer.name,
                inputs=call.inputs,
                output=output,
                run=lambda inputs, values: apply(inputs[0], values),
                weights=weights,
                fuses=True,
            )
        )
        if not plain:
            self._readers[output] += 1
            inner = replace(call, inputs=[output])
            self._activation(inner, layer.activation)

    def _norm(self, call: Call) -> None:
        norm, before = call.layer, self._sole(call)
        if norm.axis not in (-1, call.rank - 1):
            self._uncovered.append(norm.name)
            self._call(call)
            return
        weighted = before is not None and before.weights and before.weights.channel_axes
        if before and weighted and before.norm is None and before.relu is None:
            before.norm = norm
            self._move(before, call.output)
            return
        product = self._trace.fresh()
        for part, (inputs, output) in enumerate(((call.inputs, product), ([product], call.output))):
            self._add(
                Step(
                    name=norm.name,
                    inputs=inputs,
                    output=output,
                    run=(lambda x, w: x[0] + w) if part else (lambda x, w: x[0] * w),
                    weights=Weights(read=partial(lambda p: norm_factors(norm)[p], part)),
                    fuses=bool(part),
                )
            )

    def _relu_layer(self, call: Call) -> None:
        layer = call.layer
        name = {None: "relu", 6: "relu6"}.get(layer.max_value, "other")
        if layer.negative_slope or layer.threshold:
            name = "other"
        self._activate(layer.name, name, layer, call)

    def _enlarging(self, call: Call) -> None:
        nearest = call.layer.interpolation == "nearest"
        self._call(call, rounding="kept" if nearest else "shared")

    def _activation(self, call: Call, function: Callable[[Any], Any]) -> None:
        self._activate(call.layer.name, getattr(function, "__name__", "other"), function, call)

    def _activate(self, layer: str, kind: str, function: Callable[[Any], Any], call: Call) -> None:
        """Add an activation: fused, of one operator, or of two with a tensor between them."""
        import keras

        kind = _ALIASES.get(kind, kind)
        if kind in ("relu", "relu6"):
            self._fuse(layer, function, call, call.output)
        elif kind == "silu":
            gate = self._trace.fresh()
            self._add(plain_step(layer, call.inputs, gate, keras.ops.sigmoid, rounding=SIGMOID))
            self._add(
                Step(
                    name=layer,
                    inputs=[*call.inputs, gate],
                    output=call.output,
                    run=lambda inputs, _: inputs[0] * inputs[1],
                )
            )
        elif kind == "hard_sigmoid":
            clamped = self._trace.fresh()
            self._fuse(layer, lambda x: keras.ops.relu6(x + 3), call, clamped)
            self._add(plain_step(layer, [clamped], call.output, lambda x: x / 6))
        else:
            if kind not in _FIXED and kind not in _SINGLE_OPS:
                self._uncovered.append(layer)
            rounding = _FIXED.get(kind, "own")
            step = plain_step(layer, call.inputs, call.output, function, rounding=rounding)
            step.softmax = kind == "softmax"
            self._add(step)

    def _fuse(self, layer: str, function: Callable[[Any], Any], call: Call, output: int) -> None:
        before = self._sole(call)
        if before and before.fuses and before.relu is None:
            before.relu = function
            self._move(before, output)
        else:
            self._add(plain_step(layer, call.inputs, output, function))

    def _sole(self, call: Call) -> Step | None:
        """Return the step whose result only this call reads, if there is one."""
        (value,) = call.inputs
        return self._producers.get(value) if self._readers[value] == 1 else None

    def _call(self, call: Call, *, rounding: Rounding = "own", fuses: bool = False) -> None:
        self._add(
            Step(
                name=call.layer.name,
                inputs=call.inputs,
                output=call.output,
                run=lambda inputs, _: call.run(*inputs),
                rounding=rounding,
                fuses=fuses,
            )
        )

    def _add(self, step: Step) -> None:
        self._steps.append(step)
        self._producers[step.output] = step

    def _move(self, step: Step, output: int) -> None:
        step.output = output
        self._producers[output] = step


def _depthwise_op(layer: Any) -> Callable[[Any, Any], Any]:
    import keras

    apply = partial(
        keras.ops.depthwise_conv,
        strides=layer.strides,
        padding=layer.padding,
        data_format=layer.data_format,
        dilation_rate=layer.dilation_rate,
    )
    return lambda x, w: apply(x, w)


def _snake(name: str) -> str:
    """Return the name of keras.ops's function: HardSilu is hard_silu."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
