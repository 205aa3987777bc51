"""What a library says when it fails, on one line: the cause first and whole, no stack."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CHARACTERS = 2000
"""Of the text, so that a library that prints a whole graph does not fill the terminal."""

# A frame of Python, and the notes in which TensorFlow's converter says where it was called from.
_FRAME = re.compile(r'^\s*(?:File ".*", line \d+|Traceback \(most recent|\^+$|~*\^+~*$)')
_NOTE = re.compile(r"^<unknown>:0: note: ")
# Where an operator came from: brackets in brackets, which no reader can use.
_PLACE = re.compile(r"\bloc\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\):? ?")


def library_reason(error: BaseException) -> str:
    """Return why a library failed: the last cause's message, then what failed because of it.

    Args:
        error: as the library raised it, with its causes.

    Returns:
        Such as `ValueError: kernel must be 2 numbers (so: TypeError: layer 'a' cannot be made)`.
    """
    texts = list(dict.fromkeys(_text(one) for one in _chain(error)))
    first, *others = reversed(texts)
    outer = [text for text in others if first.partition(": ")[2] not in text]
    whole = first + (f" (so: {'; '.join(outer)})" if outer else "")
    return whole if len(whole) <= MAX_CHARACTERS else f"{whole[:MAX_CHARACTERS]} ..."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give the error and its causes, as a traceback would show them, the last cause last."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _text(error: BaseException) -> str:
    lines = str(error).splitlines()
    kept: list[str] = []
    after_frame = False
    for line in lines:
        frame = _FRAME.match(line) is not None
        # The line behind a frame is the source text of it, which is indented more.
        source = after_frame and line.startswith("    ")
        after_frame = frame
        if not (frame or source or _NOTE.match(line)):
            kept.append(line)
    text = " ".join(_PLACE.sub("", " ".join(kept)).replace("<unknown>:0: ", "").split())
    return f"{type(error).__name__}: {text or 'no reason given'}"
