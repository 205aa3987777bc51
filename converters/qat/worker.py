"""Quantization-aware training: `python -m edgeinfer.converters.qat.worker JOB`.

TensorFlow stays out of the caller's process, and may end this one. JOB is a JSON file that `QatJob`
describes; what comes out are files, and on stdout a line `DONE TOTAL`, of images, after each batch.

Written here because tensorflow-model-optimization knows only the legacy Keras, whose models do not
cross over as `.keras` files, and installs beside tensorflow-cpu by force alone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from edgeinfer.converters.qat.job import (
    ANSWER_FILE,
    ERROR_FILE,
    TUNED_FILE,
    QatAnswer,
    QatJob,
    WorkerError,
)
from edgeinfer.device.core.errors import ConversionError, EdgeinferError
from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json


def run_job(job: QatJob) -> QatAnswer:
    """Fine-tune the model and save it as it was, with its new weights.

    Raises:
        ConversionError: the model is not one that can be trained here, or training diverged.
    """
    import keras

    from edgeinfer.converters.qat.fake_quant import Twin
    from edgeinfer.converters.qat.lowering import int8_graph
    from edgeinfer.converters.qat.training import Training

    keras.utils.set_random_seed(job.seed)
    model = keras.saving.load_model(job.keras_model, compile=False)
    model.trainable = True  # layers that an earlier stage froze, too
    graph = int8_graph(model)
    _require_shape(model, job)
    twin = Twin(graph, per_tensor_dense=job.per_tensor_dense)
    losses = Training(job, model, twin, graph).losses()
    # A fresh copy carries nothing but the weights, frozen where the original is.
    tuned = keras.saving.load_model(job.keras_model, compile=False)
    for variable, value in zip(tuned.weights, model.weights, strict=True):
        variable.assign(value)
    tuned.save(Path(job.output_folder, TUNED_FILE))
    return QatAnswer(losses=tuple(losses), uncovered=tuple(dict.fromkeys(graph.uncovered)))


def _require_shape(model: Any, job: QatJob) -> None:
    shape = tuple(model.inputs[0].shape[1:])
    if shape != job.preprocess.shape:
        raise ConversionError(
            job.keras_model, got=f"its input is {shape}", expected=str(job.preprocess.shape)
        )


def main() -> int:
    """Run the job that the command line names; an error's parts go into ERROR_FILE."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    job = from_json(QatJob, parse_json(Path(sys.argv[1]).read_bytes()))
    folder = Path(job.output_folder)
    try:
        answer = run_job(job)
    except EdgeinferError as error:
        got = error.got
        if error.subject != job.keras_model:
            got = f"'{error.subject}' {got}"
        _write(folder / ERROR_FILE, got, error.expected, error.next_step)
        return 1
    except Exception as error:  # whatever TensorFlow raises, the parent turns it into a sentence
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        text = f"cannot be trained ({type(error).__name__}: {reason[:300]})"
        _write(folder / ERROR_FILE, text, "", "leave quantization-aware training out")
        return 1
    (folder / ANSWER_FILE).write_text(json.dumps(to_json(answer)), encoding="utf-8")
    return 0


def _write(path: Path, got: str, expected: str, next_step: str) -> None:
    error = WorkerError(got=got, expected=expected, next_step=next_step)
    path.write_text(json.dumps(to_json(error)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
