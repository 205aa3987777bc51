"""What is printed where an extra is missing, typed word for word into the environment it is for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.host.board_wheels.wheels import make_wheel
from tests.support.program import error_line
from tests.system.environments import Environment, clean_environ, make_environment

pytestmark = pytest.mark.system

PYTHON = "{}.{}".format(*sys.version_info[:2])
SMALL = "tflite-runtime"
"""A small extra, so that commands can be run to their end: TensorFlow takes most of a minute."""
ADVISE = "from edgeinfer.device.core.installation.advice import add_extra; print(add_extra('{}'))"
HERE = (
    "from importlib import metadata; print(metadata.version('edgeinfer'), "
    "metadata.distribution('edgeinfer').read_text('direct_url.json'), "
    "[d.name for d in metadata.distributions() if d.name.startswith(('tflite', 'tensorflow'))])"
)


@pytest.fixture(autouse=True)
def _without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling them takes most of an installation from sources, and changes nothing here."""
    monkeypatch.setenv("CXX", "false")


@pytest.fixture(scope="module")
def odd_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder that a shell would split."""
    folder = tmp_path_factory.mktemp("it's a 'wheel'")
    return Path(shutil.copy(wheel, folder))


@pytest.fixture(scope="module")
def base(registry: None, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the base install needs, so that each test need not unpack it again."""
    folder = tmp_path_factory.mktemp("base")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--target", folder, wheel], check=True, env=clean_environ())
    for own in folder.glob("edgeinfer*"):
        shutil.rmtree(own)
    return folder


@pytest.fixture
def environment(tmp_path: Path, base: Path) -> Environment:
    made = make_environment(tmp_path / "venv", PYTHON)
    add_path(made, base)
    return made


def add_path(environment: Environment, folder: Path) -> None:
    """Let an environment have the packages of a folder, after its own."""
    site = next(environment.folder.glob("lib/python3*/site-packages"))
    (site / f"{folder.name}.pth").write_text(f"{folder}\n")


def shell(command: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Type a command into a shell."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=clean_environ(env),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def typed(command: str, folder: Path, **env: str) -> str:
    """Type a command that must work and return what it prints."""
    done = shell(command, folder, **env)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def advice(environment: Environment, extra: str = SMALL, **env: str) -> str:
    """Return the command that the edgeinfer in an environment gives."""
    told = typed(f"'{environment.python}' -c \"{ADVISE.format(extra)}\"", environment.folder, **env)
    return told.strip().removeprefix("run: ")


def installed(environment: Environment) -> tuple[str, bool]:
    """Return version and source of edgeinfer, and whether the small extra is there."""
    facts = environment.evaluate(HERE)
    return facts.partition(" [")[0], "tflite" in facts.partition(" [")[2]


def test_the_whole_extra_for_a_wheels_file(environment: Environment, odd_wheel: Path) -> None:
    """The one test here that asks for all of it, as the command of `train` says.

    What this environment has need not be installed again: pip finds that it is there.
    """
    environment.pip("install", "--quiet", odd_wheel)
    for command in ("train", "prune", "optimize"):
        line = error_line(environment.edgeinfer(command, "no-such-folder"))
        assert f"{environment.python} -m pip install 'edgeinfer[host] @ file://" in line
    before = installed(environment)
    add_path(environment, Path(sysconfig.get_path("purelib")))
    typed(line.partition("; run: ")[2], environment.folder)
    assert installed(environment)[0] == before[0]
    assert (
        environment.evaluate("import importlib.util as u; print(bool(u.find_spec('keras')))")
        == "True"
    )
    line = error_line(environment.edgeinfer("train", "no-such-folder"))
    assert "no-such-folder" in line
    assert "pip install" not in line


def test_a_wheels_file(environment: Environment, odd_wheel: Path) -> None:
    environment.pip("install", "--quiet", "--no-deps", odd_wheel)
    before = installed(environment)
    path = f"{environment.folder}/bin:{os.environ['PATH']}"
    command = advice(environment, PATH=path)
    assert command.startswith(f"pip install 'edgeinfer[{SMALL}] @ file://")
    typed(f"{command} --dry-run", environment.folder, PATH=path)
    command = advice(environment)
    assert command.startswith(f"{environment.python} -m pip install 'edgeinfer[")
    typed(command, environment.folder)
    assert installed(environment) == (before[0], True)


def test_a_wheels_file_that_was_removed(
    environment: Environment, odd_wheel: Path, tmp_path: Path
) -> None:
    wheel = Path(shutil.copy(odd_wheel, tmp_path))
    environment.pip("install", "--quiet", "--no-deps", wheel)
    before = installed(environment)
    wheel.unlink()
    typed(advice(environment), environment.folder)
    assert installed(environment) == (before[0], True)


def test_an_editable_checkout(environment: Environment, source_tree: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "it's my 'checkout'"
    shutil.copytree(source_tree, checkout, symlinks=True)
    environment.pip("install", "--quiet", "--no-deps", "--editable", checkout)
    before = installed(environment)
    command = advice(environment)
    assert " -e '" in command
    typed(command, environment.folder)
    assert installed(environment) == (before[0], True)
    assert "'editable': True" in before[0] or '"editable": true' in before[0]


@pytest.mark.parametrize("kind", ["folder", "sdist", "repository"])
def test_sources(
    environment: Environment,
    source_tree: Path,
    distributions: dict[str, Path],
    tmp_path: Path,
    kind: str,
) -> None:
    checkout = tmp_path / "it's my checkout"
    if kind == "sdist":
        asked = str(shutil.copy(distributions["sdist"], tmp_path))
    else:
        shutil.copytree(source_tree, checkout, symlinks=True)
        asked = str(checkout)
    if kind == "repository":
        git = "git -c user.name=n -c user.email=e"
        typed(f"git init -q && git add . && {git} commit -q -m 1", checkout)
        asked = f"git+{checkout.as_uri()}"
    environment.pip("install", "--quiet", "--no-deps", asked)
    before = installed(environment)
    if kind == "repository":  # what comes later is not what is installed
        (checkout / "pyproject.toml").write_text("no project any more")
        typed(f"git add . && {git} commit -q -m 2", checkout)
    typed(advice(environment), environment.folder)
    assert installed(environment) == (before[0], True)


def test_an_index(environment: Environment, wheel: Path, tmp_path: Path) -> None:
    """It offers a newer one, which is never taken."""
    make_wheel(tmp_path / "index", "edgeinfer", version="9.9")
    offers = str(tmp_path / "index")
    environment.pip(
        *("install", "--quiet", "--no-deps", "--no-index", "--find-links", wheel.parent),
        "edgeinfer==0.1.0",
    )
    before = installed(environment)
    command = advice(environment)
    assert command.endswith(f"pip install 'edgeinfer[{SMALL}]==0.1.0'")
    typed(command, environment.folder, PIP_FIND_LINKS=offers)
    assert installed(environment) == (before[0], True)


def test_without_pip(environment: Environment, wheel: Path) -> None:
    environment.pip("install", "--quiet", "--no-deps", wheel)
    environment.pip("uninstall", "--yes", "--quiet", "pip")
    typed(advice(environment), environment.folder)
    assert installed(environment)[1]


@pytest.fixture(scope="module")
def tools(registry: None, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """pipx and uv."""
    made = make_environment(tmp_path_factory.mktemp("tools") / "venv", PYTHON)
    made.pip("install", "--quiet", "pipx", "uv")
    return made


@pytest.fixture
def tool_environ(tools: Environment, tmp_path: Path) -> dict[str, str]:
    """Where the tools keep what they make: in this test's own folder."""
    return {
        "PATH": f"{tools.folder}/bin:{os.environ['PATH']}",
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "programs"),
        "PIPX_MAN_DIR": str(tmp_path / "man"),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "programs"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }


@pytest.mark.parametrize("way", ["pipx", "pipx --suffix", "pipx --editable", "uv", "uv --editable"])
def test_an_environment_of_a_tool(
    odd_wheel: Path,
    source_tree: Path,
    tool_environ: dict[str, str],
    tmp_path: Path,
    way: str,
) -> None:
    tool, _, option = way.partition(" ")
    asked = f'"{source_tree if option == "--editable" else odd_wheel}"'
    options = "--suffix=_b" if option == "--suffix" else option
    install = "pipx install" if tool == "pipx" else "uv tool install"
    typed(f"{install} --python {sys.executable} {options} {asked}", tmp_path, **tool_environ)
    home = tmp_path / ("pipx/venvs" if tool == "pipx" else "tools")
    (folder,) = home.glob("edgeinfer*")
    environment = Environment(folder=folder, version=PYTHON)
    before = installed(environment)
    command = advice(environment, **tool_environ)
    assert command.startswith(f"{install} --force --python ")
    typed(command, tmp_path, **tool_environ)
    assert installed(environment) == (before[0], True)
    program = "edgeinfer_b" if option == "--suffix" else "edgeinfer"
    assert "0.1.0" in typed(f"programs/{program} --version", tmp_path)


@pytest.mark.parametrize("way", ["pipx run --spec", "uvx --from"])
def test_a_tools_passing_environment(
    odd_wheel: Path, tool_environ: dict[str, str], tmp_path: Path, way: str
) -> None:
    spec = f'"edgeinfer @ {odd_wheel.as_uri()}"'
    program, option = way.rsplit(" ", 1)
    start = f"{program} --python {sys.executable} {option} {spec}"
    # pipx leaves it to uvx where it can.
    environ = {**tool_environ, "PIPX_DEFAULT_BACKEND": "pip"}
    done = shell(f"{start} edgeinfer train no-such-folder", tmp_path, **environ)
    command = error_line(done).partition("; run: ")[2]
    assert command.startswith(f"{program} --python ")
    assert command.endswith(" edgeinfer")
    small = command.replace("[host]", f"[{SMALL}]")
    assert "0.1.0" in typed(f"{small} --version", tmp_path, **environ)


def test_an_environment_that_uv_made(
    odd_wheel: Path, tool_environ: dict[str, str], tmp_path: Path
) -> None:
    typed(f"uv venv --python {sys.executable} 'my env'", tmp_path, **tool_environ)
    environment = Environment(folder=tmp_path / "my env", version=PYTHON)
    into = f"--python '{environment.python}'"
    typed(f'uv pip install {into} "edgeinfer @ {odd_wheel.as_uri()}"', tmp_path, **tool_environ)
    before = installed(environment)
    typed(advice(environment, **tool_environ), tmp_path, **tool_environ)
    assert installed(environment) == (before[0], True)


def test_a_python_that_the_system_keeps(odd_wheel: Path, tmp_path: Path) -> None:
    """A Python with its own prefix, marked as Debian marks its own; pip refuses to touch it."""
    base = tmp_path / "system"
    library = base / "lib" / f"python{PYTHON}"
    (library / "site-packages").mkdir(parents=True)
    (base / "bin").mkdir()
    python = base / "bin" / f"python{PYTHON}"
    shutil.copy(Path(sys.executable).resolve(), python)
    shutil.copy(Path(sys.executable).resolve(), base / "bin" / "python")
    for entry in Path(sysconfig.get_path("stdlib")).iterdir():
        if entry.name != "site-packages":
            (library / entry.name).symlink_to(entry)
    environment = Environment(folder=base, version=PYTHON)
    libraries = sysconfig.get_config_var("LIBDIR") or ""
    typed(f"{python} -m ensurepip --default-pip", tmp_path, LD_LIBRARY_PATH=libraries)
    typed(f'{python} -m pip install --no-deps "{odd_wheel}"', tmp_path, LD_LIBRARY_PATH=libraries)
    (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=no\n")
    refused = shell(f"{python} -m pip install click", tmp_path, LD_LIBRARY_PATH=libraries)
    assert "externally-managed-environment" in refused.stderr
    told = advice(environment, LD_LIBRARY_PATH=libraries)
    assert told.startswith("in a new environment, whose program is edgeinfer-env/bin/edge")
    typed(told.partition("run: ")[2], tmp_path, LD_LIBRARY_PATH=libraries)
    assert "0.1.0" in typed("edgeinfer-env/bin/edgeinfer --version", tmp_path)
    made = Environment(folder=tmp_path / "edgeinfer-env", version=PYTHON)
    assert installed(made)[1]
