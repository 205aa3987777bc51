"""What shells complete; tried as they ask for it."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from edgeinfer.device.cli.main import cli
from tests.support.program import edgeinfer_here


def completed(*words: str) -> list[tuple[str, str]]:
    """Return (kind, value) of what completes the last word."""
    *before, incomplete = words
    shell = ShellComplete(cli, {}, "edgeinfer", "_EDGEINFER_COMPLETE")
    return [(item.type, item.value) for item in shell.get_completions(list(before), incomplete)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("bench",), ["benchmark"]),
        (("boards", "sh"), ["show"]),
        (("boards", "show", "rpi-z"), ["rpi-zero2w", "rpi-zero2w-coral-usb"]),
        (("inspect", "--board", "imx9"), ["imx93"]),
        (("flash", "x.edgebundle", "--board", "generic-a"), ["generic-aarch64", "generic-armv7l"]),
        (("train", "--student", "rpi4"), ["rpi4", "rpi4-coral-usb"]),
        (("train", "--architecture", "small"), ["small-cnn"]),
        (("train", "--task", "class"), ["classification"]),
        (("convert", "--precision", "int"), ["int8", "int16x8"]),
        (("run", "--camera", "simu"), ["simulated"]),
        (("predict", "--delegate", "eth"), ["ethos-u"]),
        (("predict", "--delegate-r"), ["--delegate-restarts"]),
    ],
)
def test_names(words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(*words) == [("plain", value) for value in expected]


@pytest.mark.parametrize(
    "words",
    [
        ("run", "my"),
        ("predict", "ph"),
        ("verify", "--model", "my"),
        ("predict", "--delegate", "./lib"),
        ("run", "--camera", "clip"),
        ("convert", "runs/"),
        ("evaluate", "my"),
        ("flash", "my"),
    ],
)
def test_files(words: tuple[str, ...]) -> None:
    assert completed(*words) == [("file", words[-1])]


def test_the_shells_script_is_printed_by_the_program() -> None:
    with pytest.raises(SystemExit) as ended:
        edgeinfer_here(env={"_EDGEINFER_COMPLETE": "zsh_source"})
    assert ended.value.code == 0


def test_a_delegate_that_is_a_library_is_not_taken_for_a_typing_error() -> None:
    answer = edgeinfer_here("verify", "--delegate", "libedgetpu.so.9", "no-such.edgebundle")
    assert "did you mean" not in answer.stderr
    assert answer.returncode == 1
