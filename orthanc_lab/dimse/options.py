"""The options of associations with other DICOM nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orthanc_lab.dimse.modality import Modality
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings

__all__ = ["DicomOptions", "DicomTls"]


@dataclass(frozen=True, slots=True)
class DicomTls:
    """Certificates and versions of DICOM over TLS."""

    enabled: bool = False  # DicomTlsEnabled: the server listens for TLS alone
    certificate: str = ""  # DicomTlsCertificate, PEM
    private_key: str = ""  # DicomTlsPrivateKey, PEM
    trusted_certificates: str = ""  # DicomTlsTrustedCertificates, PEM
    remote_certificate_required: bool = True  # DicomTlsRemoteCertificateRequired
    minimum_version: int = 0  # DicomTlsMinimumProtocolVersion; 0 = Orthanc's usual ones
    ciphers: tuple[str, ...] = ()  # DicomTlsCiphersAccepted; () = the usual ones


@dataclass(frozen=True, slots=True)
class DicomOptions:
    """Who we are, how long to wait, what to propose."""

    aet: str = "ORTHANC"  # DicomAet
    scu_timeout: int = 10  # seconds, DicomScuTimeout; 0 = no limit
    preferred_syntax: str = "1.2.840.10008.1.2.1"  # DicomScuPreferredTransferSyntax
    transcode: bool = True  # TranscodeDicomProtocol
    lossy_quality: int = 90  # DicomLossyTranscodingQuality
    maximum_pdu_length: int = 16384  # MaximumPduLength
    echo_checks_find: bool = False  # DicomEchoChecksFind
    retrieve_method: str = "C-MOVE"  # DicomDefaultRetrieveMethod
    tls: DicomTls = DicomTls()

    def local_aet(self, modality: Modality) -> str:
        """Return our title in associations with a node."""
        return modality.local_aet or self.aet

    @classmethod
    def of(cls, settings: Settings) -> DicomOptions:
        """Read the options of a server.

        Raises
        ------
        OrthancError
            13 if a file of certificates is missing.
        """
        identity = [settings["DicomTlsPrivateKey"], settings["DicomTlsCertificate"]]
        for file in (*(identity if all(identity) else ()), settings["DicomTlsTrustedCertificates"]):
            if file and not Path(file).is_file():
                raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Inexistent file: {file}")
        return cls(
            aet=settings["DicomAet"],
            scu_timeout=settings["DicomScuTimeout"],
            preferred_syntax=settings["DicomScuPreferredTransferSyntax"],
            transcode=settings["TranscodeDicomProtocol"],
            lossy_quality=settings["DicomLossyTranscodingQuality"],
            maximum_pdu_length=settings["MaximumPduLength"],
            echo_checks_find=settings["DicomEchoChecksFind"],
            retrieve_method=settings["DicomDefaultRetrieveMethod"],
            tls=DicomTls(
                enabled=settings["DicomTlsEnabled"],
                certificate=settings["DicomTlsCertificate"],
                private_key=settings["DicomTlsPrivateKey"],
                trusted_certificates=settings["DicomTlsTrustedCertificates"],
                remote_certificate_required=settings["DicomTlsRemoteCertificateRequired"],
                minimum_version=settings["DicomTlsMinimumProtocolVersion"],
                ciphers=tuple(settings["DicomTlsCiphersAccepted"]),
            ),
        )
