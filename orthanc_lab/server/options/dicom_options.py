"""The options of DICOM: dictionaries and character sets, and the network, which is not available yet."""

from __future__ import annotations

from orthanc_lab.dimse.modality import FIELDS
from orthanc_lab.server.options.option import (
    Kind,
    Option,
    at_least_one,
    one_of,
    pdu_length,
    port,
    preferred_syntax,
    retrieve_method,
    standard_version,
)

__all__ = ["DICOM_OPTIONS"]

_BOOLEAN, _INTEGER, _STRING, _STRINGS, _OBJECT = Kind

DICOM_OPTIONS = (
    Option("Dictionary", _OBJECT, {}, "Private tags: number, and [VR, name, least, most, private creator].", late=True),
    Option("DefaultPrivateCreator", _STRING, "", "Private creator of tags that name none.", late=True),
    Option(
        "DefaultEncoding", _STRING, "Latin1", "Character set of files that name none.", storage_field="default_encoding"
    ),
    Option("ExternalDictionaries", _STRINGS, [], "Files in DCMTK's format, in place of the built-in dictionary."),
    Option("LoadPrivateDictionary", _BOOLEAN, True, "Know the private tags of vendors."),
    Option("DicomServerEnabled", _BOOLEAN, True, "Listen for DICOM over TCP."),
    Option("DicomPort", _INTEGER, 4242, "Port of DICOM over TCP.", check=port),
    Option(
        "DicomBindAddresses",
        _STRINGS,
        [],
        "IP addresses on which DICOM over TCP listens; if empty, all of them (an option of orthanc-lab).",
    ),
    Option("DicomAet", _STRING, "ORTHANC", "Application entity title, shown in /system."),
    Option(
        "DicomCheckCalledAet",
        _BOOLEAN,
        False,
        "Refuse another called title.",
        needs="DicomServerEnabled",
    ),
    Option("StrictAetComparison", _BOOLEAN, False, "Titles respect the case.", late=True),
    Option("DicomCheckModalityHost", _BOOLEAN, False, "Check the address of modalities.", late=True),
    Option("DicomAlwaysAllowEcho", _BOOLEAN, True, "Answer C-ECHO of anybody.", needs="DicomServerEnabled"),
    Option(
        "DicomAlwaysAllowStore",
        _BOOLEAN,
        True,
        "Accept C-STORE of anybody.",
        needs="DicomServerEnabled",
    ),
    Option("DicomAlwaysAllowFind", _BOOLEAN, False, "Answer C-FIND of anybody.", needs="DicomServerEnabled"),
    Option(
        "DicomAlwaysAllowFindWorklist",
        _BOOLEAN,
        False,
        "Answer worklist queries of anybody.",
        honoured=False,
        needs="DicomServerEnabled",
    ),
    Option("DicomAlwaysAllowGet", _BOOLEAN, False, "Answer C-GET of anybody.", needs="DicomServerEnabled"),
    Option("DicomAlwaysAllowMove", _BOOLEAN, False, "Answer C-MOVE of anybody.", needs="DicomServerEnabled"),
    Option("DicomModalities", _OBJECT, {}, "DICOM nodes.", names_of_each=FIELDS),
    Option("DicomModalitiesInDatabase", _BOOLEAN, False, "Keep the DICOM nodes in the database."),
    Option("DicomScpTimeout", _INTEGER, 30, "Seconds for DICOM clients.", needs="DicomServerEnabled"),
    Option("DicomScuTimeout", _INTEGER, 10, "Seconds for DICOM servers."),
    Option(
        "DicomThreadsCount",
        _INTEGER,
        4,
        "Most requests over DICOM that are answered at the same time.",
        check=at_least_one,
        needs="DicomServerEnabled",
    ),
    Option("DicomEchoChecksFind", _BOOLEAN, False, "C-ECHO is followed by C-FIND.", late=True),
    Option("DicomDefaultRetrieveMethod", _STRING, "C-MOVE", "C-MOVE or C-GET.", check=retrieve_method),
    Option(
        "DicomScuPreferredTransferSyntax",
        _STRING,
        "1.2.840.10008.1.2.1",
        "Proposed first.",
        check=preferred_syntax,
    ),
    Option("TranscodeDicomProtocol", _BOOLEAN, True, "Transcode for DICOM nodes."),
    Option("AcceptedTransferSyntaxes", _STRINGS, ["1.2.840.10008.1.*"], "Accepted over DICOM.", single=True),
    Option("UnknownSopClassAccepted", _BOOLEAN, False, "Accept unknown SOP classes over DICOM."),
    Option("AcceptedSopClasses", _STRINGS, [], "SOP classes accepted over DICOM."),
    Option("RejectedSopClasses", _STRINGS, [], "SOP classes refused over DICOM.", late=True),
    Option("MaximumPduLength", _INTEGER, 16384, "Bytes of a DICOM PDU.", check=pdu_length),
    Option(
        "DicomAssociationCloseDelay",
        _INTEGER,
        5,
        "Seconds before an idle association is closed.",
        honoured=False,
    ),
    Option(
        "BuiltinDecoderTranscoderOrder",
        _STRING,
        "After",
        "Disabled: no pictures, and nothing is transcoded; there are no plug-ins to come before or after.",
        check=one_of("After", "Before", "Disabled"),
    ),
    Option(
        "MaximumConcurrentDcmtkTranscoders",
        _INTEGER,
        0,
        "Most files whose pixels are transcoded at the same time; 0 for one a processor.",
    ),
    Option("DicomTlsEnabled", _BOOLEAN, False, "DICOM over TLS.", needs="DicomServerEnabled"),
    Option("DicomTlsCertificate", _STRING, "", "Certificate of DICOM over TLS.", is_path=True),
    Option("DicomTlsPrivateKey", _STRING, "", "Key of DICOM over TLS.", is_path=True),
    Option("DicomTlsTrustedCertificates", _STRING, "", "Trusted by DICOM over TLS.", is_path=True),
    Option("DicomTlsRemoteCertificateRequired", _BOOLEAN, True, "Ask for certificates."),
    Option("DicomTlsMinimumProtocolVersion", _INTEGER, 0, "Oldest version of TLS.", late=True),
    Option("DicomTlsCiphersAccepted", _STRINGS, [], "Ciphers of DICOM over TLS.", late=True),
    Option("DeidentifyLogs", _BOOLEAN, True, "No names of patients in logs.", honoured=False),
    Option(
        "DeidentifyLogsDicomVersion",
        _STRING,
        "2023b",
        "Table of names to hide.",
        honoured=False,
        check=standard_version,
    ),
)
"""By topic."""
