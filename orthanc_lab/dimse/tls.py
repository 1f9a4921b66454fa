"""DICOM over TLS: which certificates are shown and trusted."""

from __future__ import annotations

import ssl

from orthanc_lab.dimse.options import DicomTls
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["scu_context"]


def scu_context(tls: DicomTls) -> ssl.SSLContext:
    """Return how we show ourselves to a node, and whom we trust; the name in its certificate is not looked at.

    Raises
    ------
    OrthancError
        6 if the key, the certificate or what is trusted is not configured, 15 if a file is not what it should be.
    """
    for is_there, what in (
        (tls.private_key and tls.certificate, "the private key of the local certificate"),
        (tls.trusted_certificates, "the trusted remote certificates"),
    ):
        if not is_there:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, f"DICOM TLS - No path to {what} was provided")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(tls.trusted_certificates)
    except ssl.SSLError as error:
        text = f"Cannot parse PEM file with trusted certificates for DICOM TLS: {tls.trusted_certificates}"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text) from error
    try:
        context.load_cert_chain(tls.certificate, tls.private_key)
    except ssl.SSLError as error:
        text = f"The private key doesn't match the own certificate: {tls.private_key} vs. {tls.certificate}"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text) from error
    except OSError as error:
        text = f"Inexistent file: {tls.certificate} or {tls.private_key}"
        raise OrthancError(ErrorCode.INEXISTENT_FILE, text) from error
    return context
