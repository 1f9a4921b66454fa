"""What a peer is shown, and how it is checked, over HTTPS."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi

from orthanc_lab.peers.failures import CA_FILE, CLIENT_CERTIFICATE, CallError
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.peers.peer import Peer

__all__ = ["open_context"]


def open_context(options: HttpOptions, peer: Peer | None = None) -> ssl.SSLContext:
    """Return the TLS context of calls.

    Parameters
    ----------
    peer
        Whose client certificate is shown; None shows none.

    Raises
    ------
    CallError
        If a certificate cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if options.verify_peers:
        _trust(context, Path(options.ca_certificates or certifi.where()))
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if peer is not None and peer.certificate_file:
        try:
            context.load_cert_chain(
                peer.certificate_file, peer.certificate_key_file or None, peer.certificate_key_password
            )
        except (OSError, ValueError) as error:  # ValueError: for a password that is too long
            raise CallError(CLIENT_CERTIFICATE) from error
    return context


def _trust(context: ssl.SSLContext, path: Path) -> None:
    try:
        if path.is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        raise CallError(CA_FILE) from error
