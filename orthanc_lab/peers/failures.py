"""Why a call to a peer got no answer, in the words of libcurl, which Orthanc repeats."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

__all__ = ["words_of"]

_TIMEOUT = "Timeout was reached"
_NO_CONNECTION = "Could not connect to server"


def words_of(error: Exception, url: str) -> str:
    """Return the details of the error of a call.

    Parameters
    ----------
    error
        What requests or the ssl module raised.
    url
        The URL that was called.
    """
    return f"libCURL error: {_reason(error)} while accessing {url}"


def _reason(error: Exception) -> str:
    causes = list(_causes(error))
    if isinstance(error, requests.Timeout):
        return _TIMEOUT
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError)):
        return "URL using bad/illegal format or missing URL"
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return "Could not resolve hostname"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "SSL peer certificate or SSH remote key was not OK"
    if isinstance(error, requests.exceptions.ProxyError):
        return "Could not resolve proxy name"
    if isinstance(error, ssl.SSLError):  # from loading the client certificate
        return "Problem with the local SSL certificate"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "SSL connect error"
    broken = (ConnectionResetError, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
    if any(isinstance(cause, broken) for cause in causes):
        return "Failure when receiving data from the peer"
    if any(isinstance(cause, urllib3.exceptions.ProtocolError) for cause in causes):
        return "Server returned nothing (no headers, no data)"
    return _NO_CONNECTION


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that are behind it: requests wraps urllib3, which wraps the socket's."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        behind = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [cause for cause in behind if isinstance(cause, BaseException)]
