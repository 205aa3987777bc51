"""The `edgeinfer` program: finds the commands, and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from edgeinfer.device.cli.entry_points import load_command
from edgeinfer.device.cli.help.command_group import Group
from edgeinfer.device.cli.help.mistakes import in_plain_words
from edgeinfer.device.cli.kept import kept_text
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import EdgeinferError, printable, system_error
from edgeinfer.device.core.installation.entry_points import entry_point_names

COMMANDS_GROUP = "edgeinfer.commands"

_HEADINGS = {
    "Make a model": ("demo", "data", "train", "prune", "optimize", "convert", "adopt", "evaluate"),
    "Use a model": ("predict", "run", "inspect", "verify", "benchmark"),
    "Boards and cameras": ("boards", "flash", "unflash", "cameras", "doctor"),
}
"""In the order of the work; commands of other packages follow by name."""

_ORDER = [name for names in _HEADINGS.values() for name in names]

INTERRUPTED = 130
"""What shells give for a program that Ctrl-C ended (128 + SIGINT)."""


class _Commands(Group):
    """Loads each command from its entry point, and only when it is needed."""

    headings = _HEADINGS

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = entry_point_names(COMMANDS_GROUP)
        return sorted(names, key=lambda n: (_ORDER.index(n) if n in _ORDER else len(_ORDER), n))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = _own_command(cmd_name)
        return own if own is not None else load_command(COMMANDS_GROUP, cmd_name)


def _own_command(name: str) -> click.Command | None:
    """Return the device package's own command, from the module of that name.

    It is an entry point too, but searching all installed packages takes longer than loading a
    model.
    """
    module = f"{__package__}.commands.{name}"
    if not name.isidentifier() or importlib.util.find_spec(module) is None:
        return None
    command = getattr(importlib.import_module(module), name, None)
    return command if isinstance(command, click.Command) else None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="edgeinfer", prog_name="edgeinfer")
def cli() -> None:
    """From photographs to a camera that answers: train, shrink, verify and run image models."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 done, 1 the work failed, 2 wrong usage."""
    # Processes that libraries start must not import from the working folder either.
    os.environ["PYTHONSAFEPATH"] = "1"
    _open_missing_streams()
    sys.exit(run_program(sys.argv[1:] if arguments is None else arguments))


def run_program(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors become one line on stderr."""
    try:
        result = cli.main(list(arguments), prog_name="edgeinfer", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except EdgeinferError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        with suppress(OSError):
            shown = io.StringIO()
            in_plain_words(error).show(shown)
            say(shown.getvalue().rstrip("\n"), err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        return _fail(f"stopped{kept_text(stop)}", INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has ended; Python's own flush at exit must not complain too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(str(system_error(error)), 1)
    except MemoryError:
        return _fail("out of memory: free some, or use a smaller model or batch", 1)
    except Exception as error:
        from edgeinfer.boards import ProfileError

        if isinstance(error, ProfileError):  # a user's own file
            return _fail(printable(str(error)), 1)
        if os.environ.get("EDGEINFER_DEBUG"):
            raise
        text = printable(f"{type(error).__name__}: {error}")
        return _fail(
            f"a defect in edgeinfer ({text}); EDGEINFER_DEBUG=1 shows where, please report it", 1
        )


def _open_missing_streams() -> None:
    """Connect standard streams that were closed when the program started to /dev/null.

    Otherwise the next file that is opened, a camera or a bundle, gets the number of the stream, and
    libraries write their messages into it.
    """
    # In this order each stream gets its own number, because the lowest free number is used.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _fail(message: str, code: int) -> int:
    # The exit code stays the same if stderr cannot be written.
    with suppress(OSError):
        say(f"error: {message}", err=True)
    return code
