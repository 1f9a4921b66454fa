"""Paths of requests, in the one form in which they are looked up."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

__all__ = ["decoded", "one_form"]


def decoded(path: str) -> str:
    """Return a path of a request with its escapes resolved, one letter for each byte; ``+`` is a space, as in a query.

    >>> decoded("/labels/a+b%2Bc")
    '/labels/a b+c'
    """
    if "+" in path:
        path = path.replace("+", " ")
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path


def one_form(path: str) -> str:
    """Return a path without double slashes, dots at the end of names, and ``..``; it ends before a NUL.

    >>> one_form("//studies/../series/./x.//")
    '/series/x/'
    """
    names: list[str] = []
    for name in path.partition("\0")[0].replace("\\", "/").split("/"):
        if name == "..":
            del names[-1:]
        else:
            names.append(name.rstrip("."))
    kept = [name for name in names if name]
    return "/" + "/".join(kept) + ("/" if kept and not names[-1] else "")
