"""What an exporter of YOLO models writes behind a `.tflite`: a ZIP with `metadata.json`, in older
files `temp_meta.txt` with a Python literal, in those of the first YOLO v5 `meta.txt` with names and
stride only. Nothing in it is trusted.

Source: the keys of such files, which were looked at; numbers of classes are strings in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.metadata.zip_behind import ZipError, read_behind

_GENERAL = "meta.txt"
NAMES = ("metadata.json", "temp_meta.txt", _GENERAL)
MOST_CLASSES = 100_000
_MOST_TEXT = 1000
_MOST_KEYPOINTS = 1000
_MOST_SIDE = 4096


@dataclass(frozen=True, kw_only=True)
class ExportMetadata:
    """What is said of a model.

    Attributes:
        task: "detect", "segment", "pose", "obb", "classify", or another word; empty where it is not
            said.
        names: the classes in order; empty where they are not said.
        end2end: the graph picks the objects itself; None where it is not said.
        keypoints: (points, numbers of each) of a pose, or None.
        size: (width, height) of the input in pixels, or None.
    """

    task: str
    names: tuple[str, ...] = ()
    end2end: bool | None = None
    keypoints: tuple[int, int] | None = None
    size: tuple[int, int] | None = None


def read_export_metadata(data: bytes, *, subject: str) -> ExportMetadata | None:
    """Return what an exporter wrote behind a model; None where there is nothing of that kind.

    Args:
        data: the model's bytes.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is damaged, too large, or says something impossible.
    """
    chosen: list[str] = []

    def choose(names: Sequence[str]) -> str | None:
        chosen.extend(name for name in NAMES if name in names)
        return chosen[0] if chosen else None

    try:
        content = read_behind(data, choose)
        if content is None:
            return None
        if chosen[0] == _GENERAL and not content.lstrip().startswith(b"{"):
            return None  # anyone may call a file so
        document = _parse(content)
        if not isinstance(document, Mapping):
            return None
        said = isinstance(document.get("task"), str)
        if not said and not {"names", "stride"} <= document.keys():
            return None  # some other exporter's metadata
        return _read(document)
    except ZipError as error:
        raise _damaged(subject, str(error)) from error
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise _damaged(subject, str(error) or type(error).__name__) from error


def _parse(content: bytes) -> object:
    text = content.decode("utf-8-sig")
    try:
        return json.loads(text)
    except ValueError:
        import ast  # for old files only

        return ast.literal_eval(text.strip())


def _read(document: Mapping[Any, Any]) -> ExportMetadata:
    arguments = document.get("args")
    end2end = document.get("end2end")
    if isinstance(arguments, Mapping) and arguments.get("nms") is True:
        end2end = True
    shape = document.get("kpt_shape")
    return ExportMetadata(
        task=str(document.get("task", ""))[:_MOST_TEXT],
        names=_names(document.get("names")),
        end2end=end2end if isinstance(end2end, bool) else None,
        keypoints=None if shape is None else _keypoints(shape),
        size=_size(document.get("imgsz")),
    )


def _names(said: object) -> tuple[str, ...]:
    """Return names from a list, or from a mapping whose keys are numbers or their digits."""
    if said is None:
        return ()
    if isinstance(said, Sequence) and not isinstance(said, str):
        said = dict(enumerate(said))
    if not isinstance(said, Mapping):
        raise ValueError(f"its names are a {type(said).__name__}, expected names by number")
    if len(said) > MOST_CLASSES:
        raise ValueError(f"it names {len(said):,} classes, expected at most {MOST_CLASSES:,}")
    found: dict[int, str] = {}
    for key, name in said.items():
        digits = str(key)
        plain = digits.isascii() and digits.isdecimal() and len(digits) < 10
        number = int(digits) if plain else -1
        if not 0 <= number < len(said) or number in found:
            raise ValueError(f"it names a class '{digits[:20]}', expected 0 to {len(said) - 1}")
        if not isinstance(name, str | int | float) or len(str(name)) > _MOST_TEXT:
            raise ValueError(f"the name of class {number} is not a short text")
        found[number] = str(name)
    return tuple(found[number] for number in range(len(found)))


def _keypoints(shape: object) -> tuple[int, int]:
    if (
        isinstance(shape, Sequence)
        and len(shape) == 2
        and all(isinstance(size, int) for size in shape)
        and 1 <= shape[0] <= _MOST_KEYPOINTS
        and shape[1] in (2, 3)
    ):
        return shape[0], shape[1]
    raise ValueError(f"its kpt_shape is {str(shape)[:40]}, expected [points, 2 or 3]")


def _size(said: object) -> tuple[int, int] | None:
    """Return (width, height) of one side for both, or of [height, width]."""
    if said is None:
        return None
    sides = [said, said] if isinstance(said, int) else said
    if (
        isinstance(sides, Sequence)
        and len(sides) == 2
        and all(isinstance(side, int) and 1 <= side <= _MOST_SIDE for side in sides)
    ):
        return sides[1], sides[0]
    raise ValueError(f"its imgsz is {str(said)[:40]}, expected [height, width]")


def _damaged(subject: str, reason: str) -> ModelError:
    return ModelError(
        subject,
        got=f"the {NAMES[0]} behind it cannot be read: {reason[:200]}",
        next_step="export or fetch the model again",
    )
