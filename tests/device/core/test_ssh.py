from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import RemoteError, UsageError
from edgeinfer.device.core.ssh import SshHost, remote_word
from tests.device import fake_ssh


@pytest.mark.parametrize("name", ["", "-oProxyCommand=x", "a b", "a\nb", "a\x1bb", " a"])
def test_a_host_that_is_not_valid_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match=r"--host: .* is not a host, expected user@board"):
        SshHost(name)


@pytest.mark.parametrize("option", ["", "Port", "-p 22", "=1", "Port=1\nHost x", "a b\x1b"])
def test_an_option_that_is_not_valid_is_wrong_usage(option: str) -> None:
    with pytest.raises(UsageError, match="--ssh-option: "):
        SshHost("board", [option])


@pytest.mark.parametrize(
    "option",
    [
        "StrictHostKeyChecking=no",
        "stricthostkeychecking no",
        "StrictHostKeyChecking = off",
        'StrictHostKeyChecking="no"',
        "STRICTHOSTKEYCHECKING=false",
        "StrictHostKeyChecking=accept-new",
        "StrictHostKeyChecking = ACCEPT-NEW",
        "StrictHostKeyChecking==no",
        "StrictHostKeyChecking='off' # yes",
        "StrictHostKeyChecking=",
        "StrictHostKeyChecking=yes no",
        'StrictHostKeyChecking="no',
        "UserKnownHostsFile=/dev/null",
        "userknownhostsfile /dev/null",
        "UserKnownHostsFile=~/.ssh/known_hosts //dev/./null",
        'UserKnownHostsFile "/dev/null"',
        "UserKnownHostsFile=/proc/self/root/dev/null",
        "UserKnownHostsFile=/dev/%h",
        "UserKnownHostsFile=none",
        "UserKnownHostsFile=NONE",
        "UserKnownHostsFile=${NOWHERE}",
        "UserKnownHostsFile=",
        "GlobalKnownHostsFile=/dev/null",
        "globalknownhostsfile none",
        "NoHostAuthenticationForLocalhost=yes",
    ],
)
def test_the_check_of_the_hosts_key_stays_on(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOWHERE", "/dev/null")
    with pytest.raises(UsageError, match="turns the check of the host's key off"):
        SshHost("board", [option])


def test_a_link_to_nowhere_keeps_no_keys(tmp_path: Path) -> None:
    (tmp_path / "hosts").symlink_to("/dev/null")
    with pytest.raises(UsageError, match="turns the check of the host's key off"):
        SshHost("board", [f"UserKnownHostsFile={tmp_path / 'hosts'}"])


@pytest.mark.parametrize(
    "option",
    [
        "-oStrictHostKeyChecking=no",
        "-o StrictHostKeyChecking=no",
        "-F/dev/null",
        "-F file",
        " StrictHostKeyChecking=no",
        '"StrictHostKeyChecking"=no',
        "StrictHostKeyChecking",
        "StrictHostKeyChecking\taccept-new",
        "Port=22\nStrictHostKeyChecking=no",
    ],
)
def test_an_option_that_is_unsafe_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="is not an option"):
        SshHost("board", [option])


@pytest.mark.parametrize(
    "option",
    [
        "StrictHostKeyChecking=yes",
        "stricthostkeychecking ask",
        "UserKnownHostsFile=~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "UserKnownHostsFile=%d/.ssh/%h",
        "UserKnownHostsFile='/a folder/hosts'",
        "GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts",
        "ProxyCommand=nc %h %p",
        "HostKeyAlias=board",
        "NoHostAuthenticationForLocalhost=no",
    ],
)
def test_other_options_are_the_users_own(option: str) -> None:
    SshHost("board", [option])


def test_what_ssh_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh.install(tmp_path, "printf '%s\\n' \"$@\"", monkeypatch)
    answer = SshHost("pi@board", ["Port=22", "StrictHostKeyChecking=yes"]).run("echo it's")
    words = answer.stdout.splitlines()
    options = [words[i + 1] for i, word in enumerate(words) if word == "-o"]
    # ssh takes the first value: the user's come before edgeinfer's but for the batch mode.
    assert options[:3] == ["BatchMode=yes", "Port=22", "StrictHostKeyChecking=yes"]
    assert "ConnectTimeout=15" in options[3:]
    assert "StrictHostKeyChecking=ask" in options[3:]  # whatever the user's configuration says
    assert words[-3:] == ["--", "pi@board", "sh -c 'echo it'\"'\"'s'"]
    assert not [option for option in options if option.startswith("UserKnownHosts")]


def test_without_ssh_the_error_names_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RemoteError, match=r"there is no program `ssh`.*openssh-client"):
        SshHost("board")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
         "is not the one that is known; .*ssh-keygen -R"),
        ("Host key verification failed.", "host key is not known here; connect once with `ssh`"),
        ("pi@board: Permission denied (publickey).", "permission denied.*ssh-copy-id"),
        ("ssh: Could not resolve hostname board: Name or service not known", "name is not known"),
        ("ssh: connect to host board port 22: Connection refused", "refuses connections"),
        ("ssh: connect to host board port 22: Connection timed out", "does not answer"),
        ("ssh: connect to host board port 22: No route to host", "there is no route to it"),
        ("kex_exchange_identification: odd", r"cannot be reached \(kex_exchange_identification"),
        ("", r"cannot be reached \(it gave no reason\)"),
    ],
)  # fmt: skip
def test_what_ssh_says_becomes_a_sentence(
    said: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh.install(tmp_path, f"printf '%s\\n' {shlex.quote(said)} >&2; exit 255", monkeypatch)
    with pytest.raises(RemoteError, match=f"^board: .*{words}"):
        SshHost("board").run("true")


@pytest.mark.parametrize("code", [0, 1, 127, 254])
def test_other_ends_are_the_commands(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh.install(tmp_path, fake_ssh.HERE, monkeypatch)
    answer = SshHost("board").run(f"echo out; echo err >&2; exit {code}")
    assert (answer.code, answer.stdout, answer.stderr) == (code, "out\n", "err\n")


def test_bytes_that_are_not_text_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh.install(tmp_path, fake_ssh.HERE, monkeypatch)
    assert "\N{REPLACEMENT CHARACTER}" in SshHost("board").run(r"printf '\377'").stdout


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(text=WORDS.filter(lambda text: not text.startswith("~/")))
def test_every_word_reaches_the_shell_whole(text: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"printf %s {remote_word(text)}"], capture_output=True, check=True
    )
    assert done.stdout.decode() == text


def test_the_tilde_is_the_remote_users_home() -> None:
    done = subprocess.run(
        ["sh", "-c", f"printf %s {remote_word('~/my venv/bin/$x')}"],
        env={**os.environ, "HOME": "/home/of pi"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"/home/of pi/my venv/bin/$x"
