"""Where a request goes to: the parts of a URL."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from orthanc_lab.peers.failures import BAD_URL, UNKNOWN_PROTOCOL, CallError

__all__ = ["Address", "Place", "basic_credentials", "joined", "read_address"]

_PORTS = {"http": 80, "https": 443}
_KEPT = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # printable ASCII that goes out as it is


class Place(NamedTuple):
    """Where a server listens."""

    scheme: str  # http or https
    host: str
    port: int

    @property
    def header(self) -> str:
        """The value of the header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


class Address(NamedTuple):
    """A URL, taken apart."""

    place: Place
    target: str  # path and query
    credentials: str  # value of ``Authorization`` for the user in the URL; "" if there is none

    @property
    def url(self) -> str:
        """The URL without credentials."""
        return f"{self.place.scheme}://{self.place.header}{self.target}"


def read_address(url: str) -> Address:
    """Take a URL apart; without a scheme, it is ``http``.

    Raises
    ------
    CallError
        If it cannot be the address of a server.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = _host(parts), parts.port
    except ValueError as error:
        raise CallError(BAD_URL) from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise CallError(UNKNOWN_PROTOCOL)
    if not host or " " in url:
        raise CallError(BAD_URL)
    target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    credentials = basic_credentials(user, password) if user else ""
    return Address(Place(scheme, host, port or _PORTS[scheme]), target, credentials)


def joined(url: str, location: str) -> str:
    """Return where a header ``Location`` of the answer from a URL leads; its letters stand for one byte each.

    Raises
    ------
    CallError
        If it cannot be the address of anything.
    """
    try:
        return urljoin(url if "://" in url else f"http://{url}", quote(location, safe=_KEPT, encoding="latin-1"))
    except ValueError as error:
        raise CallError(BAD_URL) from error


def basic_credentials(user: str, password: str) -> str:
    """Return the value of a header ``Authorization``."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return host if host.isascii() else host.encode("idna").decode("ascii")
