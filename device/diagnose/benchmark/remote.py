"""A benchmark on a board: the model goes there over SSH, the report comes back."""

from __future__ import annotations

import contextlib
import logging
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from edgeinfer.device.core.errors import RemoteError
from edgeinfer.device.core.signals import interrupt_on_signals
from edgeinfer.device.core.ssh import NOT_FOUND, Answer, SshHost, remote_word
from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions, model_file
from edgeinfer.device.diagnose.benchmark.report import BenchmarkReport, moved_to, parse_report
from edgeinfer.device.models.bundle.strict import SchemaError

_LOG = logging.getLogger(__name__)

_CLEANING_S = 30
"""How long removing the folder may take; a board that cannot be reached cannot be cleaned up."""

_NOT_EXECUTABLE = 126
_WRONG_USAGE = 2
_NUMBER_SUFFIX = ".pid"


def benchmark_on(
    host: SshHost,
    path: Path,
    options: BenchmarkOptions,
    *,
    program: str = "edgeinfer",
    progress: Callable[[str], None] = lambda text: None,
) -> BenchmarkReport:
    """Copy a model to a board, measure it there, and return the report under the local names.

    The model is in a new temporary folder there, which is removed however this ends: with the
    report, an error, Ctrl-C or SIGTERM.

    Args:
        host: the board.
        path: the bundle or `.tflite` here.
        options: what is measured.
        program: edgeinfer's program there: a name on its path, or a path of which `~/` is the
            remote user's home.
        progress: gets what is going on.

    Raises:
        RemoteError: the board cannot be reached, edgeinfer is not installed there or is of another
            version, or the benchmark failed there.
    """
    with interrupt_on_signals():
        progress(f"connecting to {host.name}")
        folder = _make_folder(host)
        try:
            progress(f"copying the model to {host.name}")
            target = str(PurePosixPath(folder) / path.name)
            copied = host.run(f"cat > {shlex.quote(target)}", input_file=path)
            if copied.code:
                raise RemoteError(
                    host.name,
                    got=f"the model cannot be copied there ({copied.last_line()})",
                    next_step="check that its temporary folder has room",
                )
            progress(f"measuring on {host.name}")
            words = [remote_word(program), *map(shlex.quote, remote_arguments(target, options))]
            # While it runs, its number is in a file: the cleaning ends what was left running.
            number = shlex.quote(target + _NUMBER_SUFFIX)
            answer = host.run(
                f"{' '.join(words)} & echo $! > {number}; "
                f"wait $!; code=$?; rm -f -- {number}; exit $code"
            )
            report = _report(host, answer, program)
        finally:
            progress(f"cleaning up on {host.name}")
            if not _remove_folder(host, folder):
                _LOG.warning("%s: %s could not be removed there", host.name, folder)
    return moved_to(report, host=host.name, model=model_file(path, report.model.name))


def remote_arguments(model: str, options: BenchmarkOptions) -> list[str]:
    """Return the command line, without the program, that measures `options` there."""
    width, height = options.frame_size
    arguments = [
        *("benchmark", "--json"),
        *("--frame", f"{width}x{height}"),
        *("--format", options.frame_format),
        *("--seconds", repr(options.seconds)),
        *("--cold-starts", str(options.cold_starts)),
    ]
    if options.threads is not None:
        arguments += ["--threads", ",".join(map(str, options.threads))]
    if options.runtime is not None:
        arguments += ["--runtime", options.runtime]
    if options.ops:
        arguments.append("--ops")
    return [*arguments, *options.opening.to_arguments(), "--", model]


def _make_folder(host: SshHost) -> str:
    """Make the folder there; one that was made is removed even if Ctrl-C comes in between."""
    process = host.start('mktemp -d "${TMPDIR:-/tmp}/edgeinfer-XXXXXXXX"', shielded=True)
    try:
        stdout, stderr = process.communicate()
    except BaseException:
        with contextlib.suppress(subprocess.TimeoutExpired):
            stdout, _ = process.communicate(timeout=_CLEANING_S)
            if process.returncode == 0 and _is_folder(stdout.strip()):
                _remove_folder(host, stdout.strip())
        process.kill()
        raise
    answer = host.check(process, stdout, stderr)
    folder = answer.stdout.strip()
    if answer.code or not _is_folder(folder):
        raise RemoteError(
            host.name,
            got=f"no temporary folder can be made there ({answer.last_line()})",
            next_step="check that its disk has room, and that its shell prints nothing by itself",
        )
    return folder


def _is_folder(text: str) -> bool:
    """Return whether that is what `mktemp` prints: one absolute path of the name asked for."""
    return (
        text.startswith("/")
        and text.isprintable()
        and PurePosixPath(text).name.startswith("edgeinfer-")
    )


def _remove_folder(host: SshHost, folder: str) -> bool:
    """End what still runs there and remove the folder, out of Ctrl-C's reach; return whether it was
    removed.

    An error or Ctrl-C may be under way, so it raises nothing itself.
    """
    quoted = shlex.quote(folder)
    process = host.start(
        f"for f in {quoted}/*{_NUMBER_SUFFIX}; do "
        'if [ -f "$f" ]; then kill "$(cat "$f")" 2>/dev/null; fi; done; '
        f"rm -rf -- {quoted}",
        shielded=True,
    )
    try:
        process.communicate(timeout=_CLEANING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    return process.returncode == 0


def _report(host: SshHost, answer: Answer, program: str) -> BenchmarkReport:
    if answer.code in (NOT_FOUND, _NOT_EXECUTABLE):
        raise RemoteError(
            host.name,
            got=f"there is no program `{program}`",
            next_step="install edgeinfer there, or name where it is: "
            "--remote-program '~/venv/bin/edgeinfer'",
        )
    if answer.code:
        raise RemoteError(
            host.name,
            got=f"the benchmark failed there ({answer.last_line()})",
            next_step="install the same version of edgeinfer there"
            if answer.code == _WRONG_USAGE
            else "",
        )
    try:
        return parse_report(answer.stdout)
    except SchemaError as error:
        raise RemoteError(
            host.name,
            got=f"its report cannot be read ({error})",
            next_step="install the same version of edgeinfer there",
        ) from error
