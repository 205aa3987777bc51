"""Certificates of cameras: those of known authorities, of a file, or any if the user says so."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from edgeinfer.device.core.errors import UsageError

CA_OPTION = "--tls-ca"
INSECURE_OPTION = "--tls-insecure"
TRUST_IT = (
    f"check that it is the camera, then save its certificate in a file for {CA_OPTION}; "
    f"{INSECURE_OPTION} accepts any certificate"
)

_OTHER_NAME = (62, 64)
"""OpenSSL's numbers for a certificate of another host name, and of another address."""
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----")


class Trust:
    """Which certificates are accepted.

    A certificate that is itself in the file may be for any host name: cameras make their own, and
    write into it whatever they like.

    Args:
        ca: a file of certificates in PEM, instead of the system's; None for those.
        insecure: accept any.

    Raises:
        UsageError: the file cannot be read, or both are given.
    """

    def __init__(self, ca: str | os.PathLike[str] | None = None, *, insecure: bool = False) -> None:
        self.insecure = insecure
        self._pem: str | None = None
        self._own: set[bytes] = set()
        self._made: ssl.SSLContext | None = None
        if ca is not None and insecure:
            raise UsageError(
                INSECURE_OPTION, got=f"is used together with {CA_OPTION}", expected="one of the two"
            )
        if ca is not None:
            found = _CERTIFICATE.findall(_read(ca))
            self._pem = "\n".join(found)
            try:
                self._own = {ssl.PEM_cert_to_DER_cert(each) for each in found}
                self._made = self._context() if found else None
            except (ValueError, ssl.SSLError) as error:
                raise _useless(ca, "holds no certificate") from error
            if not self._own:
                raise _useless(ca, "holds no certificate")

    @property
    def from_file(self) -> bool:
        """Whether the user named a file of certificates."""
        return self._pem is not None

    def wrap(self, connect: Callable[[], socket.socket], host: str) -> ssl.SSLSocket:
        """Return a connection, encrypted, to a server whose certificate is accepted.

        Args:
            connect: makes the connection; it may be made twice.
            host: the server's name.

        Raises:
            SSLError: its certificate is not accepted, or it does not speak TLS.
            OSError: there is no connection.
        """
        if self._made is None:
            self._made = self._context()
        try:
            return self._made.wrap_socket(connect(), server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code not in _OTHER_NAME or not self._own:
                raise
            nameless = self._context()
            nameless.check_hostname = False
            encrypted = nameless.wrap_socket(connect(), server_hostname=host)
            if encrypted.getpeercert(binary_form=True) in self._own:
                return encrypted
            encrypted.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._pem)
        if self._pem is not None:
            # Python 3.13 refuses certificates without fields that those of cameras lack.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            # Old cameras have keys that are too short by today's rules.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context


def _read(ca: str | os.PathLike[str]) -> str:
    try:
        return Path(ca).read_text("latin-1")
    except OSError as error:
        raise _useless(ca, f"cannot be read ({(error.strerror or str(error)).lower()})") from error


def _useless(ca: str | os.PathLike[str], got: str) -> UsageError:
    return UsageError(
        f"{CA_OPTION} {os.fspath(ca)}", got=got, expected="a file of certificates in PEM"
    )
