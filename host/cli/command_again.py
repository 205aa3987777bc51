"""The command that a person gave, to be given again."""

from __future__ import annotations

import click
from click.core import ParameterSource

from edgeinfer.device.core.model_file import command_line


def given_options() -> list[str]:
    """Return the options of the running command that were given."""
    context = click.get_current_context()
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]


def command_again(*more: str) -> str:
    """Return the running command with the options that were given, and with more options.

    Args:
        more: flags to add, if they were not given.
    """
    context = click.get_current_context()
    words, arguments = [str(context.info_name)], []
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if context.get_parameter_source(str(parameter.name)) is not ParameterSource.COMMANDLINE:
            continue
        if isinstance(parameter, click.Argument):
            arguments.append(str(value))
        elif parameter.opts[0] not in more:
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            words += [parameter.opts[0]] if flag else [parameter.opts[0], str(value)]
    return command_line(words[0], *arguments, *words[1:], *more)
