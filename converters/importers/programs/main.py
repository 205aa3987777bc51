"""The program of an importer's process: reads a model, writes it as `.tflite`, compares the two.

    main.py JOB

JOB is JSON. The reader that it names is a file in this folder, whose function `read` writes the
`.tflite` and returns an input with the original's answers to it. The last line of the output is the
answer, also JSON, so that no disk is needed to say that the disk is full.
"""

from __future__ import annotations

import errno
import importlib.util
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

MARK = "edgeinfer-answer "
"""What the line of the answer begins with."""

_MOST_CHARACTERS = 1500


class Refused(Exception):
    """The model cannot be taken; the arguments are those of an error of edgeinfer."""

    def __init__(self, got: str, expected: str = "", next_step: str = "") -> None:
        super().__init__(got)
        self.parts = {"got": got, "expected": expected, "next_step": next_step}


def refuse(got: str, expected: str = "", next_step: str = "") -> NoReturn:
    """Give up on the model."""
    raise Refused(got, expected, next_step)


def main() -> None:
    """Do the job and print the answer."""
    job = json.loads(sys.argv[1])
    try:
        image, expected = reader(job["reader"]).read(job, refuse)
        answer: dict[str, Any] = compare(job["output"], image, expected)
    except KeyboardInterrupt:
        raise
    except Refused as error:
        answer = {"refused": error.parts}
    except BaseException as error:  # libraries also call sys.exit
        answer = {"failed": reason(error), "full": is_full(error)}
    print(f"\n{MARK}{json.dumps(answer)}", flush=True)


def reader(name: str) -> Any:
    """Return the module of this folder with that name, which is not on the import path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reason(error: BaseException) -> str:
    """Return what an exception says, and what its causes say; empty for an end without words."""
    texts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(texts) < 5:
        if not isinstance(cause, SystemExit):
            text = " ".join(str(cause).split())
            texts.append(f"{type(cause).__name__}: {text}" if text else type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "; because of ".join(texts)[:_MOST_CHARACTERS]


def is_full(error: BaseException) -> bool:
    """Return whether a full disk is the cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def compare(model: str, image: Any, expected: Sequence[Any]) -> dict[str, Any]:
    """Return how far the answers of a `.tflite` are from the original's.

    Args:
        model: the file.
        image: its input.
        expected: the original's outputs for the same picture, arrays. The outputs of the `.tflite`
            may have their axes in another order.

    Returns:
        `difference`, the largest, and `scale`, the largest value of the expected outputs. Whole
        numbers, such as the index of a class, are not compared.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model, num_threads=1)
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != len(expected):
        refuse(
            f"became a model with {len(inputs)} inputs and {len(outputs)} outputs",
            f"1 and {len(expected)}",
        )
    interpreter.set_tensor(inputs[0]["index"], image)
    interpreter.invoke()
    difference = scale = 0.0
    for number, (detail, wanted) in enumerate(zip(outputs, expected, strict=True)):
        got = interpreter.get_tensor(detail["index"])
        if sorted(got.shape) != sorted(wanted.shape):
            refuse(f"output {number} became {got.shape}", str(wanted.shape))
        if not np.issubdtype(wanted.dtype, np.floating):
            continue
        ordered = [
            np.transpose(got, axes)
            for axes in itertools.permutations(range(got.ndim))
            if tuple(got.shape[axis] for axis in axes) == wanted.shape
        ]
        wanted = wanted.astype(np.float64)
        found = min(float(np.abs(each - wanted).max(initial=0.0)) for each in ordered)
        # A NaN is larger than any limit; JSON has no such number.
        difference = max(difference, found if np.isfinite(found) else 1e300)
        scale = max(scale, float(np.abs(wanted).max(initial=0.0)))
    return {"difference": difference, "scale": scale}


if __name__ == "__main__":
    main()
