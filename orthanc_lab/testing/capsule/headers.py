"""Headers of requests and answers: those that are known, each with a value of a known form."""

from __future__ import annotations

import re
from collections.abc import Callable

from orthanc_lab.testing.capsule.addresses import Addresses
from orthanc_lab.testing.capsule.containers import BOUNDARY, Containers, media_type
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.registered import is_registered_uid
from orthanc_lab.testing.capsule.scrubbing import Scrubber
from orthanc_lab.testing.capsule.vocabulary import MEDIA_TYPES
from orthanc_lab.testing.recordings.exchange import Headers

__all__ = ["HeaderTwin"]

_BYTES = re.compile(r"bytes[= ][0-9*/, -]{1,60}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
_REVISION = re.compile(r'(W/)?"([0-9]{1,3})(?:-([0-9a-f]{32}))?"', re.ASCII)
_PROGRAM = re.compile(
    r"(python-requests|curl|Python-urllib|python-httpx|orthanc-lab|pyorthanc|Orthanc|Wget)/[0-9.]{1,12}"
)
_REALM = 'Basic realm="Orthanc Secure Area"'
_PARAMETER = re.compile(r'; *([a-z-]{1,30})="?([^";]{0,100})"?')
_WORDS: dict[str, frozenset[str]] = {
    "accept-encoding": frozenset({"gzip", "deflate", "identity", "br", "zstd", "*"}),
    "accept-ranges": frozenset({"bytes", "none"}),
    "allow": frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "LOCK", "UNLOCK"}),
    "cache-control": frozenset({"no-cache", "no-store", "private", "public", "must-revalidate", "max-age=0"}),
    "content-encoding": frozenset({"gzip", "deflate", "identity"}),
    "dav": frozenset({"1", "2"}),
    "depth": frozenset({"0", "1", "infinity"}),
    "expect": frozenset({"100-continue"}),
    "overwrite": frozenset({"T", "F"}),
    "vary": frozenset({"Accept", "Accept-Encoding", "Origin"}),
    "x-content-type-options": frozenset({"nosniff"}),
}


class HeaderTwin:
    """Replaces headers.

    Parameters
    ----------
    scrubber, addresses, containers
        Replace texts, paths, and names of files.
    manifest
        Counts the headers that are left out.
    """

    def __init__(self, scrubber: Scrubber, addresses: Addresses, containers: Containers, manifest: Manifest) -> None:
        self._scrubber = scrubber
        self._manifest = manifest
        self._rules: dict[str, Callable[[str], str]] = {
            "accept": self._accept,
            "content-disposition": containers.disposition,
            "content-filename": addresses.file_name,
            "content-length": lambda value: _matching(_NUMBER, value),
            "content-location": addresses.address,
            "content-range": lambda value: _matching(_BYTES, value),
            "content-type": self._content_type,
            "destination": addresses.address,
            "etag": self._revision,
            "if-match": self._revision,
            "if-none-match": self._revision,
            "location": addresses.address,
            "range": lambda value: _matching(_BYTES, value),
            "retry-after": lambda value: _matching(_NUMBER, value),
            "user-agent": lambda value: _matching(_PROGRAM, value),
            "www-authenticate": lambda value: _REALM if value.startswith("Basic") else "",
        }

    def of(self, headers: Headers) -> Headers:
        """Return the headers that stay, with their new values."""
        found = []
        for name, value in headers:
            new = self._value(name, value)
            if new:
                found.append((name, new))
            elif not self._scrubber.learning:
                self._manifest.headers += 1
        return tuple(found)

    def _value(self, name: str, value: str) -> str:
        words = _WORDS.get(name)
        if words is not None:
            return value if all(word.strip() in words for word in value.split(",")) else ""
        rule = self._rules.get(name)
        return "" if rule is None else rule(value)

    def _revision(self, value: str) -> str:
        match = _REVISION.fullmatch(value)
        if match is None:
            return f'"{self._scrubber.text(value.strip(chr(34)))}"'
        checksum = f"-{self._scrubber.word(match[3])}" if match[3] else ""
        return f'{match[1] or ""}"{match[2]}{checksum}"'

    def _content_type(self, value: str) -> str:
        kind = media_type(value)
        parameters = dict(_PARAMETER.findall(value))
        if "boundary" in parameters:
            related = parameters.get("type", "")
            return f"{kind}; boundary={BOUNDARY}" + (f'; type="{related}"' if related in MEDIA_TYPES else "")
        charset = parameters.get("charset", "").lower()
        syntax = parameters.get("transfer-syntax", "")
        return (
            kind
            + (f"; charset={charset}" if charset in ("utf-8", "iso-8859-1", "us-ascii") else "")
            + (f"; transfer-syntax={syntax}" if is_registered_uid(syntax) else "")
        )

    def _accept(self, value: str) -> str:
        kinds = []
        for part in value[:2000].split(","):
            kind, parameters = media_type(part), dict(_PARAMETER.findall(part))
            kept = [
                f"; {name}={text}"
                for name, text in parameters.items()
                if (name in ("transfer-syntax", "type") and (is_registered_uid(text) or text in MEDIA_TYPES | {"*"}))
                or (name == "q" and re.fullmatch(r"[01](\.[0-9]{1,3})?", text))
            ]
            kinds.append(kind + "".join(kept))
        return ", ".join(kinds)


def _matching(form: re.Pattern[str], value: str) -> str:
    return value if form.fullmatch(value) else ""
