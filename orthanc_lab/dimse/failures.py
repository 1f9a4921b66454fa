"""Why an association or a message failed, in the words of Orthanc, which repeats those of DCMTK."""

from __future__ import annotations

import socket

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["ABORTED", "NO_RESPONSE", "REJECTED", "association_error", "connection_words"]

REJECTED = "Association Rejected"
ABORTED = "Peer aborted Association (or never connected)"
NO_RESPONSE = "DIMSE No data available (timeout in non-blocking mode)"


def association_error(doing: str, aet: str, words: str) -> OrthancError:
    """Return the error of something that failed with a node.

    Parameters
    ----------
    doing
        What was being done: ``DicomAssociation - connecting``, ``DicomStoreUserConnection - C-STORE`` …
    """
    return OrthancError(ErrorCode.NETWORK_PROTOCOL, f'{doing} to AET "{aet}": {words}')


def connection_words(error: OSError | UnicodeError, host: str) -> str:
    """Return why no connection came about."""
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"Attempt to connect to unknown host: {host}"
    return f"TCP Initialization Error: {getattr(error, 'strerror', None) or error}"
