"""Answers to what clients ask again and again, found without Falcon: its request and its answer take longer than these.

A resource offers one by its method ``on_plain_get``, which takes the fields of its template, and returns what
``on_get`` would answer without arguments, as `PlainAnswer`; None leaves the request to ``on_get``. Its method
``on_plain_post`` takes the whole request, and raises nothing. ``on_plain_posts`` takes several requests with their
bodies, and returns for each the answer, or the error that ``on_post`` would raise, or None to leave it to ``on_post``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["PlainAnswer", "PlainAnswers"]


class PlainAnswer(NamedTuple):
    """The body of an answer with status 200."""

    content_type: str
    data: bytes


AnswerTogether = Callable[[Sequence[tuple[dict[str, Any], bytes]]], list[PlainAnswer | BaseException | None]]


class PlainAnswers:
    """Finds the plain answer to a request.

    Parameters
    ----------
    table
        The methods that answer, by template and verb.
    """

    def __init__(self, table: Mapping[str, Mapping[str, Callable[..., None]]]) -> None:
        self._whole: dict[str, Callable[[], PlainAnswer | None]] = {}  # by path
        self._below: dict[str, Callable[[str], PlainAnswer | None]] = {}  # by what is before the last field
        self._posts: dict[str, Callable[[dict[str, Any]], PlainAnswer | None]] = {}
        self.together: dict[str, AnswerTogether] = {}
        """Answers several POSTs to a path."""
        for template, methods in table.items():
            post = getattr(getattr(methods.get("POST"), "__self__", None), "on_plain_post", None)
            if post is not None:
                self._posts[template] = post
            together = getattr(getattr(methods.get("POST"), "__self__", None), "on_plain_posts", None)
            if together is not None:
                self.together[template] = together
            find = getattr(getattr(methods.get("GET"), "__self__", None), "on_plain_get", None)
            if find is None:
                continue
            start, _, last = template.rpartition("/")
            if last.startswith("{"):
                self._below[start] = find
            else:
                self._whole[template] = find

    def find(self, env: dict[str, Any], method: str, path: str) -> PlainAnswer | None:
        """Return the answer to a request for a path, None if Falcon has to find it."""
        if env["QUERY_STRING"] or env.get("HTTP_ACCEPT", "").startswith("application/xml"):
            return None
        if method == "POST":
            post = self._posts.get(path)
            return None if post is None else post(env)
        if method != "GET":
            return None
        whole = self._whole.get(path)
        try:
            if whole is not None:
                return whole()
            start, _, name = path.rpartition("/")
            below = self._below.get(start)
            return None if below is None else below(name)
        except Exception:  # it will come again where errors are answered
            return None
