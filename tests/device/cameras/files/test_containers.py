"""Playlists, which name other files and addresses, are not videos, whatever their name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.files.containers import SNIFF_BYTES, is_playlist, is_video
from edgeinfer.device.cameras.files.video import VideoCamera
from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.raw_server import Connection, raw_server
from tests.support.waiting import PATIENCE_S

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9.0,\n{}\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
DASH = '<?xml version="1.0"?><MPD><Period><BaseURL>{}</BaseURL></Period></MPD>'

PLAYLISTS: dict[str, Callable[[str], bytes]] = {
    "hls": lambda place: HLS.format(place).encode(),
    "hls with a mark": lambda place: b"\xef\xbb\xbf" + HLS.format(place).encode(),
    "hls behind a tag": lambda place: b"ID3\x03\0\0\0\0\0\0" + HLS.format(place).encode(),
    "concat": lambda place: f"ffconcat version 1.0\nfile {place}\n".encode(),
    "sdp": lambda place: SDP.encode(),
    "dash": lambda place: DASH.format(place).encode(),
    "asx": lambda place: f'<asx version="3.0"><ref href="{place}"/></asx>'.encode(),
}


def answer_nothing(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 404 No\r\n\r\n")


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ts", ".avi"])
@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlist_in_a_file_is_not_followed(
    name: str, suffix: str, video: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"list{suffix}"
    with raw_server(answer_nothing) as server:
        for place in (server.url, video.name, str(video)):
            path.write_bytes(PLAYLISTS[name](place))
            with pytest.raises(CameraError, match="is a playlist, which names other files"):
                VideoCamera(path)
        assert server.connections == []


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlist_of_a_camera_is_not_followed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with raw_server(answer_nothing) as elsewhere:

        def answer(connection: Connection) -> None:
            content = PLAYLISTS[name](elsewhere.url)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {len(content)}"
            connection.send(head.encode() + b"\r\n\r\n" + content)

        with (
            raw_server(answer) as server,
            pytest.raises(CameraError, match="answers with a playlist"),
        ):
            open_url(server.url, CameraOptions(timeout_s=PATIENCE_S))
        assert elsewhere.connections == []


def test_playlist_that_the_user_names_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with raw_server(answer_nothing) as elsewhere:

        def answer(connection: Connection) -> None:
            content = PLAYLISTS["hls"](elsewhere.url + ".ts")
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close"
            connection.send(head.encode() + b"\r\n\r\n" + content)

        with raw_server(answer) as server, pytest.raises(CameraError, match="cannot be opened"):
            open_url(server.url + ".m3u8?key=1", CameraOptions(timeout_s=PATIENCE_S))
        assert elsewhere.connections


@pytest.mark.parametrize(
    "beginning",
    [
        b"\0\0\0\x18ftypmp42",
        b"\0\0\0\x08wide\0\0\0\0mdat",
        b"RIFF\0\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3",
        b"\0\0\x01\xba",
        b"FLV\x01",
        (b"G" + bytes(187)) * 6,
        (bytes(4) + b"G" + bytes(187)) * 6,
        bytes(100) + (b"G" + bytes(187)) * 6,
    ],
)
def test_containers(beginning: bytes) -> None:
    assert is_video(beginning)
    assert not is_playlist(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"hello",
        b"RIFF\0\0\0\0WAVE",
        b"ID3" + bytes(50),
        b"\x7fELF",
        b"P6 10 10 255\n",
        b"G" * 9,
    ],
)
def test_a_file_that_is_not_a_container(beginning: bytes) -> None:
    assert not is_video(beginning)


def test_playlist_that_looks_like_packets_is_one() -> None:
    assert not is_video((b"#EXTM3U\n" + b"G" * SNIFF_BYTES)[:SNIFF_BYTES])


@given(st.binary(max_size=300))
def test_any_bytes_are_judged(data: bytes) -> None:
    assert not (is_video(data) and is_playlist(data))


def test_shared_clips_are_videos(shared_data: Path) -> None:
    for clip in (shared_data / "video").glob("*.mp4"):
        assert is_video(clip.read_bytes()[:SNIFF_BYTES])
