"""What to do where a package is missing, for each way to install edgeinfer."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from edgeinfer.device.core.installation.advice import add_extra, add_packages
from edgeinfer.device.core.installation.environment import Environment, Installer, Tool
from edgeinfer.device.core.installation.source import Source

INDEX = Source(version="0.1.0")
WHEEL = Source(version="0.1.0", url="file:///w/e.whl", path=Path(__file__))
GONE = Source(version="0.1.0", url="file:///w/e.whl", path=Path("/no/such/e.whl"))
EDITABLE = Source(version="0.1.0", checkout=Path("/my work/it's"), path=Path("/"))
REPOSITORY = Source(version="0.1.0", url="git+file:///r@12", path=Path("/"))
SECRET = Source(version="0.1.0", url="https://host.example/e.whl", secret=True)

SHELL = Environment(prefix=Path("/e"), python="/e/bin/python", pip_on_path=True)
PLAIN = Environment(prefix=Path("/e"), python="/e/bin/python", base_python="/usr/bin/python3.11")
SPACE = Environment(prefix=Path("/e f"), python="/e f/bin/python")


def made_by(tool: Tool = "", installer: Installer = "pip", **others: object) -> Environment:
    return Environment(
        tool=tool,
        installer=installer,
        prefix=Path("/e"),
        python="/e/bin/python",
        base_python="/usr/bin/python3.11",
        **others,  # type: ignore[arg-type]
    )


MANAGED = made_by(installer="none")
OWN = "in a new environment, whose program is edgeinfer-env/bin/edgeinfer, run: "
PIPX = "run: pipx install --force --python /usr/bin/python3.11 "
UV_TOOL = "run: uv tool install --force --python /usr/bin/python3.11 "


@pytest.mark.parametrize(
    ("source", "environment", "wanted"),
    [
        (INDEX, SHELL, "run: pip install 'edgeinfer[host]==0.1.0'"),
        (INDEX, PLAIN, "run: /e/bin/python -m pip install 'edgeinfer[host]==0.1.0'"),
        (INDEX, SPACE, "run: '/e f/bin/python' -m pip install 'edgeinfer[host]==0.1.0'"),
        (WHEEL, SHELL, "run: pip install 'edgeinfer[host] @ file:///w/e.whl'"),
        # What is installed fulfils this; pip asks nobody for it.
        (GONE, SHELL, "run: pip install 'edgeinfer[host]==0.1.0'"),
        (REPOSITORY, SHELL, "run: pip install 'edgeinfer[host]==0.1.0'"),
        (REPOSITORY, made_by("pipx"), f"{PIPX}'edgeinfer[host] @ git+file:///r@12'"),
        (EDITABLE, SHELL, "run: pip install -e '/my work/it'\"'\"'s[host]'"),
        (
            SECRET,
            SHELL,
            "after adding the name or password that the URL needs, run: "
            "pip install 'edgeinfer[host] @ https://host.example/e.whl'",
        ),
        (
            INDEX,
            made_by(writable=False),
            "as a user who may write to /e, run: "
            "/e/bin/python -m pip install 'edgeinfer[host]==0.1.0'",
        ),
        (
            INDEX,
            made_by(installer="ensurepip"),
            "run: /e/bin/python -m ensurepip && "
            "/e/bin/python -m pip install 'edgeinfer[host]==0.1.0'",
        ),
        (
            EDITABLE,
            made_by(installer="uv"),
            "run: uv pip install --python /e/bin/python -e '/my work/it'\"'\"'s[host]'",
        ),
        (
            WHEEL,
            MANAGED,
            f"{OWN}/usr/bin/python3.11 -m venv edgeinfer-env && "
            "edgeinfer-env/bin/pip install 'edgeinfer[host] @ file:///w/e.whl'",
        ),
        (
            INDEX,
            made_by(installer="none", has_venv=False),
            f"after sudo apt install python3-venv, {OWN}/usr/bin/python3.11 -m venv edgeinfer-env "
            "&& edgeinfer-env/bin/pip install 'edgeinfer[host]==0.1.0'",
        ),
        (
            GONE,
            MANAGED,
            "after restoring /no/such/e.whl, from which edgeinfer was installed, "
            f"{OWN}/usr/bin/python3.11 -m venv edgeinfer-env && "
            "edgeinfer-env/bin/pip install 'edgeinfer[host] @ file:///w/e.whl'",
        ),
        (INDEX, made_by("pipx"), f"{PIPX}'edgeinfer[host]==0.1.0'"),
        (INDEX, made_by("pipx", suffix="_b"), f"{PIPX}--suffix=_b 'edgeinfer[host]==0.1.0'"),
        (EDITABLE, made_by("pipx"), f"{PIPX}-e '/my work/it'\"'\"'s[host]'"),
        (
            WHEEL,
            made_by("pipx run"),
            "run: pipx run --python /usr/bin/python3.11 "
            "--spec 'edgeinfer[host] @ file:///w/e.whl' edgeinfer",
        ),
        (WHEEL, made_by("uv tool", "uv"), f"{UV_TOOL}'edgeinfer[host] @ file:///w/e.whl'"),
        (
            GONE,
            made_by("uv tool", "uv"),
            "after restoring /no/such/e.whl, from which edgeinfer was installed, "
            f"{UV_TOOL}'edgeinfer[host] @ file:///w/e.whl'",
        ),
        (
            EDITABLE,
            made_by("uvx", "uv"),
            "run: uvx --python /usr/bin/python3.11 "
            "--from 'edgeinfer[host] @ file:///my%20work/it%27s' edgeinfer",
        ),
    ],
)
def test_an_extra(source: Source, environment: Environment, wanted: str) -> None:
    assert add_extra(source=source, environment=environment, version=(3, 11)) == wanted


@pytest.mark.parametrize("environment", [made_by("release"), made_by(wide=False)])
def test_on_a_board_the_extra_is_the_wrong_advice(environment: Environment) -> None:
    advice = add_extra(source=WHEEL, environment=environment)
    assert advice == "run it on the workstation: a board has the device package alone"


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        (SHELL, "python3.11 -m venv edgeinfer-env && edgeinfer-env/bin/pip install"),
        (made_by("pipx"), "pipx install --force --python python3.11"),
        (made_by("uv tool", "uv"), "uv tool install --force --python 3.11"),
    ],
)
def test_an_old_python_gets_no_training_stack(environment: Environment, command: str) -> None:
    advice = add_extra(source=INDEX, environment=environment, version=(3, 10))
    assert advice.startswith("with Python 3.11 to 3.13, ")
    assert advice.endswith(f"run: {command} 'edgeinfer[host]==0.1.0'")


def test_without_an_installation_there_is_no_command() -> None:
    advice = add_extra(source=Source(version=""), environment=SHELL)
    assert advice == "install edgeinfer as docs/quickstart.md says, with the extra host"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        (SHELL, "run `pip uninstall -y b`, then `pip install --force-reinstall 'a<2'`"),
        (
            made_by("uv tool", "uv"),
            "run `uv pip uninstall --python /e/bin/python b`, then "
            "`uv pip install --python /e/bin/python --force-reinstall 'a<2'`",
        ),
        (
            made_by("release"),
            "install the release again: on the workstation, run `edgeinfer flash`",
        ),
        (
            MANAGED,
            "in a new environment, whose program is edgeinfer-env/bin/edgeinfer, run "
            "`/usr/bin/python3.11 -m venv edgeinfer-env && "
            "edgeinfer-env/bin/pip install 'edgeinfer @ file:///w/e.whl'`",
        ),
    ],
)
def test_packages(environment: Environment, wanted: str) -> None:
    advice = add_packages(
        "a<2", instead_of=["b"], force=True, source=WHEEL, environment=environment
    )
    assert advice == wanted


def test_a_shell_takes_the_command_apart_as_it_was_meant() -> None:
    advice = add_extra(source=EDITABLE, environment=SPACE, version=(3, 11))
    assert shlex.split(advice.removeprefix("run: ")) == [
        *("/e f/bin/python", "-m", "pip", "install", "-e", "/my work/it's[host]"),
    ]


def test_here() -> None:
    assert "[host]" in add_extra()
    assert "click" in add_packages("click")
