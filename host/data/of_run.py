"""The data of a run, to train with again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split, TrainedModel
from edgeinfer.host.data.dataset import PreparedData


def data_of_run(trained: TrainedModel, splits: Mapping[Split, Sequence[Sample]]) -> PreparedData:
    """Return samples as data that is described as a run says.

    Args:
        trained: the description of the run.
        splits: its samples, in its own splits or in others.
    """
    return PreparedData(
        name=trained.provenance.get("data", trained.name),
        splits={split: list(samples) for split, samples in splits.items()},
        task=trained.task,
        labels=trained.labels,
        decoder=trained.decoder,
        value=trained.value,
        settings=trained.settings,
    )
