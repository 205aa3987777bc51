"""What is shown of a network camera's URL."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network.protocol.authentication import Credentials
from edgeinfer.device.cameras.network.urls import (
    HttpPlace,
    check_password,
    is_url,
    url_credentials,
    without_secrets,
)
from edgeinfer.device.core.errors import CameraError

plain = st.characters(min_codepoint=33, max_codepoint=126)


@given(st.text(plain, min_size=4), st.booleans())
def test_no_password_is_ever_shown(secret: str, escaped: bool) -> None:
    secret = f"<{secret}>"
    written = urllib.parse.quote(secret, safe="") if escaped else secret
    assert written not in without_secrets(f"rtsp://me:{written}@camera.local:554/stream")
    assert written not in without_secrets(f"http://camera.local/video?password={written}")


def test_what_is_shown_of_a_url() -> None:
    assert without_secrets("rtsp://me:a/b@c?d@host:554/live?x=1") == "rtsp://***@host:554/live?***"
    assert without_secrets("http://host/video") == "http://host/video"
    assert is_url("RTSP://host")
    assert not is_url("clip:one.avi")


def test_place_and_credentials_of_a_url() -> None:
    url = "http://me:p%40ss@HOST:81/vid eo/\xfc?x=1#part"
    assert HttpPlace.parse(url) == ("http", "host", 81, "/vid%20eo/%C3%BC?x=1")
    assert url_credentials(url) == Credentials("me", "p@ss")
    assert url_credentials("http://host/") is None
    assert HttpPlace.parse("https://[::1]").url == "https://[::1]/"


@pytest.mark.parametrize("url", ["http://[::1/", "http:///x", "http://x:nine/", "ftp://host/"])
def test_url_that_is_not_one_of_http(url: str) -> None:
    with pytest.raises(ValueError, match=r"IPv6|URL|Port"):
        HttpPlace.parse(url)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/ok", "https://host:81/ok"),
        ("ok?a=b c", "https://host:81/a/ok?a=b%20c"),
        ("//other/x", "https://other/x"),
        ("http://other:99", "http://other:99/"),
        ("\xe9", "https://host:81/a/%E9"),
    ],
)
def test_redirection(location: str, place: str) -> None:
    assert HttpPlace.parse("https://me:x@host:81/a/b").redirected(location).url == place


@pytest.mark.parametrize(
    ("url", "certain", "codes"),
    [
        ("rtsp://user:p@ss/w#rd@host/", True, ["%40 for @", "%2F for /", "%23 for #"]),
        ("http://user:p/w@host/", True, ["%2F for /"]),
        ("rtsp://us#er:pw@host:554/x", True, ["%23 for #"]),
        ("rtsp://user:p?w@host", True, ["%3F for ?"]),
        ("rtsp://user:p[w@host/x", True, ["%5B for ["]),
        ("rtsp://user:100%/w@host/x", True, ["%2F for /", "%25 for %"]),
        ("rtsp://user:p%40s/w@host/x", True, ["%2F for /"]),
        ("rtsp://user:12/w@host/x", False, ["%2F for /"]),
        ("rtsp://user:p@s/w@host/x", False, ["%40 for @", "%2F for /"]),
    ],
)
def test_password_that_needs_codes(url: str, certain: bool, codes: list[str]) -> None:
    if not certain:
        check_password(url)
    with pytest.raises(CameraError, match="in its name or password") as caught:
        check_password(url, certain=certain)
    assert caught.value.next_step == f"write {', '.join(codes)}"
    assert str(caught.value).partition(": ")[0].startswith(url.partition("://")[0] + "://***@host")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://host/x",
        "rtsp://user:p%40ss%2F@host:554/x?a=b#c",
        "rtsp://user:p@ss@host/x",
        "http://[2001:db8::1]:8080/x",
        "rtsp://user:pw@[::1]/x",
    ],
)
def test_password_that_is_written_as_it_should(url: str) -> None:
    check_password(url)
    check_password(url, certain=False)


def test_at_sign_in_a_path_is_one() -> None:
    check_password("http://host/@cam/video")
    check_password("rtsp://user:pw@host:554/cam@1")
