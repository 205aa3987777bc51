"""The readers of `--record-when` and of `--output`."""

from __future__ import annotations

import contextlib
from functools import cache
from random import Random

import numpy as np

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.outputs.options import parse_outputs
from edgeinfer.device.outputs.recording.condition import check_names, parse_condition
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.value.prediction import Value

_LABELS = ("cat", "dog", "hot dog, red hot", "count", "and", "é")
_PARTS = (
    *(
        "cat",
        "dog",
        "value",
        "count",
        "hot dog",
        '"hot dog, red hot"',
        '"',
        '""',
        "and",
        "or",
        "not",
    ),
    *("(", ")", ">", ">=", "<", "<=", "==", "!=", "=", ">", "0.5", "1", "-1", "1e400", "1e-400"),
    *("nan", "inf", "0x1", "1_0", "٣", "é", "\0", "\x1b", "\ud800", "  ", "\t", "\n", "+", "."),
    *("json", "json:", "csv:x", "video:a.mp4", "stills:", "status:\0", "terminal", ":"),
)


def seeds() -> list[bytes]:
    """Return conditions and outputs of every form."""
    return [
        b"dog > 0.8",
        b"person >= 0.5 and not cat > 0.2",
        b'value < 3 or value > 40 or ("hot dog, red hot" > .5 and not (count == 2))',
        b"json:answers.jsonl",
        b"video:clip.mp4",
        b"stills:folder",
    ]


def generate(random: Random) -> bytes:
    """Make a condition, some with odd words in it, or a text of the language's own words."""
    if random.random() < 0.5:
        words = _expression(random, random.choice((0, 1, 2, 5)))
        if random.random() < 0.3:
            words.insert(random.randrange(len(words) + 1), random.choice(_PARTS))
        return " ".join(words).encode(errors="surrogatepass")
    parts = random.choices(_PARTS, k=random.choice((1, 3, 7, 20)))
    if random.random() < 0.1:
        part = random.choice(("(", "not ", "not(", "cat>0 or ", "cat ", '"', "((", ")"))
        parts.insert(0, part * random.choice((10, 49, 50, 51, 400, 1000, 30_000)))
    return random.choice((" ", "")).join(parts).encode(errors="surrogatepass")


def _expression(random: Random, depth: int) -> list[str]:
    """Return the words of a condition that is one, or nearly."""
    kind = random.randrange(4) if depth else 0
    if kind == 1:
        return ["not", *_expression(random, depth - 1)]
    if kind == 2:
        return ["(", *_expression(random, depth - 1), ")"]
    if kind == 3:
        word = random.choice(("and", "or", "AND"))
        return [*_expression(random, depth - 1), word, *_expression(random, depth - 1)]
    name = random.choice(("cat", "dog", "value", "count", "hot dog", '"hot dog, red hot"', "é"))
    number = random.choice(("0.5", "1", "0", ".5", "1e-3", "+1", "-0", "3", "1e400", "1e-400"))
    return [name, random.choice((">", ">=", "<", "<=", "==", "!=")), number]


def attempt(data: bytes) -> None:
    """Read a text as a condition, judge answers by it, and read it as an output."""
    text = data.decode(errors="surrogateescape")
    with contextlib.suppress(EdgeinferError):
        condition = parse_condition(text)
        assert condition.comparisons()
        for prediction in _predictions():
            assert condition.holds(prediction) in (True, False)
        check_names(condition, _LABELS)
    with contextlib.suppress(EdgeinferError):
        parse_outputs([text, "window"], as_json=False)


@cache
def _predictions() -> list[Prediction]:
    size = (4, 4)
    count = len(_LABELS)
    return [
        Classification(labels=_LABELS, probabilities=np.linspace(0, 1, count)),
        Value(value=3.0, unit="bar"),
        Detections(
            labels=_LABELS,
            boxes=np.array([[0.0, 0.0, 2.0, 2.0]]),
            classes=np.array([1]),
            scores=np.array([0.9]),
            size=size,
        ),
        Mask(
            labels=_LABELS,
            classes=np.zeros((2, 2), np.uint8),
            box=(0.0, 0.0, 4.0, 4.0),
            size=size,
        ),
        Poses(
            names=("nose",),
            limbs=(),
            keypoints=np.zeros((1, 1, 2)),
            keypoint_scores=np.ones((1, 1)),
            scores=np.ones(1),
            size=size,
        ),
    ]
