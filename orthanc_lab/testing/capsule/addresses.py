"""Paths and addresses: parts that Orthanc gives stay, all others are replaced."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_plus

from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.registered import is_keyword, is_known_tag
from orthanc_lab.testing.capsule.scrubbing import Scrubber
from orthanc_lab.testing.capsule.vocabulary import MEDIA_TYPES, is_field, is_parameter, is_route_word, kept_field_value

__all__ = ["Addresses"]

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,15}://)([^/?#]*)(.*)", re.DOTALL)
_SMALL = re.compile(r"[0-9]{1,4}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,7}", re.ASCII)
_COUNTED = frozenset({"since", "limit", "last", "to", "offset"})
_NUMBERED = frozenset({"frames", "answers", "metadata", "attachments", "content", "rendered"})
"""Parts of paths after which a number says which one."""
_WORDS = frozenset({"", "true", "false", "Patient", "Study", "Series", "Instance", "DICOM", "all", "yes", "no"})
_MEMBER = re.compile(r"DICOMDIR|IMAGES|IM[0-9]{1,6}|[A-Z]{2}[0-9]{6}\.dcm", re.ASCII)
_SCHEMES = frozenset({"http://", "https://"})
_SAFE = "!$&'()*+,;=:@~"


class Addresses:
    """Replaces what paths and addresses name.

    Parameters
    ----------
    scrubber
        Replaces words, identifiers, UIDs.
    manifest
        Takes note of what stays.
    """

    def __init__(self, scrubber: Scrubber, manifest: Manifest) -> None:
        self._scrubber = scrubber
        self._manifest = manifest

    def target(self, text: str) -> str:
        """Return a path with its query, as in the line of a request, or in a field of JSON."""
        path, mark, query = text.partition("?")
        parts = path.split("/")
        path = "/".join(map(self._part, parts, ["", *parts]))
        return path + mark + "&".join(map(self._parameter, query.split("&")))

    def address(self, text: str) -> str:
        """Return an address, or a path."""
        match = _URL.fullmatch(text)
        if match is None:
            return self.target(text)
        scheme = match[1] if match[1].lower() in _SCHEMES else "http://"
        return scheme + self._host(match[2]) + self.target(match[3])

    def file_name(self, text: str) -> str:
        """Return the name of a file, or of a member of an archive with its folders."""
        parts = re.split(r"([/\\])", text)
        return "".join(part if part in "/\\" or _MEMBER.fullmatch(part) else self._file(part) for part in parts)

    def _file(self, name: str) -> str:
        stem, dot, ending = name.rpartition(".")
        if dot and ending in _ENDINGS:
            return self._scrubber.text(stem) + dot + ending
        return self._scrubber.text(name)

    def _host(self, host: str) -> str:
        name, colon, port = host.rpartition(":")
        if colon and port.isdigit():
            return self._host(name) + ":" + self._scrubber.number(port)
        return host if host in _LOCAL else self._scrubber.text(host)

    def _part(self, part: str, before: str) -> str:
        is_number = _SMALL.fullmatch(part) and (before in _NUMBERED or is_known_tag(before))
        if not part or is_number or is_known_tag(part) or is_route_word(part) or is_keyword(part):
            if part and not self._scrubber.learning:
                self._manifest.keep("parts of paths", part)
            return part
        plain = unquote(part) if "%" in part else part
        new = self._file(plain)
        return quote(new, safe=_SAFE) if plain != part or not new.isascii() else new

    def _parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        plain = unquote_plus(name)
        if not is_parameter(plain):
            name = quote(self._scrubber.text(plain), safe=_SAFE)
        if not equals:
            return name
        return f"{name}={self._argument(plain, unquote_plus(value))}"

    def _argument(self, name: str, value: str) -> str:
        if value in _WORDS or value in MEDIA_TYPES or (name in _COUNTED and _COUNT.fullmatch(value)):
            return value
        words = value.split(";" if ";" in value else ",")
        is_number = _SMALL.fullmatch(value) and is_parameter(name) and not is_keyword(name)
        if is_number or all(map(_is_known, words)):
            if not self._scrubber.learning:
                self._manifest.keep("values of parameters", value)
            return quote(value, safe=_SAFE)
        return quote(self._scrubber.text(value), safe=_SAFE)


def _is_known(word: str) -> bool:
    return is_known_tag(word) or is_field(word) or kept_field_value("ChangeType", word)


_ENDINGS = frozenset({"dcm", "zip", "json", "txt", "png", "jpg", "jpeg", "pdf", "xml", "gz", "html", "js", "css"})
_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]", "0.0.0.0"})  # noqa: S104 - addresses to compare with
