"""The command that was given, as it can be given again."""

from __future__ import annotations

import click
from click.testing import CliRunner

from edgeinfer.host.cli.command_again import command_again


def test_it_has_what_was_given_and_nothing_else() -> None:
    @click.command()
    @click.argument("data")
    @click.option("--size", default="96")
    @click.option("--epochs", type=int, default=40)
    @click.option("--force", is_flag=True)
    @click.option("--resume", is_flag=True)
    def train(**_: object) -> None:
        click.echo(command_again("--resume"))

    def again(*arguments: str) -> str:
        result = CliRunner().invoke(train, arguments, catch_exceptions=False)
        return result.output.strip()

    assert again("my cats", "--epochs", "3") == "`edgeinfer train 'my cats' --epochs 3 --resume`"
    assert again("x", "--resume", "--size=8") == "`edgeinfer train x --size 8 --resume`"
