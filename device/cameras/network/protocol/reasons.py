"""Why a server cannot be reached, in a few words."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import NamedTuple

from edgeinfer.device.cameras.network.protocol.tls import TRUST_IT

SHOWN_CHARACTERS = 80
"""Most of what a server says that is repeated."""
CHECK = "check its address and that it is on"


class Reason(NamedTuple):
    """Why a connection failed, and what to do about it."""

    what: str
    next_step: str = CHECK


def find_reason(error: BaseException) -> Reason:
    """Return why a connection failed, or an answer cannot be used."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")[:SHOWN_CHARACTERS]
        return Reason(f"its certificate is not trusted: {said}", TRUST_IT)
    if isinstance(error, ssl.SSLError):
        said = (error.reason or "").replace("_", " ").lower()[:SHOWN_CHARACTERS]
        return Reason(
            f"it does not speak TLS as needed: {said}" if said else "it does not speak TLS",
            "check whether its address begins with http:// or rtsp:// instead, and its port",
        )
    if isinstance(error, TimeoutError):
        return Reason("no answer in time")
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return Reason("no such host", "check the host's name, and that this machine has a network")
    if isinstance(error, OSError) and error.strerror:
        return Reason(error.strerror.lower())
    if isinstance(error, http.client.RemoteDisconnected):
        return Reason("it hangs up without an answer")
    if isinstance(error, http.client.BadStatusLine):
        return Reason("its answer is not HTTP", "check the address and its port")
    if type(error) is http.client.HTTPException:
        return Reason(str(error)[:SHOWN_CHARACTERS])
    if isinstance(error, http.client.InvalidURL):
        return Reason("its address is not a URL")
    return Reason(type(error).__name__)
