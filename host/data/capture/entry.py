"""A number that is typed key by key."""

from __future__ import annotations

from edgeinfer.host.data.capture.settings import parse_number

_ENTER = "\r\n"
_BACK = "\x7f\b"
_LONGEST = 24


class NumberEntry:
    """Takes keys until Enter; Enter alone means the number before.

    Args:
        number: the number that Enter alone means at first; None for none.

    Attributes:
        text: what was typed so far.
        number: the last number.
    """

    def __init__(self, number: float | None = None) -> None:
        self.text = ""
        self.number = number

    def press(self, key: str) -> float | None:
        """Take a key; return the number when it was Enter.

        Raises:
            ValueError: what was typed is not a number; it is forgotten.
        """
        if key in _BACK:
            self.text = self.text[:-1]
        elif key in _ENTER:
            text, self.text = self.text, ""
            if text:
                self.number = parse_number(text)
            if self.number is None:
                raise ValueError("no number was typed")
            return self.number
        elif key in "0123456789+-.,eE" and len(self.text) < _LONGEST:
            self.text += key
        return None
