"""A request as the command ``curl`` of a shell."""

from __future__ import annotations

import shlex
from pathlib import PurePath

import requests

__all__ = ["curl_of"]

_LONGEST = 2000  # characters of a body that is shown
_TEXTS = ("application/json", "text/")


def curl_of(response: requests.Response) -> str:
    """Return the command that sends the request of this response again.

    Passwords are not part of it: curl asks for them. Bodies that are long or no text are named as a file.
    """
    request = response.request
    words = ["curl"]
    if "Authorization" in request.headers:
        words += ["-u", "USER"]
    if request.method not in ("GET", None):
        words += ["-X", request.method]
    words.append(shlex.quote(request.url or ""))
    if request.body is not None or request.method == "POST":
        body = _text(request.body)
        if body is None:
            size = f"-of-{len(request.body)}-bytes" if isinstance(request.body, bytes) else ""
            words += ["--data-binary", f"@body{size}"]  # no comment after it: zsh has none at its prompt
        else:
            words += ["-d", shlex.quote(body)]
    kind = response.headers.get("Content-Type", "")
    if response.ok and kind and not kind.startswith(_TEXTS):
        words += ["--output", shlex.quote(_name(request.url or ""))]
    return " ".join(words)


def _text(body: object) -> str | None:
    if body is None:
        return ""
    if isinstance(body, bytes):
        try:
            body = body.decode()
        except UnicodeDecodeError:
            return None
    if not isinstance(body, str) or len(body) > _LONGEST or body.startswith("@") or not _is_printable(body):
        return None
    return body


def _is_printable(text: str) -> bool:
    return all(character.isprintable() or character in "\n\t" for character in text)


def _name(url: str) -> str:
    return PurePath(url.partition("?")[0]).name + ".zip" if "archive" in url or "media" in url else "answer"
