"""The cuts of a pruning, and the training after each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.pruning.cost import multiplications
from edgeinfer.converters.pruning.graph import ChannelGraph, channel_graph
from edgeinfer.converters.pruning.importance import Scores, taylor_scores, weight_scores
from edgeinfer.converters.pruning.plan import (
    Counts,
    PlanOptions,
    between,
    choose_cells,
    plan_counts,
    polynomial_share,
)
from edgeinfer.converters.pruning.sparsity import (
    kept_zero,
    magnitude_masks,
    n_of_m_masks,
    zero_share,
)
from edgeinfer.converters.pruning.speed import (
    Probe,
    counts_for_speedup,
    int8_timer,
    quick_int8,
)
from edgeinfer.converters.pruning.surgery import keep_channels, with_input_size
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.fit import (
    FitStage,
    fit,
    with_dropout,
)
from edgeinfer.host.training.history import History
from edgeinfer.host.training.network.load_network import load_network
from edgeinfer.host.training.pruning.config import PruneConfig, parse_sparsity
from edgeinfer.host.training.validate import Validated, validate

SCORE_BATCHES = 40
SCORE_BATCH_SIZE = 16
"""Small batches: in large ones the gradients of single pictures cancel out."""

STATISTICS_BATCHES = 24
STATISTICS_MOMENTUM = 0.8
"""After a cut the remaining channels see other inputs; batches to update their statistics."""

METRIC_SPEEDUP = "prune.speedup"
METRIC_SHARE = "prune.macs-share"
METRIC_ZEROS = "prune.zeros"


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """One pruning.

    Attributes:
        run: the folder of the run to prune.
        trained: the facts about it.
        preprocess: how a picture becomes the pruned model's input.
        config: the settings.
        settings: those of the training after the cuts.
        train: the training pictures, augmented.
        validation: the validation pictures.
        watched: those of them that may choose the weights.
        calibration: samples to quantize with, for timing.
        stage: trains one stage; None: only from the labels.
        history: gets every epoch.
        progress: reports every step.
    """

    run: Path
    trained: TrainedModel
    preprocess: PreprocessSpec
    config: PruneConfig
    settings: TrainConfig
    train: ImageSource
    validation: ImageSource
    watched: ImageSource
    calibration: Sequence[Sample]
    stage: FitStage | None
    history: History
    progress: Progress

    @property
    def lesson(self) -> Lesson:
        """The task and the description of the outputs."""
        return Lesson(task=find_taught(self.trained.task), said=self.trained.said)

    def run_cuts(self) -> tuple[Any, dict[str, float]]:
        """Return the pruned and trained model, and figures about it.

        Raises:
            ModelError, ConversionError, TrainingError, StorageError: as `prune` says.
        """
        original = load_network(self.run, self.trained)
        if self.config.sparsity is not None:
            return original, self._zero(original, parse_sparsity(self.config.sparsity))
        whole = channel_graph(original)
        all_macs = multiplications(whole)
        if self.preprocess.size != self.trained.preprocess.size:
            whole = channel_graph(with_input_size(whole, self.preprocess.size))
        self._say_what_stays(whole)
        scores = self._scores(whole)
        counts, figures = self._counts(original, whole, scores)
        model, graph = whole.model, whole
        for step in range(1, self.config.steps + 1):
            if step > 1:
                graph = channel_graph(model)
                scores = self._scores(graph)
            share = polynomial_share(step, self.config.steps)
            kept = between(whole, counts, share, self.config.multiple)
            model = keep_channels(graph, choose_cells(graph, scores, kept))
            figures[METRIC_SHARE] = multiplications(channel_graph(model)) / all_macs
            self.progress.say(
                f"cut {step} of {self.config.steps}: {figures[METRIC_SHARE]:.1%} of the "
                f"multiplications left, {model.count_params():,} parameters"
            )
            self._train(model, step)
        return model, figures

    def _zero(self, model: Any, sparsity: float | tuple[int, int]) -> dict[str, float]:
        """Set weights to 0 and train the others; no channel is removed."""
        if isinstance(sparsity, tuple):
            masks = n_of_m_masks(model, *sparsity)
        else:
            masks = magnitude_masks(model, sparsity)
        with kept_zero(masks):
            self._train(model, self.config.steps)
        return {METRIC_SHARE: 1.0, METRIC_ZEROS: zero_share(model)}

    def validate(self, model: Any, samples: Sequence[Sample]) -> Validated:
        """Return a model's answers on the validation split, whose samples these are."""
        batches = self._batches(self.validation, None)
        return validate(model, batches, samples, self.preprocess, self.settings.loss_settings)

    def _say_what_stays(self, graph: ChannelGraph) -> None:
        if graph.unknown:
            names = ", ".join(graph.unknown[:5]) + (", ..." if len(graph.unknown) > 5 else "")
            self.progress.say(f"channels that reach these layers stay: {names}")

    def _scores(self, graph: ChannelGraph) -> Scores:
        if self.config.importance != "taylor":
            return weight_scores(graph, self.config.importance)
        plain = replace(self.train, augment=None)
        batches = replace(self._batches(plain, self.config.seed), batch_size=SCORE_BATCH_SIZE)
        # Its `call` gives a loss for each picture; the loss itself is their mean.
        loss = self.lesson.task.loss(self.settings.loss_settings)
        self.progress.start("scores of the channels")
        return taylor_scores(
            graph,
            loss.call,
            islice(batches.epoch(len(self.history.epochs)), SCORE_BATCHES),
            model=self.lesson.task.learner(graph.model),
        )

    def _counts(
        self, original: Any, graph: ChannelGraph, scores: Scores
    ) -> tuple[Counts, dict[str, float]]:
        """Decide how many channels each layer keeps at the end."""
        config = self.config
        options = PlanOptions(multiple=config.multiple, min_share=config.min_share)
        if config.speedup is None:
            assert config.keep_cost is not None
            return plan_counts(graph, scores, config.keep_cost, options), {}

        def tell(probe: Probe) -> None:
            self.progress.say(
                f"with {probe.keep_cost:.1%} of the arithmetic INT8 is {probe.time.ratio:.2f} "
                f"times as fast ({probe.time.ratio_low:.2f} to {probe.time.ratio_high:.2f})"
            )

        self.progress.start("timing INT8 models with fewer channels")
        with TensorflowProcess() as tensorflow:
            reference = quick_int8(
                original, self.trained.preprocess, self.calibration, tensorflow=tensorflow
            )
            timer = int8_timer(reference, self.preprocess, self.calibration, tensorflow=tensorflow)
            probe = counts_for_speedup(graph, scores, config.speedup, options, timer, tell=tell)
        return probe.counts, {METRIC_SPEEDUP: probe.time.ratio}

    def _train(self, model: Any, step: int) -> None:
        """Train after a cut: for a short time, or for a long time after the last cut."""
        last = step == self.config.steps
        epochs = self.config.epochs if last else self.config.step_epochs
        self._settle_statistics(model)
        if not epochs:
            return
        network = self.lesson.task.learner(with_dropout(model, self.settings.dropout))
        kept = self._normalizations(model) if self.settings.pretrained else []
        for layer in network.layers:
            layer.trainable = layer not in kept
        (self.stage or fit)(
            network,
            self._batches(self.train, self.config.seed + step),
            self._batches(self.watched, None),
            replace(self.settings, epochs=epochs, schedule="cosine" if last else "constant"),
            stage=f"prune-{step}",
            history=self.history,
            progress=self.progress,
        )
        for layer in network.layers:
            layer.trainable = True

    def _normalizations(self, model: Any) -> list[Any]:
        """Return the normalizations whose statistics and scales came from ImageNet.

        These are better than those of a few thousand pictures, see `transfer.py` and `joint.py`. A
        network from scratch, and a task's own layers, were always trained with theirs.
        """
        layers = model.layers
        if isinstance(model.output, list):
            layers = self.lesson.task.backbone_layers(model)
        return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]

    def _settle_statistics(self, model: Any) -> None:
        """Update batch normalization's statistics for the new inputs, without training."""
        normalizations = [
            layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
        ]
        if not normalizations:
            return
        momentums = [layer.momentum for layer in normalizations]
        for layer in normalizations:
            layer.momentum = STATISTICS_MOMENTUM
        run = tf.function(lambda inputs: model(inputs, training=True), reduce_retracing=True)
        batches = self._batches(self.train, self.config.seed)
        for inputs, _, _ in islice(batches.epoch(0), STATISTICS_BATCHES):
            run(inputs)
        for layer, momentum in zip(normalizations, momentums, strict=True):
            layer.momentum = momentum

    def _batches(self, source: ImageSource, seed: int | None) -> Batches:
        return Batches(
            source=source,
            lesson=self.lesson,
            batch_size=self.settings.batch_size,
            seed=seed,
        )
