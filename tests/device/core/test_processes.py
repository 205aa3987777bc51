from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.processes import (
    ProcessEnd,
    python_command,
    run_to_end,
    safe_environment,
    signal_name,
)
from tests.device.diagnose.doctor.processes import ends
from tests.support.untrusted_folder import UntrustedFolder, work_in_untrusted_folder

VERSIONS = [(3, 10), (3, 11)] if sys.version_info >= (3, 11) else [(3, 10)]
"""The way of an older Python works in a newer one too."""
CODE = "import json, sys; print(json.dumps([1]), sys.argv[1:], __name__)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UntrustedFolder:
    return work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)


def run(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_folder_is_a_trap(folder: UntrustedFolder) -> None:
    """Without the helper the untrusted modules run, so the other tests can fail."""
    subprocess.run([sys.executable, "-c", "import json"], check=True)
    assert "json" in folder.imported()


@pytest.mark.parametrize("version", VERSIONS)
def test_code_imports_nothing_from_the_working_folder(
    folder: UntrustedFolder, version: tuple[int, int]
) -> None:
    command = python_command("-c", CODE, "a", "b c", version=version)
    env = safe_environment()
    if version < (3, 11):
        del env["PYTHONSAFEPATH"]  # 3.10 does not know it
    assert run(command, env) == "[1] ['a', 'b c'] __main__\n"
    assert folder.imported() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_module_imports_nothing_from_the_working_folder(
    folder: UntrustedFolder, version: tuple[int, int]
) -> None:
    """`json.tool` imports json; pip and its many parts are what `flash` starts."""
    env = safe_environment()
    if version < (3, 11):
        del env["PYTHONSAFEPATH"]
    file = folder.path / "data"
    file.write_text("[1]")
    assert (
        run(python_command("-m", "json.tool", str(file), version=version), env) == "[\n    1\n]\n"
    )
    assert run(python_command("-m", "pip", "--version", version=version), env).startswith("pip ")
    assert folder.imported() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_interpreters_options_come_before(version: tuple[int, int]) -> None:
    code = "import sys, warnings; print(sys.warnoptions, sys.dont_write_bytecode)"
    assert run(python_command("-W", "ignore", "-B", "-c", code, version=version)) == (
        "['ignore'] True\n"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_childs_exit_code_is_the_modules(version: tuple[int, int]) -> None:
    command = python_command("-c", "raise SystemExit(7)", version=version)
    assert subprocess.run(command, check=False).returncode == 7


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 has no PYTHONSAFEPATH")
def test_grandchildren_import_nothing_from_it_either(folder: UntrustedFolder) -> None:
    """A library may start a Python by itself, without any of our care."""
    code = (
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'json.tool', '--help'], check=True)"
    )
    run(python_command("-c", code), safe_environment())
    assert folder.imported() == []


@pytest.mark.parametrize("arguments", [(), ("script.py",), ("-W", "ignore"), ("-m",)])
def test_a_script_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected -m MODULE or -c CODE"):
        python_command(*arguments)


def test_another_python_may_be_named() -> None:
    command = python_command("-m", "x", python="/usr/bin/python3.12", version=(3, 12))
    assert command == ["/usr/bin/python3.12", "-P", "-m", "x"]


def test_of_the_python_path_absolute_folders_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/a", ".", "b/c", "/d"]))
    assert safe_environment()["PYTHONPATH"] == "/a:/d"
    monkeypatch.setenv("PYTHONPATH", ".")
    assert "PYTHONPATH" not in safe_environment()


def test_what_is_added_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEINFER_ONE", "1")
    found = safe_environment(EDGEINFER_ONE="2", TMPDIR="/x")
    assert (found["EDGEINFER_ONE"], found["TMPDIR"], found["PYTHONSAFEPATH"]) == ("2", "/x", "1")


def test_signals_are_named() -> None:
    assert signal_name(signal.SIGSEGV) == "SIGSEGV"
    assert signal_name(63) == "signal 63"


def test_a_child_ends_with_its_parent() -> None:
    child = (
        "import sys, time; from edgeinfer.device.core.processes import end_with_parent; "
        "end_with_parent(int(sys.argv[1])); print('up', flush=True); time.sleep(600)"
    )
    parent = (
        "import os, subprocess, sys; "
        f"p = subprocess.Popen([sys.executable, '-P', '-c', {child!r}, str(os.getpid())], "
        "stdout=subprocess.PIPE); p.stdout.readline(); print(p.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", parent], capture_output=True, text=True)
    assert ends(int(done.stdout))


@pytest.mark.parametrize(
    ("code", "words", "text"),
    [
        (0, "", "ended with code 0"),
        (3, "no such file", "ended with code 3 (no such file)"),
        (-11, "ignored", "was killed by SIGSEGV"),
        (-signal.SIGRTMIN - 1, "", f"was killed by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_the_text_says_how_a_process_ended(code: int, words: str, text: str) -> None:
    assert ProcessEnd(code=code, words=words).text == text
    assert ProcessEnd(code=code).signal == (-code if code < 0 else None)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("exit 0", "ended with code 0"),
        ("echo first >&2; echo last >&2; exit 3", "ended with code 3 (last)"),
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("exec sleep 600", "did not end within 0.5 s"),
    ],
)
def test_a_program_that_is_run_says_how_it_ended(script: str, text: str) -> None:
    limit_s = 0.5 if "sleep" in script else None
    finished = run_to_end(["sh", "-c", script], limit_s=limit_s)
    assert finished.end.text == text
    assert (finished.end.code is None) == (limit_s is not None)


def test_what_a_program_reads_and_writes() -> None:
    script = "cat; printf 'half \\377' >&2; pwd"
    finished = run_to_end(
        ["sh", "-c", script], given=b"a\n", cwd="/", env={"PATH": "/bin:/usr/bin"}
    )
    assert (finished.stdout, finished.stderr) == ("a\n/\n", "half \ufffd")
    assert run_to_end(["cat"]).stdout == ""


def test_what_a_program_wrote_before_its_time_was_over_is_kept() -> None:
    finished = run_to_end(["sh", "-c", "echo out; echo err >&2; exec sleep 600"], limit_s=2)
    assert (finished.stdout, finished.stderr, finished.end.words) == ("out\n", "err\n", "err")


def test_a_program_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_to_end([tmp_path / "absent"])
