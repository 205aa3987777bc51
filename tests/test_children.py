"""Every process with a Python in it is started so that it imports nothing from the working folder.

All sources are read: what starts a Python without `python_command` and `safe_environment`, or by
means that they do not cover, fails here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.checkout import ROOT

HELPER = "device/core/processes.py"
MAY_NAME_THE_INTERPRETER = {
    "boards/toolchains/build_wheels.py": "a script of the checkout, below the device package",
    "device/diagnose/doctor/checks/python.py": "tells it",
    "device/core/installation/environment.py": "for commands that the user gets",
    "device/releases/systemd/units.py": "for a unit, which starts it with -I",
    "host/board_wheels/download.py": "names it in an error",
    "converters/importers/child.py": "for other interpreters too, with -I",
}
"""Where `sys.executable` may be used, and why."""
ONLY_TELLS = "device/core/installation/advice.py"
"""Makes commands for the user to type, and starts none."""
MODULES = {"multiprocessing", "runpy", "pty", "billiard", "loky", "joblib"}
FUNCTIONS = re.compile(
    r"(exec|spawn)[lv]p?e?|posix_spawnp?|system|popen|fork(pty)?|create_subprocess_\w+"
    r"|ProcessPoolExecutor|getoutput|getstatusoutput"
)
ISOLATED = {"-I", "-P"}
SHELLS = {"sh", "/bin/sh", "bash"}


def sources() -> dict[str, str]:
    folders = ("boards", "converters", "device", "host")
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def faults(name: str, source: str) -> list[str]:
    """Return each place in a module that starts a Python which may import from its folder."""
    tree = ast.parse(source)
    if name == HELPER:
        return []
    found = [*_means(tree), *_environments(tree)]
    found += [] if name == ONLY_TELLS else _commands(tree)
    if name not in MAY_NAME_THE_INTERPRETER:
        found += [
            f"{node.lineno}: sys.executable, expected python_command"
            for node in ast.walk(tree)
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("executable", "_base_executable")
                and isinstance(node.value, ast.Name)
                and node.value.id == "sys"
            )
            or (
                isinstance(node, ast.ImportFrom)
                and node.module == "sys"
                and any(alias.name == "executable" for alias in node.names)
            )
        ]
    return found


def _means(tree: ast.Module) -> Iterator[str]:
    """Name what starts processes past the helper, or by a shell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [node.attr] if node.value.id in ("os", "asyncio", "subprocess") else []
        elif isinstance(node, ast.Call) and any(_is_shell(word) for word in node.keywords):
            names = ["system"]
        else:
            continue
        for name in names:
            if name.split(".")[0] in MODULES or FUNCTIONS.fullmatch(name):
                yield f"{node.lineno}: {name}, expected subprocess with python_command"


def _is_shell(word: ast.keyword) -> bool:
    return word.arg == "shell" and isinstance(word.value, ast.Constant) and word.value.value is True


def _commands(tree: ast.Module) -> Iterator[str]:
    """Name command lines that start a Python by -m, -c or its name, and not in isolation."""
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    parts = {
        id(assigned[node.value.id])
        for node in ast.walk(tree)
        if isinstance(node, ast.Starred)
        and isinstance(node.value, ast.Name)
        and node.value.id in assigned
    } | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Starred)}
    helped = {
        id(part)
        for node in ast.walk(tree)
        if _is_call(node, "python_command")
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.List | ast.Tuple | ast.Call) or id(node) in helped | parts:
            continue
        words = list(_words(node.args if isinstance(node, ast.Call) else node.elts, assigned))
        if isinstance(node, ast.Call) and words and (words[0] or "").startswith("--"):
            continue  # it declares an option of edgeinfer: no command begins with one
        for place, word in enumerate(words):
            before = words[:place]
            if word in ("-m", "-c") and not ISOLATED & set(before) and not SHELLS & set(before):
                yield f"{node.lineno}: {word} without -I or -P, expected python_command"
        # A word of a list is a program where options follow; as an argument it is a name.
        listed = not isinstance(node, ast.Call) and len(words) > 1
        if listed and re.fullmatch(r"(.*/)?python(3(\.\d+)?)?", words[0] or ""):
            yield f"{node.lineno}: {words[0]}, expected python_command"


def _words(nodes: list[ast.expr], assigned: dict[str, ast.expr]) -> Iterator[str | None]:
    """Return the constants of a command line; None for what is only known when it runs."""
    for node in nodes:
        if isinstance(node, ast.Starred):
            inner, others = node.value, assigned
            if isinstance(inner, ast.Name):
                # A name may be in what is assigned to it: order = [*order, last].
                others = {name: value for name, value in assigned.items() if name != inner.id}
                inner = assigned.get(inner.id, inner)
            if isinstance(inner, ast.List | ast.Tuple):
                yield from _words(inner.elts, others)
                continue
        constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
        yield node.value if constant else None  # type: ignore[attr-defined]


def _environments(tree: ast.Module) -> Iterator[str]:
    """Name functions that start this Python and do not tell its children."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
            ours = [
                call
                for call in calls
                if _is_call(call, "python_command")
                # Of another machine, whose Python has a separate environment.
                and not any(word.arg == "python" for word in call.keywords)
            ]
            if ours and not any(_is_call(call, "safe_environment") for call in calls):
                yield f"{ours[0].lineno}: python_command without env=safe_environment()"


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def test_no_source_starts_a_python_past_the_helper() -> None:
    found = [f"{name}:{fault}" for name, text in sources().items() for fault in faults(name, text)]
    assert found == []


def test_the_exceptions_are_needed() -> None:
    texts = sources()
    for name in MAY_NAME_THE_INTERPRETER:
        assert "sys.executable" in texts[name], f"{name} needs no exception"


def test_the_module_that_only_prints_commands_starts_none() -> None:
    assert not re.search(r"subprocess|\bos\.", sources()[ONLY_TELLS])


def test_the_walk_meets_the_children_that_there_are() -> None:
    starting = [name for name, text in sources().items() if "python_command(" in text]
    assert len(starting) > 8, starting


@pytest.mark.parametrize(
    "source",
    [
        "subprocess.run([sys.executable, '-m', 'x'])",
        "command = [sys.executable, 'script.py']",
        "from sys import executable",
        "Popen([python, '-m', 'x'])",
        "Popen([python, '-B', '-c', code])",
        "subprocess.run(('python3', 'script.py'))",
        "subprocess.run(['/usr/bin/python3.11', 'script.py'])",
        "more = ['-m', 'x']\nsubprocess.run([python, *more])",
        "run(python, *('-m', 'x'))",
        "import multiprocessing",
        "from multiprocessing import Process",
        "import multiprocessing.shared_memory",
        "from concurrent.futures import ProcessPoolExecutor",
        "os.execv(path, words)",
        "from os import execvpe",
        "os.posix_spawn(path, words, env)",
        "os.system('python3 -m x')",
        "subprocess.run('python3 -m x', shell=True)",
        "subprocess.getoutput('python3 -m x')",
        "asyncio.create_subprocess_exec(python, 'x')",
        "def f():\n    subprocess.run(python_command('-m', 'x'))",
        "def f():\n    subprocess.run(python_command('-m', 'x'), env=os.environ)",
    ],
)
def test_the_walk_finds(source: str) -> None:
    assert faults("device/x.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    run(python_command('-m', 'x'), env=safe_environment(A='1'))",
        "words = python_command('-m', 'x', python=there, version=(3, 11))",
        "subprocess.run([python, '-I', '-m', 'venv', folder])",
        "more = ['-m', 'x']\nsubprocess.run([python, '-I', *more])",
        "subprocess.run(['sh', '-c', script])",
        "subprocess.run(['uv', 'python', 'install'])",
        "_model('--model', '-m', type=str)",
    ],
)
def test_the_walk_passes(source: str) -> None:
    assert faults("device/x.py", source) == []


def test_shell_scripts_start_python_in_isolation() -> None:
    scripts = [path for folder in ("device", "host") for path in (ROOT / folder).rglob("*.sh")]
    assert scripts
    runs = [
        line.strip()
        for script in scripts
        for line in script.read_text().splitlines()
        if re.match(r"\s*(\S+=\S+ )*(exec )?(\"?\$\{?python\}?\"?|\S*python3?)\s+\S", line)
    ]
    assert runs
    assert all(re.search(r"python\S* -I ", line) for line in runs), runs
