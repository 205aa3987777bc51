"""What is shown of a network camera's URL."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network.urls import http_request, is_url, without_secrets

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


def test_request_has_name_and_password_in_its_header_alone() -> None:
    request = http_request("http://me:p%40ss@host:81/video?x=1#part")
    assert request.full_url == "http://host:81/video?x=1"
    assert request.get_header("Authorization") == "Basic bWU6cEBzcw=="


def test_url_that_cannot_be_parsed() -> None:
    with pytest.raises(ValueError, match="IPv6"):
        http_request("http://[::1/")
