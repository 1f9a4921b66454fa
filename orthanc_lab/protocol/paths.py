"""Paths of requests, in the one form in which they are looked up."""

from __future__ import annotations

__all__ = ["one_form"]


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
