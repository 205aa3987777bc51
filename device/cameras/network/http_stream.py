"""HTTP answers of untrusted cameras: bounded in time and in what is kept of them.

The bodies of redirections and errors are not read. A redirection leads to HTTP only, and a name and
password only to the host of the URL.
"""

from __future__ import annotations

import http.client

from edgeinfer.device.cameras.network.http_connection import HttpConnection
from edgeinfer.device.cameras.network.protocol.authentication import (
    Authorization,
    Challenge,
    choose_challenge,
    parse_challenges,
)
from edgeinfer.device.cameras.network.protocol.patience import Patience
from edgeinfer.device.cameras.network.protocol.reasons import SHOWN_CHARACTERS
from edgeinfer.device.cameras.network.protocol.tls import Trust
from edgeinfer.device.cameras.network.urls import HttpPlace, url_credentials
from edgeinfer.device.core.errors import CameraError

MAX_REDIRECTIONS = 5
_REDIRECTIONS = (301, 302, 303, 307, 308)
_UNAUTHORIZED = 401


class HttpRefusal(Exception):
    """An answer that is not what was asked for.

    Attributes:
        status: its number.
        reason: the server's words.
        place: who answered.
        asks_for: the kinds of names and passwords that it takes, by its own names.
        withheld: whether it got none because it is not the host that the URL names.
    """

    def __init__(
        self,
        answer: http.client.HTTPResponse,
        place: HttpPlace,
        *,
        reason: str = "",
        withheld: bool = False,
    ) -> None:
        super().__init__(f"answers {answer.status}")
        self.status = answer.status
        self.reason = reason or answer.reason
        self.place = place
        self.asks_for = [challenge.scheme for challenge in _challenges(answer)]
        self.withheld = withheld

    def camera_error(self, shown: str) -> CameraError:
        """Return it as the error of a camera.

        Args:
            shown: what errors call the camera.
        """
        got = f"answers {self.status} ({self.reason[:SHOWN_CHARACTERS]})"
        about_names = self.status in (401, 403)
        kinds = ", ".join(dict.fromkeys(self.asks_for))[:SHOWN_CHARACTERS]
        if about_names and self.withheld:
            return CameraError(
                shown,
                got=f"{got} at {self.place.scheme}://{self.place.netloc}, where it redirects to",
                expected="its own server, which alone gets the name and password",
                next_step="if that is right, give that address",
            )
        if self.asks_for and not {"basic", "digest"} & set(self.asks_for):
            return CameraError(
                shown, got=f"{got} and wants '{kinds}'", expected="'basic' or 'digest'"
            )
        next_step = "check name and password" if about_names else "check the address"
        if self.status >= 500:
            next_step = "it is busy or faulty: try again, then restart it"
        return CameraError(shown, got=got, next_step=next_step)


class HttpBody:
    """The body of an answer, read as it comes."""

    def __init__(
        self, answer: http.client.HTTPResponse, patience: Patience, client: HttpClient
    ) -> None:
        self._answer = answer
        self._patience = patience
        self._client = client
        self._ahead = b""

    @property
    def content_type(self) -> str:
        """The type that the answer states, in lower case, such as "image/jpeg"; empty if none."""
        headers = self._answer.headers
        return str(headers.get_content_type()) if "content-type" in headers else ""

    def read(self, size: int) -> bytes:
        """Return what has come, at most `size` bytes; none at the end.

        Raises:
            OSError: the connection broke, or nothing came in time.
            HTTPException: the answer is damaged.
            ValueError: the answer is damaged.
        """
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        # One call to the socket: a whole chunk would be waited for otherwise.
        data = self._answer.read1(size)
        if not data and self._answer.length == 0:
            self._answer.close()  # the connection stays, for the next request
        return data

    def beginning(self, size: int) -> bytes:
        """Return the first bytes, fewer where they do not come; `read` gives them again."""
        try:
            while len(self._ahead) < size and (more := self._answer.read1(size)):
                self._ahead += more
        except (OSError, http.client.HTTPException, ValueError):
            pass  # which the next read meets again
        return self._ahead

    def put_back(self, data: bytes) -> None:
        """Have `read` give bytes again."""
        self._ahead = data + self._ahead

    def begin_wait(self) -> None:
        """Let the next reads take as long as the camera may be without a picture."""
        self._patience.renew()

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()
        self._client.close()


class HttpClient:
    """Asks for one URL, as often as wanted, on one connection where the server keeps it.

    Args:
        url: with name and password where they are needed.
        trust: which certificates are accepted.

    Raises:
        ValueError: it is not a URL of HTTP.
    """

    def __init__(self, url: str, trust: Trust) -> None:
        self._first = HttpPlace.parse(url)
        self._credentials = url_credentials(url)
        self._trust = trust
        self._connection: HttpConnection | None = None
        self._authorization: tuple[HttpPlace, Authorization] | None = None

    def get(self, patience: Patience) -> HttpBody:
        """Ask; redirections are followed.

        Raises:
            HttpRefusal: the server refuses.
            OSError: it cannot be reached, or does not answer in time.
            HTTPException: its answer is damaged, or begins with too much.
            ValueError: a place that it redirects to is not a URL.
        """
        place = self._first
        for _ in range(MAX_REDIRECTIONS + 1):
            answer = self._ask(place, patience)
            if 200 <= answer.status < 300:
                return HttpBody(answer, patience, self)
            self._drop(answer)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTIONS or target is None:
                withheld = self._credentials is not None and not self._may_know(place)
                raise HttpRefusal(answer, place, withheld=withheld)
            place = place.redirected(target)
        raise HttpRefusal(answer, place, reason=f"too many redirections: {answer.reason}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _drop(self, answer: http.client.HTTPResponse) -> None:
        """Close an answer, and the connection on which its body may still come."""
        whole = answer.isclosed()
        answer.close()
        if not whole:
            self.close()

    def _may_know(self, place: HttpPlace) -> bool:
        """Return whether a place may get the name and password.

        That is the server of the URL, and its encrypted side: the rule of curl and browsers, whose
        users know it. Another port may be another device, behind a router.
        """
        upgraded = (self._first.scheme, place.scheme) == ("http", "https")
        return place.host == self._first.host and (
            upgraded or (place.scheme, place.port) == (self._first.scheme, self._first.port)
        )

    def _ask(self, place: HttpPlace, patience: Patience) -> http.client.HTTPResponse:
        """Return a place's answer, with name and password if it asks for them."""
        credentials = self._credentials if self._may_know(place) else None
        header: str | None = None
        if credentials is not None and self._authorization is not None:
            known, authorization = self._authorization
            if known.server == place.server:
                header = authorization.header("GET", place.target)
        answer = self._send(place, header, patience)
        tries = 0
        while answer.status == _UNAUTHORIZED and credentials is not None:
            challenges = _challenges(answer) or [Challenge("basic", {})]
            challenge = choose_challenge(challenges)
            # Once for what it asks, and again where only its number had become too old.
            if challenge is None or tries > int(challenge.stale):
                break
            tries += 1
            self._drop(answer)
            authorization = Authorization(credentials, challenge)
            self._authorization = (place, authorization)
            answer = self._send(place, authorization.header("GET", place.target), patience)
        return answer

    def _send(
        self, place: HttpPlace, authorization: str | None, patience: Patience
    ) -> http.client.HTTPResponse:
        headers = {"Accept": "*/*", "User-Agent": "edgeinfer"}
        if authorization is not None:
            headers["Authorization"] = authorization
        kept = self._connection
        if kept is not None and kept.place.server == place.server and kept.free:
            try:
                return kept.ask(place, headers, patience)
            except (ConnectionError, http.client.BadStatusLine):
                pass  # it was closed meanwhile
        self.close()
        self._connection = HttpConnection(place, self._trust)
        return self._connection.ask(place, headers, patience)


def _challenges(answer: http.client.HTTPResponse) -> list[Challenge]:
    return parse_challenges(answer.headers.get_all("www-authenticate", []))
