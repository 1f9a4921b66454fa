"""DICOM over TLS, as the options ``DicomTls…`` describe it, with Orthanc's refusals."""

from __future__ import annotations

import ssl
import warnings

from orthanc_lab.dimse.options import DicomTls
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.certificates import naming_option

__all__ = ["server_context"]

_USUAL = 0  # the value of DicomTlsMinimumProtocolVersion for the profile of BCP 195
_VERSIONS = {
    1: ssl.TLSVersion.TLSv1,  # Orthanc's documentation says SSL 3, which no OpenSSL of today speaks
    2: ssl.TLSVersion.TLSv1,
    3: ssl.TLSVersion.TLSv1_1,
    5: ssl.TLSVersion.TLSv1_3,
}


def server_context(options: DicomTls) -> ssl.SSLContext | None:
    """Return how the DICOM server encrypts; None if it does not.

    Raises
    ------
    OrthancError
        13 for a file that is missing, 3 without certificate or key, 15 for what cannot be used.
    """
    if not options.enabled:
        return None
    if not options.certificate or not options.private_key:
        missing = "DicomTlsPrivateKey" if options.certificate else "DicomTlsCertificate"
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"DICOM over TLS needs the option {missing}")
    if options.remote_certificate_required and not options.trusted_certificates:
        raise OrthancError(
            ErrorCode.INEXISTENT_FILE,
            "With DicomTlsRemoteCertificateRequired, DICOM over TLS needs the option DicomTlsTrustedCertificates",
        )
    if options.ciphers and options.minimum_version == _USUAL:
        raise OrthancError(
            ErrorCode.BAD_FILE_FORMAT, "DicomTlsCiphersAccepted needs another DicomTlsMinimumProtocolVersion than 0"
        )
    try:
        return _context(options)
    except (OSError, ValueError) as error:  # OpenSSL's errors are among them
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"DICOM over TLS cannot be set up: {error}") from error


def _context(options: DicomTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an old version is what the option asks for
        context.minimum_version = _VERSIONS.get(options.minimum_version, ssl.TLSVersion.TLSv1_2)
    with naming_option("DicomTlsCertificate", f"{options.certificate}, with the key {options.private_key}"):
        context.load_cert_chain(options.certificate, options.private_key)
    if options.trusted_certificates:
        with naming_option("DicomTlsTrustedCertificates", options.trusted_certificates):
            context.load_verify_locations(options.trusted_certificates)
    if options.ciphers:
        with naming_option("DicomTlsCiphersAccepted", ciphers := ":".join(options.ciphers)):
            context.set_ciphers(ciphers)
    if options.remote_certificate_required:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
