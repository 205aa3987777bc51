"""What a library's failure becomes on one line."""

from __future__ import annotations

import pytest

from edgeinfer.converters.common.library_error import MAX_CHARACTERS, library_reason


def caught(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as found:
        raise error
    return found.value


def raise_one(cause: Exception, outer: Exception) -> None:
    try:
        raise cause
    except type(cause) as error:
        raise outer from error


def wrapped(cause: Exception, outer: Exception) -> BaseException:
    with pytest.raises(type(outer)) as found:
        raise_one(cause, outer)
    return found.value


def test_the_last_cause_comes_first_and_whole() -> None:
    cause = ValueError("groups must be 1\n" + "because " * 100 + "the end")
    text = library_reason(wrapped(cause, TypeError("layer 'a' cannot be made")))
    assert text.startswith("ValueError: groups must be 1 because because ")
    assert text.endswith("the end (so: TypeError: layer 'a' cannot be made)")


def test_what_only_repeats_its_cause_is_left_out() -> None:
    error = wrapped(ValueError("no such layer"), RuntimeError("no such layer"))
    assert library_reason(error) == "ValueError: no such layer"


def test_a_suppressed_cause_is_not_told() -> None:
    error = wrapped(KeyError("inner"), TypeError("outer"))
    error.__cause__ = None
    error.__context__, error.__suppress_context__ = KeyError("inner"), True
    assert library_reason(error) == "TypeError: outer"


def test_stacks_inside_a_message_are_taken_out() -> None:
    message = (
        "Exception encountered\n\nTraceback (most recent call last):\n"
        '  File "/a/b.py", line 3, in call\n    return f(x)\n           ~^^^\nsize is 0\n'
        '<unknown>:0: error: loc(callsite("a"("b") at fused["c"])): op is not supported\n'
        "<unknown>:0: note: called from here"
    )
    assert library_reason(caught(RuntimeError(message))) == (
        "RuntimeError: Exception encountered size is 0 error: op is not supported"
    )


def test_it_is_bounded_and_says_something_of_an_empty_message() -> None:
    assert library_reason(ValueError()) == "ValueError: no reason given"
    assert len(library_reason(ValueError("x" * 10**6))) == MAX_CHARACTERS + 4


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("a"), TypeError("b")
    first.__cause__, second.__cause__ = second, first
    assert library_reason(first) == "TypeError: b (so: ValueError: a)"
