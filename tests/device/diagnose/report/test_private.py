from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.diagnose.report.private import Redactor, private_words

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str) -> None:
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    return write_file


SERIALS = {
    "/proc/device-tree/serial-number": "10000000deadbeef\0",
    "/proc/cpuinfo": "model name\t: ARM\nSerial\t\t: 00000000cafe4711\n",
    "/sys/bus/usb/devices/1-1/serial": "SN-C920-77\n",
    "/sys/block/mmcblk0/device/serial": "0x5e7ca11d\n",
    "/sys/block/mmcblk0/device/cid": "035344534331364780aabbccdd0123\n",
    "/sys/class/net/eth0/address": "dc:a6:32:01:02:03\n",
    "/sys/class/dmi/id/board_serial": "BRD 99 X\n",
    "/etc/machine-id": "b08dfa6083e7567a1921a715000001fb\n",
}


def test_serial_numbers_and_names_of_this_machine(tmp_path: Path, write: Write) -> None:
    for name, content in SERIALS.items():
        write(name, content)
    write("/etc/hostname", "kitchen.example.net\n")
    write("/home/berta/.profile", "")
    words = private_words(System(root=tmp_path), environment={"SUDO_USER": "caesar"})
    numbers = ["10000000deadbeef", "00000000cafe4711", "SN-C920-77", "0x5e7ca11d", "BRD 99 X"]
    numbers += ["035344534331364780aabbccdd0123", "dc:a6:32:01:02:03"]
    numbers += ["b08dfa6083e7567a1921a715000001fb"]
    assert [words[number] for number in numbers] == ["<serial>"] * len(numbers)
    assert (words["berta"], words["caesar"]) == ("<user>", "<user>")
    assert (words["kitchen.example.net"], words["kitchen"]) == ("<host>", "<host>")
    redactor = Redactor(words)
    for number in numbers:
        assert redactor.text(f"usb-046d_{number.upper()}-video") == "usb-046d_<serial>-video"
    assert redactor.text("Berta's kitchen, not kitchens") == "<user>'s <host>, not kitchens"


@pytest.mark.parametrize("name", ["pi", "root", "debian", "raspberrypi"])
def test_usual_names_hide_nothing_else(tmp_path: Path, write: Write, name: str) -> None:
    write("/etc/hostname", name)
    write(f"/home/{name}/x", "")
    words = private_words(System(root=tmp_path), environment={"USER": name})
    assert name not in words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no answer from 192.168.1.20", "no answer from <address>"),
        ("10.0.0.7:554 refused", "<address> refused"),
        ("fe80::1ff:fe23:4567:890a%eth0", "<address>"),
        ("2001:db8:0:0:0:0:0:1 is up", "<address> is up"),
        ("MAC DC-A6-32-01-02-03", "MAC <address>"),
        ("write to anna.b+x@mail.example.org", "write to <address>"),
        ("rtsp://me:p,s;s@cam:554/live?t=1 fails", "rtsp://<address> fails"),
        ("HTTP://cam", "HTTP://<address>"),
        ("user-pw=hunter2, token: abc", "user-pw=<hidden>, token: <hidden>"),
        ("Authorization: Basic bWU6aHVudGVyMg==", "Authorization: <hidden>"),
        ("/home/anna/a.jpg", "/home/<user>/a.jpg"),
        ("/media/anna/STICK", "/media/<user>/STICK"),
        ("/dev/v4l/by-id/usb-Logi_C920_1234-index0 x", "/dev/v4l/by-id/<hidden> x"),
        ("nas:/export/x fails", "<address> fails"),
        ("//nas/photos", "<address>"),
        ("printer.local and box.fritz.box", "<host> and <host>"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <serial>"),
        ("serial 200901010001", "serial <serial>"),
    ],
)
def test_patterns(text: str, expected: str) -> None:
    assert Redactor({}).text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "OpenCV 4.11.0, numpy 1.26.4, kernel 6.6.31+rpt-rpi-v8, glibc 2.36",
        "2026-11-30 10:25 UTC, 10:25:59",
        "HD Webcam, usb-0000:00:14.0-1.3",
        "run `sudo usermod -aG video $USER`, then log in again",
        "/dev/video0, 640x480 YUYV, 30 frames/s",
        "16.0TF2.17.1-1",
        "std::string and ::",
    ],
)
def test_what_is_not_private_stays(text: str) -> None:
    assert Redactor({}).text(text) == text


SECRET = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=8)


@given(SECRET, SECRET, st.sampled_from(["rtsp", "http", "rtmp"]))
def test_a_cameras_password_comes_through_nowhere(user: str, password: str, scheme: str) -> None:
    source = f"{scheme}://{user}:{password}@cam-in-the-hall/stream?token={password}"
    words = private_words(System(root=Path("/no-such")), camera=source, environment={})
    shown = Redactor(words).text(f"camera {source}: cannot be opened ({source})")
    for replacement in ("<hidden>", "<address>"):
        shown = shown.replace(replacement, "")
    assert password not in shown
    assert user not in shown
    assert "cam-in-the-hall" not in shown


def test_the_values_of_a_pipeline_are_private() -> None:
    source = "gst:rtspsrc location=cam-1 user-id=anna user-pw='two words' ! decodebin"
    words = private_words(System(root=Path("/no-such")), camera=source, environment={})
    assert {"cam-1", "anna", "two words"} <= set(words)
    assert Redactor(words).text("element rtspsrc: two words") == "element rtspsrc: <hidden>"


def test_the_users_folder_is_a_tilde() -> None:
    redactor = Redactor({}, home=Path("/srv/people/anna"))
    assert redactor.text("/srv/people/anna/x (/srv/people/anna)") == "~/x (~)"
    assert redactor.text("/srv/people/annabel") == "/srv/people/annabel"
    assert Redactor({}, home=Path("/")).text("/dev/video0") == "/dev/video0"


def test_a_document_keeps_its_shape() -> None:
    document = {"user": ["anna", 1, None, {"at": "anna x"}], "ok": True}
    expected = {"user": ["<user>", 1, None, {"at": "<user> x"}], "ok": True}
    assert Redactor({"anna": "<user>"}).document(document) == expected
