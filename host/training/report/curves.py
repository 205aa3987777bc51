"""The curves of a training: loss and score over its epochs."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.converters.common.page.axis import axis_of
from edgeinfer.converters.common.page.parts import Figure, Figures, Key, Part, Text
from edgeinfer.converters.common.page.plot import Line, Plot, Rule, draw
from edgeinfer.converters.tasks.page_parts import long_table
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.training.history import Epoch


def curve_parts(epochs: Sequence[Epoch], score: ShownScore) -> tuple[Part, ...]:
    """Return what a page says of the epochs, the stages one after another.

    Args:
        epochs: of the training.
        score: how people read the epochs' accuracies.
    """
    if not epochs:
        return (Text(paragraphs=("The training had no epochs.",)),)
    rows = [
        (
            f"{epoch.stage} {epoch.epoch}",
            f"{epoch.loss:.4f}",
            f"{epoch.val_loss:.4f}",
            f"{score.percent(epoch.accuracy):.2f} %",
            f"{score.percent(epoch.val_accuracy):.2f} %",
            f"{epoch.learning_rate:.3g}",
            f"{epoch.seconds:.1f}",
        )
        for epoch in epochs
    ]
    header = (
        *("epoch", "loss", "validation loss", score.name, f"validation {score.name}"),
        *("learning rate", "seconds"),
    )
    best = min(range(len(epochs)), key=lambda place: epochs[place].val_loss)
    loss = _figure(
        "Loss",
        epochs,
        [epoch.loss for epoch in epochs],
        [epoch.val_loss for epoch in epochs],
        f"From {epochs[0].val_loss:.4f} to {epochs[-1].val_loss:.4f} on validation; the lowest, "
        f"{epochs[best].val_loss:.4f}, in {epochs[best].stage} epoch {epochs[best].epoch}.",
    )
    accuracies = [score.percent(epoch.val_accuracy) for epoch in epochs]
    accuracy = _figure(
        f"{score.name.capitalize()}, %{score.of}",
        epochs,
        [score.percent(epoch.accuracy) for epoch in epochs],
        accuracies,
        f"From {accuracies[0]:.2f} % to {accuracies[-1]:.2f} %{score.of} on validation.",
    )
    return (
        Figures(figures=(loss, accuracy)),
        Text(
            paragraphs=(
                "The training figures are of pictures that were changed at random, and of weights "
                "that changed during the epoch, so they may be worse than those of validation.",
            )
        ),
        long_table("Each epoch", header, rows),
    )


def _figure(
    title: str,
    epochs: Sequence[Epoch],
    train: Sequence[float],
    validation: Sequence[float],
    said: str,
) -> Figure:
    places = [float(place) for place in range(1, len(epochs) + 1)]
    y = axis_of([*train, *validation], "")
    layers: list[Line | Rule] = []
    stages = [epoch.stage for epoch in epochs]
    begins = [at for at in range(len(stages)) if at == 0 or stages[at - 1] != stages[at]]
    if len(begins) > 1:
        layers += [
            Rule(start=(begin + 0.5, y.low), end=(begin + 0.5, y.high), text=stages[begin])
            for begin in begins
        ]
    few = len(epochs) <= 40
    layers += [
        Line(x=places, y=train, colour=1, dashed=True, dots=few),
        Line(x=places, y=validation, colour=0, dots=few),
    ]
    plot = Plot(x=axis_of([0.5, len(epochs) + 0.5], "epoch", room=0.0), y=y, layers=tuple(layers))
    return Figure(
        title=title,
        svg=draw(plot, title, said),
        description=said,
        legend=(Key(colour=0, text="validation"), Key(colour=1, text="training", dashed=True)),
    )
