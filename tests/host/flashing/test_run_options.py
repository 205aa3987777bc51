from __future__ import annotations

from pathlib import Path

import click
import pytest

from edgeinfer.device.core.errors import CameraError, EdgeinferError, UsageError
from edgeinfer.host.flashing.run_options import check_run_options


@pytest.mark.parametrize(
    ("words", "given", "node"),
    [
        ((), ("--camera", "--wait-for-camera"), ""),
        (("--max-fps", "5"), ("--camera", "--wait-for-camera", "--max-fps", "5"), ""),
        (("--camera", "2"), ("--camera", "2"), "/dev/video2"),
        (("--camera", "/dev/video3"), ("--camera", "/dev/video3"), "/dev/video3"),
        (("--camera", "simulated"), ("--camera", "simulated"), None),
        (("--camera", "rtsp://cam/1"), ("--camera", "rtsp://cam/1"), None),
        (("--camera", "--output", "json:a.jsonl"), ("--camera", "--output", "json:a.jsonl"), ""),
        (("--camera-url-file", "/etc/cam"), ("--camera-url-file", "/etc/cam"), None),
    ],
)
def test_options_of_the_service(
    words: tuple[str, ...], given: tuple[str, ...], node: str | None
) -> None:
    options = check_run_options(words)
    assert (options.words, options.v4l2_node) == (given, node)


def test_the_variant_is_read() -> None:
    assert check_run_options(()).variant is None
    assert check_run_options(("--variant", "cpu")).variant == "cpu"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "x.edgebundle"), "--model: is given"),
        (("-m", "x.edgebundle"), "--model: is given"),
        (("--log-format", "json"), "--log-format: is given"),
        (("--output", "status:/tmp/x"), "flash sets it"),
        (("--output", "window"), "needs a screen"),
        (("--output", "video:x.txt"), "is not a video"),
        (("--camera", "-"), "is stdin"),
        (("--camera", "rtsp://cam\n/x"), "has control characters"),
        (("--camera", "0", "--camera-url-file", "/etc/cam"), "is used together with --camera"),
        (("--max-seconds", "5"), "ends the loop"),
        (("--max-frames", "5"), "ends the loop"),
        (("--record-when", "dog>>1", "--output", "stills:x"), "record-when"),
        (("--stills-clean",), "no stills are written"),
        (("--edgetpu", "usb:0", "--delegate", "gpu"), "edgetpu"),
        (("--help",), "asks for help"),
        (("other.edgebundle", "--camera"), "run option BUNDLE: is given"),
    ],
)
def test_options_that_are_not_for_a_service(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(EdgeinferError, match=message) as caught:
        check_run_options(words)
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("words", [("--no-such",), ("--max-fps", "fast"), ("stray", "words")])
def test_options_that_run_does_not_know(words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        check_run_options(words)


def test_a_file_here_names_the_camera(tmp_path: Path) -> None:
    file = tmp_path / "camera"
    file.write_text("rtsp://me:hunter2@cam/1\n")
    file.chmod(0o644)
    with pytest.raises(CameraError, match="by others"):
        check_run_options((), file)
    file.chmod(0o600)
    options = check_run_options(("--every", "2"), file)
    assert options.words == ("--camera", "rtsp://me:hunter2@cam/1", "--every", "2")
    assert options.v4l2_node is None
    assert "hunter2" not in repr(options)
    for words in (("--camera", "0"), ("--camera",), ("--camera-url-file", "/etc/cam")):
        with pytest.raises(UsageError, match="and also a camera after"):
            check_run_options(words, file)
