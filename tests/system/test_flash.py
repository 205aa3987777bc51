"""`edgeinfer flash` and `unflash` over a real SSH connection to a real systemd."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.board_wheels.wheels import make_wheel
from tests.support.program import PROGRAM, edgeinfer, error_line
from tests.support.untrusted_folder import work_in_untrusted_folder
from tests.support.waiting import until
from tests.system.own_board import OwnBoard, own_board

pytestmark = pytest.mark.system

PREPARE = """\
mkdir -p /var/lib/small /etc/sudoers.d
mount -t tmpfs -o size=24m,mode=755 tmpfs /var/lib/small
for user in free asked refused; do
  useradd --create-home --shell /bin/sh "$user" || true
done
usermod -p '*' free
usermod -p '*' refused
echo asked:secret | chpasswd
echo 'free ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/free
echo 'asked ALL=(ALL) ALL' > /etc/sudoers.d/asked
chmod 440 /etc/sudoers.d/free /etc/sudoers.d/asked
"""
SIMULATED = ("--", "--camera", "simulated")
QUICK = ("--trial-frames", "5")
LOST = "the connection was lost while"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBoard]:
    with own_board(tmp_path_factory.mktemp("board"), more=PREPARE) as running:
        yield running


class Flash:
    """Runs the program against the board."""

    def __init__(self, board: OwnBoard, wheel: Path, bundle: Path) -> None:
        self.board = board
        self.wheel = wheel
        self.bundle = bundle

    def arguments(
        self, *more: object, run: tuple[str, ...] = SIMULATED, **reached: str
    ) -> list[str]:
        """Return the arguments of a flash."""
        return [
            *("flash", str(self.bundle), "--board", "generic-x86-64", "--wheel", str(self.wheel)),
            *self.board.sshd.options(**reached),
            *QUICK,
            *map(str, more),
            *run,
        ]

    def __call__(
        self,
        *more: object,
        run: tuple[str, ...] = SIMULATED,
        env: dict[str, str] | None = None,
        **reached: str,
    ) -> subprocess.CompletedProcess[str]:
        """Flash."""
        return edgeinfer(*self.arguments(*more, run=run, **reached), env=env)

    def report(self, *more: object, run: tuple[str, ...] = SIMULATED) -> dict[str, Any]:
        """Flash, and return what became of the board."""
        done = self("--json", *more, run=run)
        assert done.returncode == 0, done.stderr
        (host,) = json.loads(done.stdout)["hosts"]
        return dict(host)

    def unflash(self, *more: object) -> subprocess.CompletedProcess[str]:
        """Take it off again."""
        return edgeinfer("unflash", *self.board.sshd.options(), *more)

    def current(self) -> int | None:
        """Return the release that `current` leads to; it must be whole."""
        link = self.board.prefix / "current"
        if not link.is_symlink():
            return None
        number = int(os.readlink(link).removeprefix("releases/"))
        release = self.board.prefix / "releases" / str(number)
        document = json.loads((release / "release.json").read_text())
        package = self.board.prefix / "packages" / document["package"]
        assert (package / "complete").is_file()
        assert (release / "bundle.edgebundle").read_bytes() == self.bundle.read_bytes()
        return number

    def show(self, name: str) -> str:
        """Return a property of the service."""
        done = self.board.systemd.run("systemctl", "show", "-P", name, "edgeinfer.service")
        return done.stdout.strip()


@pytest.fixture(scope="module")
def flash(board: OwnBoard, wheel: Path, sample_bundle: Path) -> Flash:
    return Flash(board, wheel, sample_bundle)


@pytest.fixture
def clean(flash: Flash) -> Iterator[Flash]:
    """A board without edgeinfer, before and after."""
    flash.unflash()
    assert not flash.board.prefix.exists()
    yield flash
    flash.unflash()


@pytest.fixture
def released(flash: Flash) -> Flash:
    """A board on which a release runs."""
    if flash.current() is None:
        flash.report()
    assert flash.current() is not None
    return flash


def test_a_dry_run_says_each_step_and_changes_nothing(clean: Flash) -> None:
    done = clean("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dry run, nothing was changed" in done.stdout
    for words in (
        "releases.pyz",
        "user edgeinfer",
        "numpy-",
        "as a new release",
        "back to nothing",
    ):
        assert words in done.stdout
    assert not clean.board.prefix.exists()


def test_a_board_is_flashed_flashed_again_and_cleared(clean: Flash) -> None:
    first = clean.report()
    assert (first["outcome"], first["release"], first["previous"]) == ("confirmed", 1, None)
    assert first["answers"] >= 5
    assert first["last"]["label"]
    assert first["sent_bytes"] > 1_000_000
    assert set(first["seconds"]) >= {"connect", "check", "send", "set up", "install", "try"}
    assert clean.current() == 1
    assert (clean.show("ActiveState"), clean.show("User")) == ("active", "edgeinfer")
    process = clean.show("MainPID")
    bill = json.loads((clean.board.prefix / "releases" / "1" / "sbom.cdx.json").read_text())
    listed = {part["name"]: part["hashes"][0]["content"] for part in bill["components"]}
    assert {"edgeinfer", "numpy", "ai-edge-litert", "pip"} < listed.keys()
    stored = {path.name for path in (clean.board.prefix / "store").iterdir()}
    assert set(listed.values()) == stored

    again = clean.report()
    assert (again["outcome"], again["release"], again["sent_bytes"]) == ("unchanged", 1, 0)
    assert clean.show("MainPID") == process
    assert "nothing was sent or restarted" in clean().stdout

    changed = clean.report(run=(*SIMULATED, "--every", "2"))
    assert (changed["outcome"], changed["release"], changed["previous"]) == ("confirmed", 2, 1)
    assert changed["sent_bytes"] == 0  # the options alone changed

    planned = clean.unflash("--dry-run")
    assert "stop edgeinfer.service, which runs release 2" in planned.stdout
    assert clean.current() == 2
    (clean.board.prefix / "data" / "kept").write_text("by the loop")
    kept = clean.unflash("--keep-data")
    assert kept.returncode == 0, kept.stderr
    assert {path.name for path in clean.board.prefix.iterdir()} == {"data", "setup.json"}
    gone = clean.unflash()
    assert "edgeinfer was removed from" in gone.stdout, gone.stderr
    assert not clean.board.prefix.exists()
    etc = clean.board.systemd.path("/etc")
    assert not list(etc.glob("systemd/system/edgeinfer*"))
    assert "edgeinfer:" not in (etc / "passwd").read_text()
    assert "edgeinfer is not installed on" in clean.unflash().stdout


def test_nothing_of_an_untrusted_folder_or_index_runs(
    clean: Flash, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)
    monkeypatch.delenv("PYTHONPATH")
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'a').write('it ran')\n"
    for name in ("edgeinfer", "numpy", "ai-edge-litert", "pip"):
        members = {f"{name}/__init__.py": code, f"{name}.pth": f"import sys; {code}"}
        make_wheel(tmp_path / "index", name, version="9.9", members=members)
    program = Path(sys.executable).with_name("edgeinfer")
    done = subprocess.run(
        [program, *clean.arguments("--dry-run")],
        env={
            **os.environ,
            "PIP_FIND_LINKS": str(tmp_path / "index"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "numpy-" in done.stdout
    assert "9.9" not in done.stdout
    assert folder.imported() == []
    assert not marker.exists()


def test_a_release_that_does_not_answer_is_taken_back(released: Flash) -> None:
    before = released.current()
    done = released(run=("--", "--camera", "/nothing/there"))
    line = error_line(done)
    assert "was tried and rolled back" in line
    assert "no such camera" in line
    assert f"release {before} runs there" in line
    assert released.current() == before
    assert released.show("ActiveState") == "active"


def test_a_cameras_password_is_never_shown(released: Flash, tmp_path: Path) -> None:
    file = tmp_path / "camera"
    file.write_text("http://me:hunter2@127.0.0.1:9/live?token=hunter3\n")
    file.chmod(0o600)
    given = ("--camera-url-file", str(file))
    planned = released("--dry-run", *given, run=())
    assert "as a new release" in planned.stdout, planned.stderr
    done = released("--json", *given, run=())
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["outcome"] == "rolled back"
    assert "http://***@127.0.0.1:9/live?***" in host["reason"]
    again = released("--dry-run", *given, run=())
    assert f"release {host['release']} is already there" in again.stdout
    told = "".join(done.stdout + done.stderr for done in (planned, done, again))
    assert "hunter" not in told + released.board.sshd.log()
    files = (path for path in released.board.prefix.rglob("*") if path.is_file())
    (holding,) = (path for path in files if b"hunter" in path.read_bytes())
    assert holding == released.board.prefix / "releases" / str(host["release"]) / "camera-url"
    status = holding.stat()
    assert (status.st_mode & 0o7777, status.st_uid != 0) == (0o600, True)

    both = released(*given, run=SIMULATED)
    assert "and also a camera after `--`" in error_line(both, 2)


def test_a_place_that_others_may_change_is_refused(released: Flash) -> None:
    place = released.board.systemd.path("/var/lib/theirs")
    (place / "edgeinfer").mkdir(parents=True)
    os.chown(place, 65534, 65534)
    done = released("--prefix", "/var/lib/theirs/edgeinfer")
    line = error_line(done)
    assert "its /var/lib/theirs belongs to user 65534 and has mode drwxr-xr-x" in line
    assert "sudo chown --no-dereference root:root /var/lib/theirs" in line
    assert list((place / "edgeinfer").iterdir()) == []
    gone = edgeinfer(
        "unflash", *released.board.sshd.options(), "--prefix", "/var/lib/theirs/edgeinfer"
    )
    assert "belongs to user 65534" in error_line(gone)


@pytest.mark.parametrize("command", ["flash", "unflash"])
def test_an_agent_that_is_damaged_is_replaced(clean: Flash, command: str) -> None:
    clean.report()
    (clean.board.prefix / "releases.pyz").write_bytes(b"PK but no archive")
    if command == "flash":
        assert clean.report()["outcome"] == "unchanged"
    else:
        assert "edgeinfer was removed from" in clean.unflash().stdout


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        ({"known_hosts": "wrong_hosts"}, "its host key is not the one that is known"),
        ({"known_hosts": "no_hosts"}, "its host key is not known here"),
        ({"key": "untrusted"}, "permission denied"),
        ({"user": "refused"}, "sudo"),
        ({"user": "asked"}, "run it again with --ask-sudo-password"),
    ],
)
def test_boards_that_cannot_be_reached_or_changed(
    released: Flash, reached: dict[str, Any], words: str
) -> None:
    before = released.current()
    line = error_line(released(**reached))
    assert words in line
    assert released.current() == before
    assert (released.board.sshd.folder / "no_hosts").read_text() == ""


@pytest.mark.parametrize(
    ("more", "run", "words"),
    [
        (("--board", "rpi4"), SIMULATED, "is a machine of architecture x86_64, expected aarch64"),
        (("--board", "rpi3"), SIMULATED, "expected aarch64, as Raspberry Pi 3 has"),
        (("--prefix", "/var/lib/small/edgeinfer"), SIMULATED, "MB free, expected"),
        (("--prefix", "/proc/edgeinfer"), SIMULATED, "MB free, expected"),
        ((), (), "has no camera"),
        ((), ("--", "--camera", "/dev/video7"), "has no camera /dev/video7"),
        ((), ("--", "--camera", "picamera"), "lacks python3-picamera2"),
    ],
)
def test_boards_that_do_not_fit(
    released: Flash, more: tuple[str, ...], run: tuple[str, ...], words: str
) -> None:
    before = released.current()
    assert words in error_line(released(*more, run=run))
    assert released.current() == before


def test_what_is_wrong_here_is_reported_before_connecting(
    released: Flash, tmp_path: Path, sample_bundle: Path
) -> None:
    truncated = tmp_path / "truncated.edgebundle"
    truncated.write_bytes(sample_bundle.read_bytes()[:-1000])
    nowhere = ("--host", "127.0.0.1", "--ssh-option", "Port=1", "--board", "generic-x86-64")
    assert "is truncated" in error_line(edgeinfer("flash", truncated, *nowhere))
    assert "takes no target" in error_line(
        edgeinfer("flash", sample_bundle, *nowhere, "--", "--output", "terminal:x"), 2
    )
    assert "it refuses connections" in error_line(edgeinfer("flash", sample_bundle, *nowhere))


def test_a_user_with_sudo(released: Flash) -> None:
    done = released(user="free")
    assert done.returncode == 0, done.stderr
    assert "already runs on free@127.0.0.1" in done.stdout


def test_a_password_for_sudo_is_asked_once_and_never_shown(released: Flash) -> None:
    command = [*PROGRAM, *released.arguments("--ask-sudo-password", user="asked")]
    for password, code in (("secret", 0), ("wrong", 1)):
        output, status = at_terminal(command, {"password for sudo on the boards:": f"{password}\n"})
        assert status == code, output
        assert output.count("password for sudo on the boards") == 1
        assert password not in output
        if code:
            assert "sudo does not take the password" in output
    # A file that is sent as well, behind the password.
    changed = released.arguments(
        "--ask-sudo-password", run=(*SIMULATED, "--every", "3"), user="asked"
    )
    answers = {"password for sudo on the boards:": "secret\n"}
    output, status = at_terminal([*PROGRAM, *changed], answers)
    assert status == 0, output
    assert "secret" not in released.board.sshd.log()


def at_terminal(command: list[str], answers: dict[str, str]) -> tuple[str, int]:
    """Run a command at a terminal that answers its questions; return what it showed, its code."""
    number, descriptor = pty.fork()
    if number == 0:
        os.execv(command[0], command)
    shown = ""
    while True:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # it has ended
            break
        shown += part.decode(errors="replace")
        for question in [each for each in answers if each in shown]:
            os.write(descriptor, answers.pop(question).encode())
    _, status = os.waitpid(number, 0)
    os.close(descriptor)
    return shown, os.waitstatus_to_exitcode(status)


Cutting = Callable[[str, str], dict[str, str]]


@pytest.fixture
def cutting(flash: Flash, tmp_path: Path) -> Cutting:
    """Make an `ssh` that cuts the connection at a command; returns the environment that has it.

    The first command with `pattern` is cut before it begins, after it has ended but before that is
    reported, or in the middle of it.
    """
    wrapper = tmp_path / "bin" / "ssh"
    wrapper.parent.mkdir()
    kill = f"pkill -f --ns {flash.board.systemd.pid} --nslist pid 'sshd: .*@notty'"
    last = {
        "before": '"sleep 20"',
        "after": '"$last; sleep 20"',
        "during": '"$last"',
        "in the trial": '"$last"',
    }
    # After: long enough for every step but the first installation.
    delay_s = {"before": 0.5, "after": 1.5, "during": 0.1, "in the trial": 2.0}

    def make(pattern: str, when: str) -> dict[str, str]:
        mark = tmp_path / f"cut-{time.monotonic_ns()}"
        wrapper.write_text(
            f"""\
#!/bin/sh
case "$*" in *{shlex.quote(pattern)}*)
  if mkdir {shlex.quote(str(mark))} 2>/dev/null; then
    (sleep {delay_s[when]}; {kill}) >/dev/null 2>&1 </dev/null &
    number=$#
    for last; do
      [ $number -gt 1 ] && set -- "$@" "$last"
      shift
      number=$((number - 1))
    done
    set -- "$@" {last[when]}
  fi;;
esac
exec {shutil.which("ssh")} "$@"
"""
        )
        wrapper.chmod(0o755)
        return {"PATH": f"{wrapper.parent}:{os.environ['PATH']}"}

    return make


STEPS = (
    ("edgeinfer-fact", "before"),
    (".releases.pyz.new", "before"),
    (".releases.pyz.new", "after"),
    ("releases.pyz setup", "before"),
    ("releases.pyz setup", "after"),
    ("releases.pyz receive", "before"),
    ("releases.pyz receive", "during"),
    ("releases.pyz receive", "after"),
    ("releases.pyz install", "before"),
    ("releases.pyz install", "during"),
)


def test_cut_at_every_step_nothing_half_installed_runs_and_a_rerun_completes(
    clean: Flash, cutting: Cutting
) -> None:
    for pattern, when in STEPS:
        done = clean(env=cutting(pattern, when))
        assert LOST in error_line(done), (pattern, when)
        assert "run it again" in done.stderr
        assert clean.current() is None
    # Installing went on by itself: it is waited for.
    assert clean.report()["outcome"] == "confirmed"
    assert clean.current() is not None


def test_cut_while_an_update_is_installed_the_old_release_runs_on(
    released: Flash, cutting: Cutting
) -> None:
    before, process = released.current(), released.show("MainPID")
    run = (*SIMULATED, "--every", "5")
    for pattern, when in (
        ("releases.pyz state", "before"),
        ("releases.pyz install", "before"),
        ("releases.pyz install", "after"),
    ):
        assert LOST in error_line(released(run=run, env=cutting(pattern, when)))
        assert (released.current(), released.show("MainPID")) == (before, process)
    assert released.report(run=run)["outcome"] == "confirmed"


@pytest.mark.parametrize("when", ["before", "during", "in the trial"])
def test_a_trial_goes_on_without_the_connection_and_its_outcome_is_fetched(
    released: Flash, cutting: Cutting, when: str
) -> None:
    run = (*SIMULATED, "--seed", {"before": "1", "during": "2", "in the trial": "3"}[when])
    frames = ("--trial-frames", "200")  # some seconds
    done = released(*frames, run=run, env=cutting("releases.pyz try", when))
    assert done.returncode == 0, done.stderr
    assert "the trial goes on" in done.stdout
    assert "took" in done.stdout


def test_ctrl_c_stops_it_and_a_rerun_completes(clean: Flash) -> None:
    process = subprocess.Popen(
        [*PROGRAM, *clean.arguments()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: (clean.board.prefix / "store").is_dir())
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "run it again" in stderr
    assert stderr.splitlines()[-1] == "error: stopped"
    assert clean.current() is None
    assert clean.report()["outcome"] == "confirmed"


def test_several_boards_one_first(clean: Flash, tmp_path: Path) -> None:
    sshd = clean.board.sshd
    config = tmp_path / "config"
    config.write_text(
        f"Host good\n  Port {sshd.port}\nHost dead\n  Port 1\n"
        f"Host *\n  HostName 127.0.0.1\n  User root\n  IdentityFile {sshd.folder / 'user'}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {sshd.folder / 'known_hosts'}\n"
        "  GlobalKnownHostsFile /dev/null\n"
    )
    wrapper = tmp_path / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    wrapper.chmod(0o755)
    env = {"PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    command = ["flash", clean.bundle, "--board", "generic-x86-64", "--wheel", clean.wheel, *QUICK]
    hosts = ["--host", "dead", "--host", "good"]

    done = edgeinfer(*command, *hosts, *SIMULATED, env=env)
    said = "1 of 2 boards failed: dead; 1 left alone, nothing was changed there: good"
    assert said in error_line(done)
    assert [line.split()[:2] for line in done.stdout.splitlines()[-4:-2]] == [
        ["dead", "failed"],
        ["good", "left"],
    ]
    assert not clean.board.prefix.exists()

    done = edgeinfer(*command, *hosts, "--canary", "good", *SIMULATED, env=env)
    assert "1 of 2 boards failed: dead" in error_line(done)
    assert "dead: cannot be reached: it refuses connections" in done.stdout
    assert clean.current() == 1
