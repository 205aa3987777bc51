"""What a wrong option is answered with."""

from __future__ import annotations

import click
import pytest

from edgeinfer.device.cli.help.mistakes import in_plain_words


@click.command
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True))
@click.option("--count", type=click.IntRange(1, 9))
@click.option("--size", type=int)
@click.option("--board", required=True, help="The kind of board; `edgeinfer boards` lists them.")
def _command(**_: object) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seconds", "two"], "'two' is not a number."),
        (["--seconds", "0"], "0.0 is out of range, expected more than 0."),
        (["--count", "a"], "'a' is not a whole number."),
        (["--count", "10"], "10 is out of range, expected 1 to 9."),
        (["--size", "1.5"], "'1.5' is not a whole number."),
        ([], "Missing option '--board'. The kind of board; `edgeinfer boards` lists them."),
    ],
)
def test_wrong_options_are_answered_in_plain_words(arguments: list[str], sentence: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        _command.main(arguments, standalone_mode=False)
    assert in_plain_words(caught.value).format_message().endswith(sentence)
