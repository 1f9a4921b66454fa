"""Why a call to a peer got no answer, in the words of libcurl, which Orthanc repeats."""

from __future__ import annotations

import ssl

__all__ = ["CallError", "connection_failure", "receiving_failure", "sending_failure"]

BAD_URL = "URL using bad/illegal format or missing URL"
BAD_ARGUMENT = "A libcurl function was given a bad argument"
NO_PROXY_NAME = "Could not resolve proxy name"
NO_NAME = "Could not resolve hostname"
NO_CONNECTION = "Could not connect to server"
TIMEOUT = "Timeout was reached"
EMPTY = "Server returned nothing (no headers, no data)"
UNKNOWN_PROTOCOL = "Unsupported protocol"
WEIRD = "Weird server reply"
PARTIAL = "Transferred a partial file"
RECEIVING = "Failure when receiving data from the peer"
SENDING = "Failed sending data to the peer"
ENCODING = "Unrecognized or bad HTTP Content or Transfer-Encoding"
TOO_LARGE = "A value or data field grew larger than allowed"
REDIRECTIONS = "Number of redirects hit maximum amount"
CA_FILE = "Problem with the SSL CA cert (path? access rights?)"
CLIENT_CERTIFICATE = "Problem with the local SSL certificate"
NOT_TRUSTED = "SSL peer certificate or SSH remote key was not OK"
HANDSHAKE = "SSL connect error"


class CallError(Exception):
    """A call that got no answer.

    Attributes
    ----------
    words
        What libcurl calls it.
    silent
        Whether the peer had closed the connection, without a byte of an answer.
    """

    def __init__(self, words: str, *, silent: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.silent = silent


def connection_failure(error: Exception) -> CallError:
    """Return why a connection did not come about, beyond the names of hosts."""
    if isinstance(error, TimeoutError):
        return CallError(TIMEOUT)
    if isinstance(error, ssl.SSLCertVerificationError):
        return CallError(NOT_TRUSTED)
    return CallError(HANDSHAKE if isinstance(error, ssl.SSLError) else NO_CONNECTION)


def sending_failure(error: Exception) -> CallError:
    """Return why a request could not be sent."""
    return CallError(TIMEOUT if isinstance(error, TimeoutError) else SENDING)


def receiving_failure(error: Exception, *, begun: bool) -> CallError:
    """Return why an answer did not come; `begun` tells whether a part of it had."""
    if isinstance(error, TimeoutError):
        return CallError(TIMEOUT)
    return CallError(RECEIVING, silent=isinstance(error, ConnectionError) and not begun)
