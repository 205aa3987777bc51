"""Invoke times of several models, measured in turns, so that all see the same machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from edgeinfer.converters.measure.timing_worker import InvokeTime, TimingJob, TimingResult
from edgeinfer.device.core.errors import ConversionError, ModelError, storage_error
from edgeinfer.device.core.processes import python_command, run_to_end, safe_environment
from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json

ROUNDS = 15


def time_models(
    models: Mapping[str, bytes], reference: str, *, threads: int = 1, rounds: int = ROUNDS
) -> dict[str, InvokeTime]:
    """Time the interpreter's invoke of several models, in turns, as on a processor without AMX.

    Args:
        models: `.tflite` contents by name.
        reference: the name of the model that the others are compared with.
        threads: of the interpreter.
        rounds: turns of each model; more if the machine is disturbed.

    Raises:
        ModelError: a model cannot be loaded.
        ConversionError: a model ends the process that runs it.
        StorageError: no room for temporary files.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="edgeinfer-timing-") as name:
            result = _time_in_worker(models, reference, threads, rounds, Path(name))
    except OSError as error:
        raise storage_error(Path(tempfile.gettempdir()), error) from error
    if result.refused is not None:
        refused = result.refused
        raise ModelError(
            refused.subject,
            got=refused.got,
            expected=refused.expected,
            next_step=refused.next_step,
        )
    return result.times


def _time_in_worker(
    models: Mapping[str, bytes], reference: str, threads: int, rounds: int, folder: Path
) -> TimingResult:
    files = {name: str(folder / f"{index}.tflite") for index, name in enumerate(models)}
    for name, path in files.items():
        Path(path).write_bytes(models[name])
    job = TimingJob(
        models=files,
        reference=reference,
        threads=threads,
        rounds=rounds,
        result=str(folder / "result.json"),
    )
    job_file = folder / "job.json"
    job_file.write_text(json.dumps(to_json(job)), encoding="utf-8")
    command = python_command("-m", "edgeinfer.converters.measure.timing_worker", str(job_file))
    end = run_to_end(command, env=safe_environment()).end
    if end.code:
        raise ConversionError(
            ", ".join(models), got=f"the process that timed them {end.text}", next_step="try again"
        )
    return from_json(TimingResult, parse_json(Path(job.result).read_bytes()))
