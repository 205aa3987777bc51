"""What edgeinfer was installed from, as `direct_url.json` tells it (PEP 610)."""

from __future__ import annotations

import json
import shlex
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.installation.source import Source, installed_source, read_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT}


def arguments(**told: object) -> tuple[str, ...]:
    return read_source("0.1.0", json.dumps(told)).arguments("host")


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            {"url": "file:///home/me/edgeinfer", "dir_info": {"editable": True}},
            ("-e", "/home/me/edgeinfer[host]"),
        ),
        (
            {"url": "file:///home/J%C3%BCrgen/it's%20mine", "dir_info": {"editable": True}},
            ("-e", "/home/Jürgen/it's mine[host]"),
        ),
        (
            {"url": "file:///a/b", "dir_info": {"editable": True}, "subdirectory": "c%20d"},
            ("-e", "/a/b/c d[host]"),
        ),
        (
            {"url": "file:///home/me/edgeinfer", "dir_info": {}},
            ("edgeinfer[host] @ file:///home/me/edgeinfer",),
        ),
        (
            {"url": "file:///w/e-0.1.0-py3-none-any.whl", "archive_info": {"hash": "sha256=12"}},
            ("edgeinfer[host] @ file:///w/e-0.1.0-py3-none-any.whl",),
        ),
        (  # uv leaves the quote in it
            {"url": "file:///my%20w'heels/e-0.1.0.tar.gz", "archive_info": {}},
            ("edgeinfer[host] @ file:///my%20w%27heels/e-0.1.0.tar.gz",),
        ),
        (
            {"url": "https://host.example/e.whl", "archive_info": {"hashes": {"sha256": "ab"}}},
            ("edgeinfer[host] @ https://host.example/e.whl#sha256=ab",),
        ),
        (
            {"url": "https://host.example/me/edgeinfer.git", "vcs_info": GIT},
            (f"edgeinfer[host] @ git+https://host.example/me/edgeinfer.git@{COMMIT}",),
        ),
        (
            {"url": "https://host.example/all", "vcs_info": GIT, "subdirectory": "src/e"},
            (f"edgeinfer[host] @ git+https://host.example/all@{COMMIT}#subdirectory=src/e",),
        ),
        (  # every user of such a server is named so
            {"url": "ssh://git@host.example/me/edgeinfer.git", "vcs_info": GIT},
            (f"edgeinfer[host] @ git+ssh://git@host.example/me/edgeinfer.git@{COMMIT}",),
        ),
        (
            {"url": "file:///srv/edgeinfer", "vcs_info": GIT},
            (f"edgeinfer[host] @ git+file:///srv/edgeinfer@{COMMIT}",),
        ),
    ],
)
def test_the_same_edgeinfer_is_asked_for(told: dict[str, object], wanted: tuple[str, ...]) -> None:
    assert arguments(**told) == wanted


@pytest.mark.parametrize(
    "url",
    [
        "https://ann:s3cret@host.example/e.whl",
        "https://s3cret@host.example/e.whl",
        "https://ann:s3%40cret@host.example/e.whl",
        "https://ann:s3@cret@host.example/e.whl",
        "https://${USER}:${TOKEN}@host.example/e.whl",
        "https://host.example/e.whl?token=s3cret",
    ],
)
def test_no_name_or_password_is_shown(url: str) -> None:
    source = read_source("0.1.0", json.dumps({"url": url, "archive_info": {}}))
    assert source.arguments("host") == ("edgeinfer[host] @ https://host.example/e.whl",)
    assert source.secret


def test_another_users_name_for_ssh_is_left_out() -> None:
    told = {"url": "ssh://ann:pw@host.example/e.git", "vcs_info": GIT}
    source = read_source("0.1.0", json.dumps(told))
    assert source.url == f"git+ssh://host.example/e.git@{COMMIT}"
    assert source.secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        "{}",
        '{"url": 3}',
        '{"url": null, "archive_info": {}}',
        '{"url": "https://[", "archive_info": {}}',
        '{"url": "https://host/a b", "archive_info": {}}',
        '{"url": "https://host/e", "vcs_info": {"vcs": "git"}}',
        '{"url": "https://host/e", "vcs_info": {"vcs": "rm -r", "commit_id": "x"}}',
    ],
)
def test_from_an_index_the_version_is_pinned(text: str) -> None:
    source = read_source("0.1.0+local", text)
    assert source.arguments("host") == ("edgeinfer[host]==0.1.0+local",)
    assert source.arguments() == ("edgeinfer==0.1.0+local",)
    assert not source.gone


def test_a_file_that_was_removed_is_noticed(tmp_path: Path) -> None:
    wheel = tmp_path / "it's a wheel.whl"
    wheel.touch()
    told = json.dumps({"url": wheel.as_uri(), "archive_info": {}})
    assert not read_source("0.1.0", told).gone
    wheel.unlink()
    assert read_source("0.1.0", told).gone


@given(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda name: name not in (".", "..")
    )
)
def test_any_folder_reaches_pip_as_it_is(name: str) -> None:
    url = "file:///checkouts/" + quote(name)
    source = read_source("0.1.0", json.dumps({"url": url, "dir_info": {"editable": True}}))
    option, folder = shlex.split(shlex.join(source.arguments("host")))
    assert (option, folder) == ("-e", f"/checkouts/{name}[host]")
    (requirement,) = read_source("0.1.0", json.dumps({"url": url})).arguments("host")
    assert requirement.isascii()
    assert "'" not in requirement
    assert " " not in requirement.removeprefix("edgeinfer[host] @ ")


def test_this_installation() -> None:
    source = installed_source()
    assert source.version == metadata.version("edgeinfer")
    assert (source.checkout is None) or (source.checkout / "pyproject.toml").is_file()


def test_without_an_installation_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", nothing)
    assert installed_source() == Source(version="")
