"""Where boards are found: edgeinfer's own, and those that a user adds."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.boards import ProfileError, detect_board, load_profile, profile_names
from edgeinfer.boards.files import PROFILES, read_document, read_head, user_folders
from edgeinfer.boards.threads import DEVICE_TREE_MODEL

OWN = profile_names(PROFILES)
MINE = 'based_on = "rpi4"\ntitle = "My carrier board"\ndevice_tree = ["My carrier"]\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of boards, in a configuration folder of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("EDGEINFER_BOARDS", raising=False)
    folder = tmp_path / "config" / "edgeinfer" / "boards"
    folder.mkdir(parents=True)
    return folder


def test_a_user_adds_a_board_by_adding_a_file(config: Path, tmp_path: Path) -> None:
    (config / "mine.toml").write_text(MINE)
    (config / "notes.txt").write_text("no board")
    assert set(profile_names()) == {*OWN, "mine"}
    assert profile_names() == tuple(sorted(profile_names()))
    board, base = load_profile("mine"), load_profile("rpi4")
    assert board.title == "My carrier board"
    assert (board.memory_mib, board.systems) == (base.memory_mib, base.systems)
    model = tmp_path / "root" / DEVICE_TREE_MODEL
    model.parent.mkdir(parents=True)
    model.write_bytes(b"My carrier rev 2\0")
    assert detect_board(tmp_path / "root").name == "mine"


def test_the_folder_that_is_named_is_read_as_well(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config / "mine.toml").write_text(MINE)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "other.toml").write_text('based_on = "mine"\ntitle = "Other"\n')
    monkeypatch.setenv("EDGEINFER_BOARDS", str(tmp_path / "other"))
    assert load_profile("other").cores == 4
    assert set(profile_names()) == {*OWN, "mine", "other"}
    monkeypatch.setenv("EDGEINFER_BOARDS", str(config))
    assert set(profile_names()) == {*OWN, "mine"}


def test_a_folder_that_is_named_must_be_there(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEINFER_BOARDS", str(config / "absent"))
    with pytest.raises(ProfileError, match=r"EDGEINFER_BOARDS=.*absent: no such folder, expected"):
        profile_names()


def test_the_name_of_one_of_our_boards_is_refused(config: Path) -> None:
    (config / "rpi4.toml").write_text(MINE)
    with pytest.raises(ProfileError, match="'rpi4' is a board of edgeinfer's own") as caught:
        load_profile("rpi5")
    assert "rename the file" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_two_folders_have_is_refused(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    for folder in (config, tmp_path / "other"):
        (folder / "mine.toml").write_text(MINE)
    monkeypatch.setenv("EDGEINFER_BOARDS", str(tmp_path / "other"))
    with pytest.raises(ProfileError, match="'mine' is also "):
        profile_names()


def test_relative_paths_are_ignored_by_the_rules_of_the_desktops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    monkeypatch.delenv("EDGEINFER_BOARDS", raising=False)
    assert user_folders() == (tmp_path / ".config" / "edgeinfer" / "boards",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_holds_nothing(config: Path) -> None:
    config.chmod(0)
    assert profile_names() == OWN
    config.chmod(0o755)


def test_a_file_instead_of_the_folder_has_no_profiles(config: Path) -> None:
    config.rmdir()
    config.write_text("")
    assert profile_names() == OWN


def test_title_device_tree_and_latencies_are_never_taken_over(config: Path) -> None:
    (config / "mine.toml").write_text('based_on = "coral-dev"\ntitle = "Mine"\n')
    board = load_profile("mine")
    assert (board.device_tree, board.latencies, board.note) == ((), (), "")
    assert board.systems == load_profile("coral-dev").systems
    (config / "yours.toml").write_text('based_on = "rpi5-coral-pcie"\ntitle = "Yours"\n')
    assert load_profile("yours").note != load_profile("rpi5-coral-pcie").note
    (config / "mine.toml").write_text('based_on = "coral-dev"\n')
    with pytest.raises(ProfileError, match=r"mine\.toml: no key 'title'"):
        load_profile("mine")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ('"rpi44"', "based_on is 'rpi44', expected the name of a board"),
        ('"../rpi4"', "based_on is '../rpi4', expected"),
        ("4", "based_on is 4, expected"),
        ("true", "based_on is True, expected"),
        ('"mine"', "based_on forms a circle: mine, mine"),
        ('"yours"', "based_on forms a circle: mine, yours, mine"),
    ],
)
def test_a_base_must_be_a_board(base: str, words: str, config: Path) -> None:
    (config / "mine.toml").write_text(f'based_on = {base}\ntitle = "Mine"\n')
    (config / "yours.toml").write_text('based_on = "mine"\ntitle = "Yours"\n')
    with pytest.raises(ProfileError, match=re.escape(words)):
        load_profile("mine")


def test_a_fault_in_a_base_names_the_base(config: Path) -> None:
    (config / "yours.toml").write_text("title = ")
    (config / "mine.toml").write_text('based_on = "yours"\ntitle = "Mine"\n')
    with pytest.raises(ProfileError, match=r"yours\.toml: cannot be read"):
        load_profile("mine")


def test_deep_nesting_is_a_fault_like_others(config: Path) -> None:
    (config / "mine.toml").write_text("title = " + "[" * 100_000)
    with pytest.raises(ProfileError, match=r"mine\.toml: "):
        load_profile("mine")


HEADS = [
    MINE,
    MINE + "[[systems]]\nx = 1\n",
    'device_tree = [\n["a"],\n]\n[x]\n',
    'title = """\n[a\n"""\ndevice_tree = ["b"]\n  [x]\n',
    "title = '''\n[[systems]]\n'''\ndevice_tree = ['b']\n",
]


@pytest.mark.parametrize("text", HEADS)
def test_the_head_has_all_plain_keys(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    whole = read_document(path)
    assert read_head(path).get("device_tree") == whole.get("device_tree")


@given(content=st.binary(max_size=80))
def test_whatever_a_file_holds_only_profile_errors_come(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "boards"
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_bytes(content)
    for read in (lambda: load_profile("mine", folder), lambda: read_head(folder / "mine.toml")):
        with suppress(ProfileError):
            read()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "mine.toml"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'title = "\xff"', "cannot be read"),
        (b"cores = " + b"9" * 5000, "a number with too many digits"),
        (b"a = " + b"[" * 100_000, "more than 65,536 bytes"),
        (b"a = " + b"[" * 60_000, "nested too deeply"),
        (b"a." * 30_000 + b"a = 1", "line 1 has more than 200 dots"),
        (b"[" + b"a." * 300 + b"a]", "line 1 has more than 200 dots"),
        (b"based_on = 0x" + b"f" * 5000, "based_on is a number of 20000 bits"),
        (MINE.encode() + b"cores = 0x" + b"f" * 5000, "cores: a number of 20000 bits"),
        (MINE.encode() + b"cores" + b".a" * 100 + b" = 1", "cores: an object"),
        (MINE.encode() + b"cores = " + b"[" * 90 + b"]" * 90, "cores: a list"),
        (MINE.encode() + b"note = " + b"[" * 90 + b"]" * 90, "note: a list"),
        (MINE.encode() + b'note = "' + b"n" * 2001 + b'"', "note: 2,001 characters"),
        (MINE.encode() + b'sources = ["' + b"n" * 2001 + b'"]', "sources[0]: 2,001 characters"),
        (MINE.encode() + b"k" * 50_000 + b" = 1", "unknown key 'kkk"),
        (MINE.encode() + b"[[latencies]]\nlatency_ms = " + b"9" * 401
         + b"\nmodel='m'\nprocessor='cpu'\nsource='s'", "latency_ms: a number of"),
        (MINE.encode() + b"[[latencies]]\nlatency_ms = nan\nmodel='m'\nprocessor='cpu'\nsource='s'",
         "latency_ms: NaN"),
        (b"based_on = 1979-05-27", "based_on is datetime.date"),
    ],
)  # fmt: skip
def test_what_no_profile_may_say_is_refused_in_a_line(
    config: Path, content: bytes, words: str
) -> None:
    path = written(config, content)
    with pytest.raises(ProfileError) as caught:
        load_profile("mine")
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 1000
    with suppress(ProfileError):
        read_head(path)


def test_a_pipe_is_refused_without_waiting(config: Path) -> None:
    os.mkfifo(config / "mine.toml")
    with pytest.raises(ProfileError, match="it is not a regular file"):
        load_profile("mine")


def test_a_profile_of_blank_lines_is_read_quickly(config: Path) -> None:
    """A search for the first table once looked from each line to the end of all of them."""
    path = written(config, b"\n" * 60_000 + MINE.encode())
    assert read_head(path)["based_on"] == "rpi4"
    assert load_profile("mine").title == "My carrier board"
