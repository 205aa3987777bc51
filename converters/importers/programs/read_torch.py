"""PyTorch by litert-torch: the module of a user's function, or an exported program (`.pt2`).

NCHW becomes NHWC. A function is the user's own code and runs here; so may code in a `.pt2`.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

Refuse = Callable[..., NoReturn]

_CHANNELS = (1, 3, 4)
_EXPORT = (
    "export the model where it is known, with torch.export.save(torch.export.export(model.eval(), "
    "(example,)), 'model.pt2'), and give model.pt2"
)
_RETURN = "return (module, example) with example = torch.zeros(1, 3, height, width)"


def read(job: dict[str, Any], refuse: Refuse) -> tuple[Any, list[Any]]:
    """Write the model; return a picture (1, height, width, channels) and the model's answers to it.

    Args:
        job: `model`, the path; `function`, the name of a function in it, empty for a `.pt2`;
            `size`, (height, width) or None; `channels`, where the model does not say; `output`, the
            path of the `.tflite`.
        refuse: gives up on the model.
    """
    import torch

    if job["function"]:
        module, example = _call(job, refuse)
        module.eval()
    else:
        module, example = _load(job["model"], refuse)
    shape = _shape(example, job, refuse)
    torch.manual_seed(0)
    image = torch.rand(shape)
    with torch.no_grad():
        answer = module(image)
    expected = list(_flat(answer, refuse))
    if not isinstance(answer, torch.Tensor):
        module = _flattened(module, refuse)
    import litert_torch  # last, for it takes long: what is refused needs only torch

    if not (shape[3] in _CHANNELS and shape[1] not in _CHANNELS):
        maps = [number for number, each in enumerate(expected) if each.ndim == 4]
        module = litert_torch.to_channel_last_io(module, args=[0], outputs=maps or None)
        image = image.permute(0, 2, 3, 1).contiguous()
    litert_torch.convert(module, (image,)).export(job["output"])
    return image.numpy(), [each.detach().numpy() for each in expected]


def _call(job: dict[str, Any], refuse: Refuse) -> tuple[Any, Any]:
    """Run the user's file and function as `python model.py` would; return module and example."""
    import torch

    path, name = job["model"], job["function"]
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location("users_model", path)
    if spec is None or spec.loader is None:
        refuse("is not a Python file")
    users = importlib.util.module_from_spec(spec)
    sys.modules["users_model"] = users
    loader = spec.loader
    sys.dont_write_bytecode = True  # the user's folder stays as it is
    _run_users(lambda: loader.exec_module(users), path, "the file", refuse)
    function = getattr(users, name, None)
    if not callable(function):
        functions = inspect.getmembers(users, inspect.isfunction)
        made = ", ".join(n for n, _ in functions if not n.startswith("_"))
        refuse(f"has no function '{name}'", f"one of {made}" if made else "")
    result = _run_users(function, path, f"'{name}'", refuse)
    module, example = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    if not isinstance(module, torch.nn.Module):
        refuse(f"'{name}' returned {type(module).__name__}", "a torch.nn.Module", _RETURN)
    return module, example


def _run_users(action: Callable[[], Any], path: str, what: str, refuse: Refuse) -> Any:
    """Run what is in the user's file; say where it failed."""
    try:
        return action()
    except ModuleNotFoundError as error:
        refuse(f"needs '{error.name}', which PyTorch's importer does not have", "", _EXPORT)
    except Exception as error:
        lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
        where = f" in line {lines[-1].lineno}" if lines else ""
        text = " ".join(str(error).split())[:600]
        refuse(f"{what} failed{where} ({type(error).__name__}: {text})", "a torch.nn.Module")


def _load(path: str, refuse: Refuse) -> tuple[Any, Any]:
    import torch

    program = torch.export.load(path)
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        refuse(f"has {len(inputs)} inputs", "one, the picture")
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    return program.module(), values[inputs[0]]


def _shape(example: Any, job: dict[str, Any], refuse: Refuse) -> tuple[int, int, int, int]:
    """Return the shape of one picture, as the example or --input-size say."""
    if isinstance(example, (tuple, list)) and len(example) == 1:
        (example,) = example
    if example is None and job["size"] is None:
        refuse("does not say how large its input is", "a size", f"{_RETURN}, or give --input-size")
    if example is None:
        return (1, job["channels"], *job["size"])
    sizes = list(getattr(example, "shape", ()))
    if len(sizes) != 4:
        refuse(f"its example is {tuple(sizes)}", "a tensor (1, channels, height, width)")
    last = sizes[3] in _CHANNELS and sizes[1] not in _CHANNELS
    for axis, wanted in zip((1, 2) if last else (2, 3), job["size"] or (), strict=False):
        if isinstance(sizes[axis], int) and sizes[axis] != wanted and not job["function"]:
            refuse(
                f"its input is {tuple(sizes)}, a fixed size",
                f"{job['size'][1]}x{job['size'][0]}, as --input-size says",
                "leave --input-size out, or export it for this size",
            )
        sizes[axis] = wanted
    if not all(isinstance(size, int) for size in sizes[1:]):
        refuse(f"its input is {tuple(sizes)}, with sizes that vary", "a size", "give --input-size")
    return (1, int(sizes[1]), int(sizes[2]), int(sizes[3]))


def _flat(answer: Any, refuse: Refuse) -> tuple[Any, ...]:
    """Return the tensors of an answer, in their order."""
    import torch

    if isinstance(answer, torch.Tensor):
        return (answer,)
    if isinstance(answer, dict):
        answer = tuple(answer.values())
    if isinstance(answer, (tuple, list)) and answer:
        return tuple(tensor for each in answer for tensor in _flat(each, refuse))
    return refuse(f"answers with {type(answer).__name__}", "one tensor or several")


def _flattened(module: Any, refuse: Refuse) -> Any:
    """Return a module that gives the tensors of its answer one after another."""
    import torch

    class Flattened(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, image: Any) -> tuple[Any, ...]:
            return _flat(self.inner(image), refuse)

    made = Flattened()
    return made if not made.training else _evaluated(made)


def _evaluated(module: Any) -> Any:
    """Leave training mode; an exported program has none, and refuses to be asked."""
    try:
        return module.eval()
    except NotImplementedError:
        module.training = False
        return module
