from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from edgeinfer.device.cli.help.pages import UNGROUPED_OPTIONS, Command, option_group

_left, _right = option_group("Left"), option_group("Right side")


def page_of(command: click.Command, width: int = 80) -> str:
    return CliRunner().invoke(command, ["--help"], terminal_width=width).output


def with_options(count: int) -> click.Command:
    @click.command(cls=Command)
    @_left("--first", type=click.IntRange(0, 1), default=1, metavar="N", help="The first.")
    @_right("--second", show_default="what fits", metavar="NAME", help="The second.")
    @_left("--third", is_flag=True, help="The third.")
    @click.option("--no-group", help="From another package.")
    def example(**given: object) -> None:
        """Do nothing."""

    example.params += [_option(f"--more-{number}") for number in range(count - 5)]
    return example


def _option(name: str) -> click.Option:
    return click.Option([name], help="One more.")


def test_groups_have_the_order_of_their_first_options_and_none_is_lost() -> None:
    page = page_of(with_options(UNGROUPED_OPTIONS + 1))
    headings = [line for line in page.splitlines() if line.endswith(":") and line[0] != " "]
    assert headings == ["Left:", "Right side:", "General:"]
    left = page.split("Left:\n")[1].split("\n\n")[0]
    assert [line.split()[0] for line in left.splitlines()] == ["--first", "--third"]
    general = page.split("General:\n")[1]
    assert "--no-group" in general
    assert "--help" in general


def test_few_options_have_one_heading() -> None:
    page = page_of(with_options(UNGROUPED_OPTIONS))
    assert "\nOptions:\n" in page
    assert "Left:" not in page
    assert page.index("--first") < page.index("--second") < page.index("--help")


def test_defaults_and_ranges_are_in_words() -> None:
    page = page_of(with_options(9))
    assert "The first.  [default: 1; 0 to 1]" in page
    assert "The second.  [default: what fits]" in page
    assert "The third.\n" in page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (click.IntRange(1), "1 or more"),
        (click.FloatRange(0, min_open=True), "more than 0"),
        (click.FloatRange(0, 9.5, min_open=True), "more than 0, at most 9.5"),
        (click.FloatRange(-1, 1), "-1 to 1"),
    ],
)
def test_ranges(kind: click.IntRange | click.FloatRange, words: str) -> None:
    @click.command(cls=Command)
    @_left("--value", type=kind, help="A value.")
    def example(value: float) -> None:
        """Do nothing."""

    assert f"A value.  [{words}]" in page_of(example)


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_columns_are_the_same_in_all_groups(width: int) -> None:
    page = page_of(with_options(9), width)
    starts = {line.index("The ") for line in page.splitlines() if "The " in line}
    assert len(starts) == 1
    assert max(map(len, page.splitlines())) <= width
