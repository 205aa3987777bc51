"""How a candidate's network is built, and how it is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.pruning.graph import channel_graph
from edgeinfer.converters.pruning.importance import weight_scores
from edgeinfer.converters.pruning.plan import PlanOptions, choose_cells, plan_counts
from edgeinfer.converters.pruning.surgery import keep_channels, with_input_size
from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_samples, read_trained
from edgeinfer.host.data.of_run import data_of_run
from edgeinfer.host.models import build_model
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.space import prune_config, student_config
from edgeinfer.host.search.worker.job import Job
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.config import run_config
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.network.head import with_head
from edgeinfer.host.training.network.load_network import load_network
from edgeinfer.host.training.pruning.prune import prune
from edgeinfer.host.training.train import train


def untrained_network(run: Path, trained: TrainedModel, candidate: Candidate, *, seed: int) -> Any:
    """Return a Keras model with the candidate's layers and channels.

    A plain candidate is already trained. Which channels `taylor` pruning keeps is known only
    afterwards: pruning by size keeps as much arithmetic, but not in the same layers, so its time is
    an estimate, and is measured again after training.

    Raises:
        ConversionError: the run's network cannot be pruned, or takes no other size.
        ModelError: the run's network cannot be loaded.
    """
    if candidate.kind == "student":
        lesson = Lesson(task=find_taught(trained.task), said=trained.said)
        student = build_model(
            candidate.architecture,
            input_shape=(candidate.size[1], candidate.size[0], trained.preprocess.depth),
            classes=lesson.numbers,
            initializer="he",
            width=candidate.width,
            seed=seed,
        )
        student = with_head(student, lesson)
        _vary(student, seed)
        return student
    model = load_network(run, trained)
    if candidate.size != trained.preprocess.size:
        model = with_input_size(channel_graph(model), candidate.size)
    if candidate.keep_cost >= 1:
        return model
    config = prune_config(run_config(trained), candidate, epochs=1, seed=seed)
    options = PlanOptions(multiple=config.multiple, min_share=config.min_share)
    graph = channel_graph(model)
    scores = weight_scores(graph, "l1")
    counts = plan_counts(graph, scores, candidate.keep_cost, options)
    return keep_channels(graph, choose_cells(graph, scores, counts))


def _vary(network: Any, seed: int) -> None:
    """Give biases and statistics realistic values.

    The converter stores equal ones once and drops zeros, so an untrained file would be smaller.
    """
    generator = np.random.default_rng(seed)
    for variable in network.weights:
        if len(variable.shape) == 1:
            value = np.asarray(variable)
            variable.assign(value + generator.uniform(0.01, 0.2, value.shape))


def train_candidate(job: Job, progress: Progress) -> tuple[Path, int]:
    """Train a candidate; return its run's folder and how many epochs that took.

    Raises:
        EdgeinferError: it cannot be trained.
    """
    run, candidate = Path(job.run), job.candidate
    if candidate.kind == "plain":
        return run, 0
    trained, cache = read_trained(run), Path(job.cache)
    out = Path(job.out, trained.name)
    base, teacher = run_config(trained), TeacherConfig(run=run) if candidate.teacher else None
    if candidate.kind == "student":
        student = train(
            data_of_run(trained, read_samples(run)),
            student_config(base, candidate, epochs=job.epochs, seed=job.seed, task=trained.task),
            out,
            teacher=teacher,
            teacher_cache=cache,
            progress=progress,
            force=True,
            resumable=False,
            page=False,
        )
        return out, int(student.provenance["epochs"])
    pruned = prune(
        run,
        prune_config(base, candidate, epochs=job.epochs, seed=job.seed),
        out,
        teacher=teacher,
        teacher_cache=cache,
        progress=progress,
        force=True,
        page=False,
    )
    return out, int(pruned.provenance["prune.epochs-done"])
