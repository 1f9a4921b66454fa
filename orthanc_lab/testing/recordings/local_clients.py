"""Keeping the pages of other sites out of a proxy: it may know the password of the server behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import WSGIApplication

from orthanc_lab.rest.foreign_pages import ForeignPages

__all__ = ["for_local_clients"]

_log = logging.getLogger("orthanc_lab.recordings")
_REFUSED = b"The proxy does not serve the pages of other sites\n"


def for_local_clients(application: WSGIApplication) -> WSGIApplication:
    """Return an application that refuses what a browser sends for a page of another site, as the server itself does.

    The server cannot do it: it sees the port of the proxy in ``Host``, and a password that the page has not got.
    """
    pages = ForeignPages(())

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        may_read = pages.is_our_name(environ)
        if may_read and (environ["REQUEST_METHOD"] in ("GET", "HEAD") or pages.may_write(environ)):
            return application(environ, start_response)
        _log.warning("%s %s: refused, a page of another site", environ["REQUEST_METHOD"], environ["REQUEST_URI"])
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [_REFUSED]

    return answer
