"""Why an association or a message failed, in the words of Orthanc, which repeats those of DCMTK."""

from __future__ import annotations

import socket
import ssl

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = [
    "ABORTED",
    "NO_ANSWER",
    "NO_MESSAGE",
    "REJECTED",
    "RELEASED",
    "association_error",
    "connection_words",
    "illegal_title",
    "no_context",
    "status_error",
    "tls_words",
]

REJECTED = "DUL Association Rejected"
NO_ANSWER = "DUL network read timeout"
"""No answer to the request of an association."""

ABORTED = "Peer aborted Association (or never connected)"
RELEASED = "DUL Peer Requested Release"
NO_MESSAGE = "DIMSE No data available (timeout in non-blocking mode)"


def association_error(doing: str, aet: str, words: str) -> OrthancError:
    """Return the error of something that failed with a node.

    Parameters
    ----------
    doing
        ``connecting``, or the name of the service: ``C-ECHO`` …
    """
    return OrthancError(ErrorCode.NETWORK_PROTOCOL, f'DicomAssociation - {doing} to AET "{aet}": {words}')


def status_error(service: str, aet: str, status: int, remark: str = "") -> OrthancError:
    """Return the error of a service that a node has answered with a status of failure."""
    text = f'{service} SCU to AET "{aet}" has failed with DIMSE status 0x{status:04X}{remark}'
    return OrthancError(ErrorCode.NETWORK_PROTOCOL, text)


def no_context(sop_class: str) -> str:
    """Return that a message has no presentation context."""
    return f"DIMSE: No Presentation Context for: {sop_class}"


def illegal_title(side: str) -> str:
    """Return that the title of a side, ``Called`` or ``Calling``, is none."""
    return f"Illegal service parameter: {side} AP Title"


def connection_words(error: OSError | UnicodeError, host: str) -> str:
    """Return why no connection came about."""
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"Attempt to connect to unknown host: {host}"
    return f"TCP Initialization Error: {getattr(error, 'strerror', None) or error}"


def tls_words(error: OSError) -> str:
    """Return why no encrypted connection came about."""
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"TLS error: {error.reason.replace('_', ' ').lower()}"
    return "OpenSSL I/O error (SSL_ERROR_SYSCALL)"
