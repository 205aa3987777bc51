"""What a plain segmenter's output is, by its shape and its last operators."""

from __future__ import annotations

from edgeinfer.device.tasks.guess import Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.segmentation.decode import holds_indices
from edgeinfer.device.tasks.spec import Decoder


def guess_segmenter(shown: Shown) -> Guess | None:
    """Return how a class, or a score for each class, at each place is read; None for others."""
    output, behind = shown.outputs[0], shown.behind()
    shape = output.shape
    if len(shown.outputs) != 1 or len(shape) not in (3, 4):
        return None
    if shape[0] != 1 or shape[1] * shape[2] < 2:
        return None
    classes: int | None = max(shape[3], 2) if len(shape) == 4 else None
    if len(shape) == 3 or (shape[3] == 1 and holds_indices(output)):
        if not holds_indices(output):
            return None
        classes = None
        if behind is not None and behind.op == "ARG_MAX" and behind.inputs:
            scores = shown.graph.subgraphs[0].tensors[behind.inputs[0]].shape
            classes = scores[-1] if scores else None
    return Guess(
        task="segmentation",
        decoder=Decoder(activation="none" if gives_probabilities(shown) else "softmax"),
        classes=classes,
        reason=f"a segmenter, by its output of {shape[2]} x {shape[1]} places",
    )
