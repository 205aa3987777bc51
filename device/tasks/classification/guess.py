"""What a plain classifier's output is, by its numbers and the operator behind them."""

from __future__ import annotations

from edgeinfer.device.tasks.guess import Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import is_one_number, is_vector

_LEAST_CLASSES = 10
"""Fewer numbers without a softmax may as well be measured values, such as angle and throttle."""


def guess_classifier(shown: Shown) -> Guess | None:
    """Return how a classifier is to be read; None for any other model.

    One number behind a sigmoid is the probability of the second of two classes. Several numbers
    behind a sigmoid are classes that do not exclude each other; where the user says
    `classification`, the largest of them is the one class.
    """
    output, behind = shown.outputs[0], shown.behind()
    if len(shown.outputs) != 1:
        return None
    sigmoid = behind is not None and behind.op == "LOGISTIC"
    # Of one number a softmax would say nothing.
    binary = is_one_number(output) and gives_probabilities(shown)
    if binary or (is_one_number(output) and shown.wanted):
        return Guess(
            task="classification",
            decoder=Decoder(activation="binary" if binary else "sigmoid"),
            classes=2,
            reason=""
            if shown.wanted
            else "a classifier of two classes, by its one number behind a "
            "sigmoid (--task value if it measures something)",
        )
    if not is_vector(output):
        return None
    count = output.shape[-1]
    if sigmoid and not shown.wanted:
        return Guess(
            task="classification",
            decoder=Decoder(multi_label=MultiLabelSpec()),
            classes=count,
            reason=f"a classifier of {count:,} classes of which several may be true, by its "
            "sigmoids (--task classification names the best one only)",
        )
    if shown.export is not None and shown.export.task == "classify":
        # A YOLO: it ends in a softmax, however that is written.
        return Guess(
            task="classification",
            classes=count,
            labels=shown.export.names,
            crop="center-crop",
            input_range="0..1",
        )
    names = shown.export.names if shown.export is not None else ()
    reason = f"a classifier, by its output of {count:,} numbers"
    if shown.pools_classes():
        reason += " behind a 1 x 1 convolution and a mean (--task embedding if it is none)"
    elif not gives_probabilities(shown) and count < _LEAST_CLASSES:
        reason += " (--task value if they are measured)"
    return Guess(
        task="classification",
        decoder=Decoder(activation="none" if gives_probabilities(shown) else "softmax"),
        classes=count,
        labels=names if len(names) == count else (),
        reason="" if shown.wanted else reason,
    )
