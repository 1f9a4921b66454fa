"""The options of DICOM: dictionaries and character sets, and the network, which is not available yet."""

from __future__ import annotations

from orthanc_lab.server.options.option import (
    Kind,
    Option,
    at_least_one,
    one_of,
    pdu_length,
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
    Option("DicomPort", _INTEGER, 4242, "Port of DICOM over TCP."),
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
        honoured=False,
        needs="DicomServerEnabled",
    ),
    Option("StrictAetComparison", _BOOLEAN, False, "Titles respect the case.", honoured=False, late=True),
    Option("DicomCheckModalityHost", _BOOLEAN, False, "Check the address of modalities.", honoured=False, late=True),
    Option(
        "DicomAlwaysAllowEcho", _BOOLEAN, True, "Answer C-ECHO of anybody.", honoured=False, needs="DicomServerEnabled"
    ),
    Option(
        "DicomAlwaysAllowStore",
        _BOOLEAN,
        True,
        "Accept C-STORE of anybody.",
        honoured=False,
        needs="DicomServerEnabled",
    ),
    Option(
        "DicomAlwaysAllowFind", _BOOLEAN, False, "Answer C-FIND of anybody.", honoured=False, needs="DicomServerEnabled"
    ),
    Option(
        "DicomAlwaysAllowFindWorklist",
        _BOOLEAN,
        False,
        "Answer worklist queries of anybody.",
        honoured=False,
        needs="DicomServerEnabled",
    ),
    Option(
        "DicomAlwaysAllowGet", _BOOLEAN, False, "Answer C-GET of anybody.", honoured=False, needs="DicomServerEnabled"
    ),
    Option(
        "DicomAlwaysAllowMove", _BOOLEAN, False, "Answer C-MOVE of anybody.", honoured=False, needs="DicomServerEnabled"
    ),
    Option("DicomModalities", _OBJECT, {}, "DICOM nodes."),
    Option("DicomModalitiesInDatabase", _BOOLEAN, False, "Keep the DICOM nodes in the database."),
    Option("DicomScpTimeout", _INTEGER, 30, "Seconds for DICOM clients.", honoured=False, needs="DicomServerEnabled"),
    Option("DicomScuTimeout", _INTEGER, 10, "Seconds for DICOM servers."),
    Option(
        "DicomThreadsCount",
        _INTEGER,
        4,
        "Threads of the DICOM server.",
        honoured=False,
        check=at_least_one,
        needs="DicomServerEnabled",
    ),
    Option("DicomEchoChecksFind", _BOOLEAN, False, "C-ECHO is followed by C-FIND.", late=True),
    Option("DicomDefaultRetrieveMethod", _STRING, "C-MOVE", "C-MOVE or C-GET.", honoured=False, check=retrieve_method),
    Option(
        "DicomScuPreferredTransferSyntax",
        _STRING,
        "1.2.840.10008.1.2.1",
        "Proposed first.",
        check=preferred_syntax,
    ),
    Option("TranscodeDicomProtocol", _BOOLEAN, True, "Transcode for DICOM nodes."),
    Option("AcceptedTransferSyntaxes", _STRINGS, ["1.2.840.10008.1.*"], "Accepted over DICOM.", honoured=False),
    Option("UnknownSopClassAccepted", _BOOLEAN, False, "Accept unknown SOP classes over DICOM."),
    Option("AcceptedSopClasses", _STRINGS, [], "SOP classes accepted over DICOM.", honoured=False),
    Option("RejectedSopClasses", _STRINGS, [], "SOP classes refused over DICOM.", honoured=False, late=True),
    Option("MaximumPduLength", _INTEGER, 16384, "Bytes of a DICOM PDU.", honoured=False, check=pdu_length),
    Option(
        "BuiltinDecoderTranscoderOrder",
        _STRING,
        "After",
        "Order of decoders and plug-ins.",
        honoured=False,
        check=one_of("After", "Before", "Disabled"),
    ),
    Option(
        "MaximumConcurrentDcmtkTranscoders",
        _INTEGER,
        0,
        "Most files whose pixels are transcoded at the same time; 0 for one a processor.",
    ),
    Option("DicomTlsEnabled", _BOOLEAN, False, "DICOM over TLS.", honoured=False, needs="DicomServerEnabled"),
    Option("DicomTlsCertificate", _STRING, "", "Certificate of DICOM over TLS.", honoured=False),
    Option("DicomTlsPrivateKey", _STRING, "", "Key of DICOM over TLS.", honoured=False),
    Option("DicomTlsTrustedCertificates", _STRING, "", "Trusted by DICOM over TLS.", honoured=False),
    Option("DicomTlsRemoteCertificateRequired", _BOOLEAN, True, "Ask for certificates.", honoured=False),
    Option("DicomTlsMinimumProtocolVersion", _INTEGER, 0, "Oldest version of TLS.", honoured=False, late=True),
    Option("DicomTlsCiphersAccepted", _STRINGS, [], "Ciphers of DICOM over TLS.", honoured=False, late=True),
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
