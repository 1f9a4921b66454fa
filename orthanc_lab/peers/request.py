"""What a peer is asked: the head of a request, and what becomes of it when it is redirected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from orthanc_lab.peers.address import Address, Place, joined, read_address
from orthanc_lab.peers.failures import BAD_ARGUMENT, CallError

__all__ = ["Request"]

_REDIRECTIONS = (301, 302, 303, 307, 308)
_BROKEN = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    verb: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    secret: Mapping[str, str] = field(default_factory=dict)  # headers for the peer alone

    @property
    def address(self) -> Address:
        """Where it goes.

        Raises
        ------
        CallError
            If that cannot be read.
        """
        return read_address(self.url)

    def head(self, address: Address) -> list[str]:
        """Return the lines of its headers.

        Raises
        ------
        CallError
            If one of them would be more than a header.
        """
        headers = {"host": ("Host", address.place.header), "accept": ("Accept", "*/*")}
        for given in (self.secret, self.headers):
            headers |= {name.lower(): (name, value) for name, value in given.items()}
        if address.credentials:
            headers["authorization"] = ("Authorization", address.credentials)
        if self.body is not None or self.verb not in ("GET", "HEAD"):
            headers["content-length"] = ("Content-Length", str(len(self.body or b"")))
        lines = [f"{name}: {value}" for name, value in headers.values()]
        if any(_BROKEN.search(line) for line in lines):
            raise CallError(BAD_ARGUMENT)
        return lines

    def redirected(self, status: int, locations: Sequence[str]) -> Request | None:
        """Return the request to send next, None if this one was answered.

        Another server than the one that was asked is not told what is for the peer alone.

        Raises
        ------
        CallError
            If the new address cannot be read.
        """
        if status not in _REDIRECTIONS or not locations or not locations[0]:
            return None
        following = replace(self, url=joined(self.url, locations[0]))
        if not _may_know(self.address.place, following.address.place):
            following = replace(following, secret={})
        if (status in (302, 303) and self.verb != "HEAD") or (status == 301 and self.verb == "POST"):
            kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("content-")}
            following = replace(following, verb="GET", body=None, headers=kept)
        return following


def _may_know(asked: Place, following: Place) -> bool:
    if asked == following:
        return True
    to_https = (asked.scheme, asked.port, following.scheme, following.port) == ("http", 80, "https", 443)
    return to_https and asked.host == following.host
