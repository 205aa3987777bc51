"""Scores of converted models, measured with the device package on the original pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.task import Said


def evaluation_model(
    content: bytes, *, subject: str, task: str, said: Said, preprocess: PreprocessSpec
) -> Model:
    """Make a device model of `.tflite` bytes.

    Args:
        content: the bytes.
        subject: its name in errors.
        task: what a prediction is.
        said: the description of the outputs.
        preprocess: how pictures become the input.
    """
    runner = Runner(content, subject=subject)
    return Model(
        name=subject,
        labels=said.labels,
        preprocessor=Preprocessor(preprocess, runner.inputs[0]),
        runner=runner,
        decode=make_decode(task, said, runner.outputs, preprocess),
        task=task,
        said=said,
    )


def evaluate(
    factories: Mapping[str, Callable[[], Model]],
    samples: Sequence[Sample],
    task: ComparedTask,
    said: Said,
    *,
    truth: str | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> dict[str, Evaluation]:
    """Run several models over the same pictures, each picture decoded once.

    Args:
        factories: each makes a model; called once for each thread, and the model is closed
            at the end. All models prepare pictures in the same way.
        samples: the pictures; read one at a time.
        task: scores the answers.
        said: the description of the outputs.
        truth: the name of a model whose answers are the truth; None uses the samples' targets.
        threads: how many threads work in parallel.
        progress: reports each picture.

    Raises:
        ImageError: a picture can no longer be read.
    """
    local = threading.local()
    outcomes: dict[str, list[Any]] = {name: [] for name in factories}
    opened = ExitStack()

    def answer(sample: Sample) -> dict[str, Any]:
        if not hasattr(local, "models"):
            local.models = {name: opened.enter_context(make()) for name, make in factories.items()}
        spec = next(iter(local.models.values())).preprocessor.spec
        pixels = read_sample(sample.source, spec)
        answers = {name: model.predict(pixels) for name, model in local.models.items()}
        target = sample.target if truth is None else task.target_of(answers[truth])
        return {name: task.outcome(target, answer) for name, answer in answers.items()}

    with opened:
        for answers in ordered_map(answer, samples, threads=threads):
            for name, outcome in answers.items():
                outcomes[name].append(outcome)
            if progress is not None:
                progress.advance()
    return {name: task.evaluation(found, said) for name, found in outcomes.items()}
