"""Names and passwords: what servers ask for, and the answers of the standards' own examples."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network.protocol.authentication import (
    Authorization,
    Challenge,
    Credentials,
    choose_challenge,
    parse_challenges,
)
from tests.support.growth import assert_linear

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
RFC_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_examples_of_rfc_7616(
    algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: RFC_CNONCE)
    (challenge,) = parse_challenges([RFC_7616.format(algorithm)])
    credentials = Credentials("Mufasa", "Circle of Life")
    header = Authorization(credentials, challenge).header("GET", "/dir/index.html")
    assert f'response="{response}"' in header
    assert 'username="Mufasa"' in header
    assert "nc=00000001" in header
    assert "qop=auth," in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_name_is_hashed_where_the_server_wants_that() -> None:
    challenge = Challenge("digest", {"realm": "r", "nonce": "n", "userhash": "true"})
    header = Authorization(Credentials("me", "x"), challenge).header("GET", "/")
    assert f'username="{hashlib.md5(b"me:r").hexdigest()}"' in header
    assert "userhash=true" in header


def test_password_is_in_no_repr() -> None:
    assert "secret" not in repr(Credentials("me", "secret"))


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        (['Basic realm="cam"'], "basic"),
        (['Basic realm="a, Digest b"', 'digest realm="c", nonce=d'], "MD5"),
        (
            ['Digest realm="x",nonce="1",algorithm=MD5, Digest nonce="1",algorithm=SHA-256'],
            "SHA-256",
        ),
        (['Digest nonce="1",algorithm="SHA-256-sess"', 'Digest nonce="1"'], "SHA-256"),
        (["Negotiate", "NTLM abcd==", "Basic"], "basic"),
        (['Digest nonce="1", qop="auth-int"', "Basic"], "basic"),
        (['Digest nonce="1", algorithm=SHA-3'], None),
        (["Bearer realm=x"], None),
        (['"'], None),
        ([], None),
    ],
)
def test_the_strongest_that_is_known_is_used(lines: list[str], chosen: str | None) -> None:
    challenge = choose_challenge(parse_challenges(lines))
    if chosen is None:
        assert challenge is None
    else:
        assert challenge is not None
        assert chosen == ("basic" if challenge.scheme == "basic" else challenge.algorithm)


def test_values_in_quotes_may_hold_anything() -> None:
    (challenge,) = parse_challenges([r'Digest realm="a \"b\", c=d" , nonce = x,stale=TRUE'])
    assert challenge.values == {"realm": r"a \"b\", c=d", "nonce": "x", "stale": "TRUE"}
    assert challenge.stale


@given(st.text(max_size=40))
def test_anything_may_be_asked(text: str) -> None:
    choose_challenge(parse_challenges([text, f"Digest {text}"]))


@pytest.mark.parametrize("unit", ['a="', "a ", ",", 'a="\\"', "=", "a=b,"])
def test_time_grows_with_what_is_asked_not_with_its_square(unit: str) -> None:
    assert_linear(lambda line: parse_challenges([line]), lambda size: unit * size, 1 << 15)
