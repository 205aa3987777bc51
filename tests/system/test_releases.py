"""The agent under a real systemd: installed, tried, taken back; nothing is replaced."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.releases.pack_agent import build_agent
from edgeinfer.device.releases.paths import SERVICE, SETTLE, TRIAL
from tests.device.cameras.network.test_jpeg_splitter import PICTURES
from tests.device.models.bundle.lures import Lure, behind, naming
from tests.support.waiting import until
from tests.system.environments import clean_environ, unavailable
from tests.system.own_systemd import TARGET, OwnSystemd, own_systemd
from tests.system.reference_delegate.build import c_compiler

pytestmark = pytest.mark.system

PYTHON = "/usr/bin/python3"
AGENT = "/var/lib/edgeinfer/releases.pyz"
# Users, units and the prefix are its own. What a systemd has by default is not needed.
PREPARE = """\
if [ ! -d {folder}/etc ]; then
  cp -a /etc {folder}/etc
  rm -rf {folder}/etc/systemd/system
  mkdir -p {folder}/etc/systemd/system/edgeinfer.service.d {folder}/lib/edgeinfer
  printf '[Service]\\nWatchdogSec=3\\nRestartSec=1\\n' \\
    > {folder}/etc/systemd/system/edgeinfer.service.d/fast.conf
fi
mount --bind {folder}/etc /etc
mount --bind {folder}/lib /var/lib
"""
PICTURE = PICTURES[0]
NAME_AND_PASSWORD = "me:hunter2"
TOKEN = "hunter3"
SECRET = "hunte[r]"
"""A pattern, so that a program that looks for it does not find itself."""
ANOTHER_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
RAN_AS_ROOT = "/var/lib/edgeinfer/data/ran-as-root"
DUMMIES = ("sysinit", "basic", "network", "multi-user", "shutdown")

CRASHING = """\
import os
import sys
import tempfile
import threading
import time

from edgeinfer.device.cli.main import main


def crash():
    time.sleep(4)
    print("<3>the driver has gone mad", file=sys.stderr, flush=True)
    os.abort()


def run():
    if "run" in sys.argv:
        threading.Thread(target=crash, daemon=True).start()
    main()
"""


class Board:
    """A board with a systemd, on which the agent runs as it does on a real one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.systemd: OwnSystemd

    def boot(self) -> None:
        """Start it, with what is on its disk."""
        units = {f"{name}.target": TARGET for name in DUMMIES}
        prepare = PREPARE.format(folder=self._folder)
        self.systemd = self._running.enter_context(
            own_systemd(self._folder, units, prepare=prepare, more_units="/etc/systemd/system")
        )
        self.systemctl("start", "systemd-journald.service")
        self.systemctl("start", "multi-user.target")

    def cut(self) -> None:
        """Take the power away: every process ends immediately."""
        self._running.close()

    def path(self, path: str) -> Path:
        return self.systemd.path(path)

    def systemctl(self, *words: str) -> str:
        done = self.systemd.run("systemctl", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def agent(self, *arguments: object, stdin: bytes = b"") -> dict[str, Any]:
        """Run one of the agent's commands and return what it prints."""
        done = self.systemd.run(PYTHON, "-I", AGENT, *arguments, stdin=stdin)
        assert done.stderr == "", done.stderr
        told = json.loads(done.stdout)
        good = told.get("outcome") in (None, "confirmed", "already current and healthy")
        assert done.returncode == (0 if good and "error" not in told else 1), told
        assert isinstance(told, dict)
        return told

    def send(self, content: bytes) -> str:
        """Store a file; return its hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        told = self.agent("receive", f"{sha256}:{len(content)}", stdin=content)
        assert told in ({"new": 0}, {"new": 1}), told
        return sha256

    def state(self) -> dict[str, Any]:
        return self.agent("state")

    def show(self, name: str, unit: str = SERVICE) -> str:
        return self.systemctl("show", "--value", "--property", name, unit)


@pytest.fixture(scope="module")
def wheels(
    registry: None, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What a release on this machine needs: this checkout's wheel, its dependencies, and pip."""
    if not Path(PYTHON).exists():
        unavailable(f"this test needs the system's Python at {PYTHON}")
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run(
        [PYTHON, "-I", "-c", probe], capture_output=True, text=True, check=True
    ).stdout.strip()
    if tuple(map(int, version.split("."))) < (3, 10):
        unavailable(f"this test needs Python 3.10 or later at {PYTHON}")
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    only = ["--only-binary=:all:", "--python-version", version]
    done = subprocess.run(
        [*command, "--dest", folder, *only, f"edgeinfer @ {wheel.as_uri()}", "pip"],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environ(),
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    board = Board(tmp_path_factory.mktemp("board"))
    try:
        board.boot()
        board.path(AGENT).write_bytes(build_agent())
        yield board
    finally:
        board.cut()


def spec(board: Board, bundle: bytes, wheels: Mapping[str, bytes], *run: str) -> bytes:
    """Send what a release needs; return its description."""
    stored = set(board.state()["store"])
    sent = {}
    for name, content in {**wheels, "bundle": bundle}.items():
        sha256 = hashlib.sha256(content).hexdigest()
        sent[name] = sha256 if sha256 in stored else board.send(content)
    pip = next(name for name in wheels if name.startswith("pip-"))
    told = {
        "schema": 1,
        "name": "fashion-mnist",
        "bundle": sent["bundle"],
        "wheels": [{"name": name, "sha256": sent[name]} for name in wheels if name != pip],
        "pip": {"name": pip, "sha256": sent[pip]},
        "python": PYTHON,
        "system_site_packages": False,
        "run": list(run),
        "verify_timeout_s": 120,
    }
    return json.dumps(told).encode()


def install(board: Board, bundle: bytes, wheels: Mapping[str, bytes], *run: str) -> int:
    told = board.agent("install", stdin=spec(board, bundle, wheels, *run))
    assert "error" not in told, told
    return int(told["release"])


@pytest.fixture(scope="module")
def good(board: Board, wheels: dict[str, bytes], sample_bundle: Path) -> int:
    """A release that answers, installed by the real way and current."""
    assert "user edgeinfer" in board.agent("setup")["changed"]
    assert board.agent("setup") == {"changed": []}
    number = install(board, sample_bundle.read_bytes(), wheels, "--camera", "simulated")
    assert board.state()["current"] is None
    told = board.agent("try", number, "--frames", 20, "--seconds", 60)
    assert told.get("outcome") == "confirmed", told
    assert told["answers"] >= 20
    assert told["last"]["label"]
    return number


def test_a_good_release_is_kept(board: Board, good: int) -> None:
    state = board.state()
    assert (state["current"], state["trial"]) == (good, None)
    assert state["service"]["active"] == "active"
    assert state["status"]["pid"] == state["service"]["pid"]
    assert board.agent("try", good)["outcome"] == "already current and healthy"


def test_every_request_of_many_is_answered(board: Board, good: int) -> None:
    for _ in range(8):  # systemd's own limit is five starts in ten seconds
        told = board.agent("try", good)
        assert told.get("outcome") == "already current and healthy", told


def in_front(board: Board, good: int, main: str) -> bytes:
    """Return a wheel whose `edgeinfer` is other code, in front of a good release's package."""
    package = board.state()["releases"][str(good)]["package"]
    site = f"/var/lib/edgeinfer/packages/{package}/lib"
    path = board.path(site)
    version = next(path.iterdir()).name
    info = "edgeinfer_in_front-1.dist-info/"
    files = {
        "edgeinfer_in_front.py": main,
        "edgeinfer_in_front.pth": f"import site; site.addsitedir('{site}/{version}/site-packages')",
        "a_mark.pth": f"import os; os.getuid() or open({RAN_AS_ROOT!r}, 'w')",
        info + "METADATA": "Metadata-Version: 2.1\nName: edgeinfer-in-front\nVersion: 1\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "entry_points.txt": "[console_scripts]\nedgeinfer = edgeinfer_in_front:run\n",
    }
    lines = [f"{name},," for name in (*files, info + "RECORD")]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {**files, info + "RECORD": "\n".join(lines) + "\n"}.items():
            archive.writestr(name, text)
    return content.getvalue()


def only_pip(wheels: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in wheels.items() if name.startswith("pip-")}


def answering_otherwise(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    for name in manifest.variants["cpu"].golden_outputs.values():
        members[name] = bytes(255 - value for value in members[name])
    return manifest


def settled_on(board: Board, number: int | None) -> None:
    """Check that a release is current, nothing on trial, and that it answers."""
    state = board.state()
    assert (state["current"], state["trial"]) == (number, None)
    if number is not None:
        told: dict[str, Any] = {}

        def is_healthy() -> bool:
            told.update(board.agent("try", number))
            assert "error" not in told, told
            return bool(told["outcome"] == "already current and healthy")

        until(is_healthy, told)


def test_one_that_never_answers_is_taken_back(
    board: Board, good: int, wheels: dict[str, bytes], sample_bundle: Path
) -> None:
    pid = board.state()["service"]["pid"]
    run = ("--camera", "/dev/video9", "--wait-for-camera")
    number = install(board, sample_bundle.read_bytes(), wheels, *run)
    assert board.state()["service"]["pid"] == pid  # installing disturbs nothing
    told = board.agent("try", number, "--seconds", 20)
    assert told.get("outcome") == "rolled back", told
    assert told["reason"].startswith("no answer within 20 s: "), told
    assert "/dev/video9" in told["reason"]
    settled_on(board, good)


def test_one_that_crashes_after_some_answers_is_taken_back(
    board: Board, good: int, wheels: dict[str, bytes], sample_bundle: Path
) -> None:
    front = in_front(board, good, CRASHING)
    bad = {**only_pip(wheels), "edgeinfer_in_front-1-py3-none-any.whl": front}
    number = install(board, sample_bundle.read_bytes(), bad, "--camera", "simulated")
    told = board.agent("try", number, "--frames", 100_000)
    assert told.get("outcome") == "rolled back", told
    assert "signal 6" in told["reason"]
    assert "the driver has gone mad" in told["reason"]
    assert told["answers"] > 0
    settled_on(board, good)
    assert not board.path(RAN_AS_ROOT).exists()  # what the wheel's .pth does where root starts it


def test_one_that_does_not_verify_is_refused_before_anything_is_switched(
    board: Board, good: int, wheels: dict[str, bytes], sample_bundle: Path, tmp_path: Path
) -> None:
    pid = board.state()["service"]["pid"]
    path = tmp_path / "bad.edgebundle"
    with open_bundle(sample_bundle) as bundle:
        members = {name: bundle.member(name) for name in bundle.manifest.members}
        write_bundle(path, answering_otherwise(bundle.manifest, members), members)
    number = install(board, path.read_bytes(), wheels, "--camera", "simulated")
    told = board.agent("try", number)
    assert told.get("outcome") == "refused", told
    assert told["reason"].startswith("verify failed: ")
    state = board.state()
    assert (state["current"], state["service"]["pid"]) == (good, pid)


@pytest.mark.parametrize("named", [True, False])
def test_a_bundle_that_is_a_library_is_refused_and_never_loaded(
    board: Board,
    good: int,
    wheels: dict[str, bytes],
    sample_bundle: Path,
    tmp_path: Path,
    named: bool,
) -> None:
    """It names itself as its accelerator's library, by the place that it gets on the board."""
    compiler = c_compiler()
    if compiler is None:
        unavailable("there is no C compiler: this test builds a library from C")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as marked:
        Path(marked).chmod(0o777)
        lure = Lure(tmp_path, compiler, Path(marked) / "ran")
        number = 1 + max(map(int, board.state()["releases"]))
        place = f"/var/lib/edgeinfer/releases/{number}/bundle.edgebundle"
        plain = naming(sample_bundle, place) if named else sample_bundle.read_bytes()
        both = behind(lure.library.read_bytes(), plain)
        assert install(board, both, wheels, "--camera", "simulated") == number
        told = board.agent("try", number)
        assert told.get("outcome") == "refused", told
        assert "is damaged" in told["reason"], told
        lure.assert_idle()
    assert board.state()["current"] == good


def begin_trial(board: Board, number: int) -> subprocess.Popen[bytes]:
    """Begin a trial that would take long, and wait until the release is current."""
    command = [PYTHON, "-I", AGENT, "try", number, "--frames", 100_000]
    trying = subprocess.Popen(
        board.systemd.command(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until(lambda: board.state()["trial"] is not None)
    until(lambda: board.state()["current"] == number)
    return trying


@pytest.fixture
def second(board: Board, good: int, wheels: dict[str, bytes], sample_bundle: Path) -> int:
    """Another good release, which was not tried."""
    run = ("--camera", "simulated", "--max-fps", "20")
    return install(board, sample_bundle.read_bytes(), wheels, *run)


def test_a_trial_lasts_longer_than_its_caller_and_is_joined_by_the_next(
    board: Board, good: int, second: int
) -> None:
    with begin_trial(board, second) as trying:
        trying.kill()
    time.sleep(1)
    assert board.state()["trial"]["release"] == second
    told = board.agent("try", good)
    assert told["error"]["got"] == f"release {second} is on trial"
    told = board.agent("collect")
    assert f"`trial {second}` (process " in told["error"]["got"]
    with begin_trial(board, second) as joined:
        board.systemctl("kill", "--signal=KILL", TRIAL)
        told = json.loads(joined.communicate(timeout=60)[0])
    assert (told.get("outcome"), told.get("reason")) == ("rolled back", "the trial was interrupted")
    settled_on(board, good)


def test_a_power_cut_in_a_trial_is_settled_at_boot(board: Board, good: int, second: int) -> None:
    with begin_trial(board, second) as trying:
        board.cut()
        trying.kill()
    board.boot()
    until(lambda: board.show("ActiveState") == "active")
    state = board.state()
    assert (state["current"], state["trial"]) == (good, None)
    assert state["history"][-1]["reason"] == "the trial was interrupted"
    assert board.show("ActiveState", SETTLE) == "active"
    settled_on(board, good)


def test_a_hanging_loop_is_started_again(board: Board, good: int) -> None:
    before = int(board.show("NRestarts"))
    board.systemctl("kill", "--kill-whom=main", f"--signal={int(signal.SIGSTOP)}", SERVICE)
    until(lambda: int(board.show("NRestarts")) == before + 1)
    until(lambda: board.show("ActiveState") == "active")
    settled_on(board, good)


class Stream(BaseHTTPRequestHandler):
    """A network camera: one picture again and again."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        known = base64.b64encode(NAME_AND_PASSWORD.encode()).decode()
        if self.headers["Authorization"] != f"Basic {known}" or TOKEN not in self.path:
            self.send_error(401)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(PICTURE)}\r\n\r\n"
        with suppress(OSError):
            while True:
                self.wfile.write(head.encode() + PICTURE + b"\r\n")
                time.sleep(0.05)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep silent."""


@pytest.fixture
def network_camera() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stream) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{server.server_port}/stream?token={TOKEN}"
        yield f"http://{NAME_AND_PASSWORD}@{place}"
        server.shutdown()


def test_the_hardened_service_has_what_the_loop_needs(
    board: Board,
    good: int,
    wheels: dict[str, bytes],
    sample_bundle: Path,
    reference_delegate: Path,
    network_camera: str,
) -> None:
    data = board.path("/var/lib/edgeinfer/data")
    (data / "delegate.so").write_bytes(reference_delegate.read_bytes())
    run = ["--camera", network_camera, "--delegate", "/var/lib/edgeinfer/data/delegate.so"]
    run += ["--require-delegate", "--output", "json:answers.jsonl", "--output", "stills:stills"]
    run += ["--output", "video:clips/yard.mp4"]
    number = install(board, sample_bundle.read_bytes(), wheels, *run)
    told = board.agent("try", number)
    assert told.get("outcome") == "confirmed", told
    pid = board.state()["service"]["pid"]
    process = dict(
        line.split(":\t", 1)
        for line in board.path(f"/proc/{pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert int(process["Uid"].split()[0]) != 0
    assert (process["CapEff"], process["CapBnd"]) == ("0" * 16, "0" * 16)
    assert (process["NoNewPrivs"], process["Seccomp"]) == ("1", "2")
    children = board.systemd.run("pgrep", "--parent", pid).stdout.split()
    assert children  # the delegate's worker
    assert json.loads((data / "answers.jsonl").read_text().splitlines()[0])["label"]
    assert next((data / "stills").glob("*.jpg")).stat().st_size > 0
    check_that_another_user_learns_and_changes_nothing(board, number)
    # What it may write is its own.
    as_service = ["nsenter", "--target", pid, "--mount", "--pid"]
    refused = board.systemd.run(*as_service, "touch", "/usr/edgeinfer-test", "/etc/edgeinfer-test")
    assert refused.stderr.count("Read-only file system") == 2, refused.stderr
    assert board.agent("rollback", "--frames", 5)["outcome"] == "confirmed"


def check_that_another_user_learns_and_changes_nothing(board: Board, number: int) -> None:
    """Look, as another user of the board, for the password of its camera and for ways to change it.

    What root can look at is looked at by root: there it is in one file.
    """
    places = ("/var/lib/edgeinfer", "/run/edgeinfer", "/run/edgeinfer-trial", "/etc/systemd/system")
    file = f"/var/lib/edgeinfer/releases/{number}/camera-url"
    assert board.systemd.run("grep", "-rsl", SECRET, *places).stdout.split() == [file]
    assert board.systemd.run(*ANOTHER_USER, "grep", "-rsl", SECRET, *places).stdout == ""
    refused = board.systemd.run(*ANOTHER_USER, "cat", file, "/run/edgeinfer/status.json")
    assert refused.stderr.count("Permission denied") == 2, refused.stderr
    for shown in (
        board.systemd.run("sh", "-c", "cat /proc/[0-9]*/cmdline").stdout,
        board.systemd.run("journalctl", "--no-pager", "--output=json").stdout,
        board.path("/run/edgeinfer/status.json").read_text(),
        json.dumps(board.state()),
    ):
        assert len(shown) > 100
        assert "hunter" not in shown
    assert board.state()["releases"][str(number)]["camera"].startswith("http://***@127.0.0.1:")

    lock = "/var/lib/edgeinfer/lock"
    for how in ("--shared", "--exclusive"):
        held = board.systemd.run(*ANOTHER_USER, "flock", "--nonblock", how, lock, "true")
        assert "Permission denied" in held.stderr
    writable = ("find", *places, "!", "-type", "l", "-writable")
    assert board.systemd.run(*ANOTHER_USER, *writable).stdout == ""


def test_a_disk_that_fills_up_leaves_nothing_half_made(
    board: Board, good: int, wheels: dict[str, bytes], sample_bundle: Path
) -> None:
    before = board.state()
    packages = board.path("/var/lib/edgeinfer/packages")
    told = json.loads(spec(board, sample_bundle.read_bytes(), wheels, "--camera", "simulated"))
    told["system_site_packages"] = True  # so that another environment is wanted
    # There are bytes enough, but not files: what cannot be foreseen.
    mount = ["mount", "-t", "tmpfs", "-o", "size=3g,nr_inodes=300,mode=755", "tmpfs"]
    assert board.systemd.run(*mount, "/var/lib/edgeinfer/packages").returncode == 0
    try:
        answer = board.agent("install", stdin=json.dumps(told).encode())
        assert answer["error"]["got"] == "the disk is full", answer
        assert "collect" in answer["error"]["next_step"]
        assert list(packages.iterdir()) == []
    finally:
        board.systemd.run("umount", "/var/lib/edgeinfer/packages")
    after = board.state()
    assert (after["current"], after["releases"]) == (before["current"], before["releases"])


def test_rollback_and_removal(board: Board, good: int, second: int) -> None:
    told = board.agent("try", second, "--frames", 5)
    assert told.get("outcome") == "confirmed", told
    state = board.state()
    assert (state["current"], state["previous"]) == (second, good)
    assert set(state["releases"]) == {str(good), str(second)}  # the bad ones were collected

    told = board.agent("rollback", "--frames", 5)
    assert (told.get("release"), told.get("outcome")) == (good, "confirmed")
    assert board.state()["previous"] == second

    data = board.path("/var/lib/edgeinfer/data")
    (data / "clip.mp4").write_bytes(b"kept")
    assert "user edgeinfer" not in board.agent("remove", "--keep-data")["removed"]
    assert board.show("LoadState") == "not-found"
    left = {path.name for path in board.path("/var/lib/edgeinfer").iterdir()}
    assert left == {"data", "setup.json"}
    assert (data / "clip.mp4").read_bytes() == b"kept"

    board.path(AGENT).write_bytes(build_agent())
    assert "user edgeinfer" in board.agent("remove")["removed"]
    assert list(board.path("/var/lib").iterdir()) == []
    assert not [path for path in board.path("/run").iterdir() if "edgeinfer" in path.name]
    units = board.path("/etc/systemd/system")
    assert [path.name for path in units.rglob("*edgeinfer*")] == [f"{SERVICE}.d"]  # the test's own
    assert "edgeinfer" not in board.path("/etc/passwd").read_text()
    assert "edgeinfer" not in board.path("/etc/group").read_text()
