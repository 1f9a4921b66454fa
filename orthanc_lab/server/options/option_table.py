"""The table of options: every option of Orthanc's configuration that this server knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.rest.resources.numbered_names import ATTACHMENT_NUMBERS
from orthanc_lab.server.options.bucket_options import BUCKET_OPTIONS
from orthanc_lab.server.options.cluster_option import CLUSTER_NAMES, check_cluster
from orthanc_lab.server.options.dicom_options import DICOM_OPTIONS
from orthanc_lab.server.options.option import (
    Kind,
    Option,
    at_least_one,
    known_syntax,
    not_empty,
    numbered,
    one_of,
    percentage,
    port,
    threads,
    warning_names,
)
from orthanc_lab.server.options.postgresql_option import POSTGRESQL_NAMES, check_postgresql
from orthanc_lab.server.options.transfers_option import TRANSFERS_NAMES, check_transfers
from orthanc_lab.storage.metadata_names import METADATA_NUMBERS

__all__ = ["OPTIONS", "without_unset"]

_BOOLEAN, _INTEGER, _STRING, _STRINGS, _OBJECT = Kind

_STORAGE = (
    Option("Name", _STRING, "", "Name of the server, shown in /system.", late=True),
    Option("StorageDirectory", _STRING, "OrthancStorage", "Folder of the stored files.", is_path=True),
    Option(
        "IndexDirectory",
        _STRING,
        None,
        "Folder of the index; the folder of the files if not set.",
        optional=True,
        is_path=True,
    ),
    Option(
        "TemporaryDirectory",
        _STRING,
        None,
        "Folder of temporary files; the system's if not set.",
        optional=True,
        late=True,
    ),
    Option(
        "StorageCompression", _BOOLEAN, False, "Compress the stored files (zlib).", storage_field="storage_compression"
    ),
    Option(
        "MaximumStorageSize",
        _INTEGER,
        0,
        "Most megabytes in the storage; 0 for no limit.",
        storage_field="maximum_storage_size",
        late=True,
    ),
    Option(
        "MaximumPatientCount",
        _INTEGER,
        0,
        "Most patients in the storage; 0 for no limit.",
        storage_field="maximum_patient_count",
        late=True,
    ),
    Option(
        "MaximumStorageMode",
        _STRING,
        "Recycle",
        "When the storage is full, Recycle deletes the oldest patients, Reject refuses the upload.",
        check=one_of("Recycle", "Reject"),
        storage_field="maximum_storage_mode",
    ),
    Option(
        "MaximumStorageCacheSize",
        _INTEGER,
        128,
        "Megabytes of files kept in memory; 0 for none.",
        storage_field="maximum_cache_size",
        late=True,
    ),
    Option(
        "MaximumUnpackedSize",
        _INTEGER,
        512,
        "Megabytes that requests may unpack at the same time (compressed uploads, pictures, deflated files); "
        "0 for no limit. Not an option of Orthanc.",
    ),
    Option(
        "OverwriteInstances",
        _BOOLEAN,
        False,
        "An upload replaces an instance that is stored already.",
        storage_field="overwrite_instances",
    ),
    Option(
        "StableAge",
        _INTEGER,
        60,
        "Seconds without change after which a resource is stable.",
        storage_field="stable_age",
    ),
    Option(
        "StoreDicom",
        _BOOLEAN,
        True,
        "Keep the DICOM files; without it the index alone, and the last files in memory.",
        storage_field="store_dicom",
    ),
    Option(
        "PostgreSQL",
        _OBJECT,
        {},
        "The database that has the index, and may be shared by several servers, as for Orthanc's plug-in.",
        check=check_postgresql,
        names=POSTGRESQL_NAMES,
    ),
    Option("StoreMD5ForAttachments", _BOOLEAN, True, "Keep the MD5 of each file.", storage_field="store_md5"),
    Option(
        "SyncStorageArea",
        _BOOLEAN,
        True,
        "Ask the disk to write each file down before the upload is answered.",
        storage_field="sync_storage_area",
    ),
    Option(
        "IngestTranscoding",
        _STRING,
        None,
        "Transfer syntax that files are brought to before they are stored.",
        optional=True,
        check=known_syntax,
        storage_field="ingest_transcoding",
    ),
    Option(
        "IngestTranscodingOfUncompressed",
        _BOOLEAN,
        True,
        "Do so with files that come uncompressed.",
        storage_field="ingest_transcoding_of_uncompressed",
        late=True,
    ),
    Option(
        "IngestTranscodingOfCompressed",
        _BOOLEAN,
        True,
        "Do so with files that come compressed.",
        storage_field="ingest_transcoding_of_compressed",
        late=True,
    ),
    Option(
        "DicomLossyTranscodingQuality",
        _INTEGER,
        90,
        "Quality of lossy JPEG, 1 to 100.",
        check=percentage,
        storage_field="lossy_quality",
    ),
    Option("ReadOnly", _BOOLEAN, False, "Nothing in the database can be changed."),
    Option(
        "UserMetadata",
        _OBJECT,
        {},
        "Names of metadata with their numbers.",
        check=numbered("metadata", METADATA_NUMBERS),
        nullable=True,
        storage_field="user_metadata",
    ),
    Option(
        "UserContentType",
        _OBJECT,
        {},
        "Names of attachments with their numbers.",
        check=numbered("attachment type", ATTACHMENT_NUMBERS, typed=True),
        nullable=True,
    ),
    Option("ExtraMainDicomTags", _OBJECT, {}, "Further tags that the index keeps, for each level.", late=True),
    Option("CheckRevisions", _BOOLEAN, False, "Changing metadata or attachments requires their revision."),
    Option(
        "DatabaseServerIdentifier",
        _STRING,
        None,
        "Identifier of the server, shown in /system.",
        optional=True,
        check=not_empty,
    ),
    Option(
        "LogExportedResources",
        _BOOLEAN,
        False,
        "List what was sent elsewhere in /exports.",
        storage_field="log_exported_resources",
        late=True,
    ),
)

_JOBS = (
    Option("ConcurrentJobs", _INTEGER, 2, "Jobs that run at the same time; 0 for one a processor."),
    Option(
        "JobsEngineThreadsCount",
        _OBJECT,
        {"ResourceModification": 1},
        "Instances that a modification or anonymization makes at the same time; 0 for one a processor.",
        check=threads,
        names=("ResourceModification",),
    ),
    Option("JobsHistorySize", _INTEGER, 10, "Ended jobs that are kept."),
    Option(
        "JobsEventsSize",
        _INTEGER,
        100_000,
        "Events of jobs that are kept in memory, some 140 bytes each; 0 for none. Not an option of Orthanc.",
    ),
    Option(
        "Cluster",
        _OBJECT,
        {},
        "Several servers on one PostgreSQL: after LeaseDuration (3 seconds) without a sign of life, the others go on"
        " with the jobs of a server. Not an option of Orthanc.",
        check=check_cluster,
        names=CLUSTER_NAMES,
    ),
    Option("SaveJobs", _BOOLEAN, True, "The list of jobs survives a restart."),
    Option("MediaArchiveSize", _INTEGER, 1, "Finished archives that are kept for download.", check=at_least_one),
    Option("SynchronousCMove", _BOOLEAN, True, "C-MOVE waits for the end of its transfers.", late=True),
    Option("SynchronousZipStream", _BOOLEAN, True, "An archive is sent while it is made.", late=True),
    Option("ZipLoaderThreads", _INTEGER, 0, "Threads that prepare the files of an archive; 0 = processors.", late=True),
)

_HTTP = (
    Option("HttpServerEnabled", _BOOLEAN, True, "Serve the REST API."),
    Option("HttpPort", _INTEGER, 8042, "Port of the REST API; 0 for any free one.", check=port),
    Option("HttpDescribeErrors", _BOOLEAN, True, "Errors are described in the body of the answer."),
    Option("HttpCompressionEnabled", _BOOLEAN, False, "Compress answers of JSON, XML, HTML and text."),
    Option("KeepAlive", _BOOLEAN, True, "Connections stay open for further requests."),
    Option("KeepAliveTimeout", _INTEGER, 1, "Seconds an idle connection stays open."),
    Option("TcpNoDelay", _BOOLEAN, True, "Send small answers at once."),
    Option(
        "HttpBindAddresses",
        _STRINGS,
        [],
        "IP addresses to listen on; if empty, 127.0.0.1, or 0.0.0.0 with remote access (an option of newer Orthancs).",
    ),
    Option(
        "HttpConnectionsPerAddress",
        _INTEGER,
        512,
        "Most connections of one client address; 0 for no such limit (an option of orthanc-lab).",
    ),
    Option(
        "HttpAllowedOrigins",
        _STRINGS,
        [],
        "Origins of web pages that may change data, such as https://viewer.example (an option of orthanc-lab).",
    ),
    Option(
        "HttpThreadsCount", _INTEGER, 50, "Threads for requests; here they are made on demand.", False, at_least_one
    ),
    Option(
        "HttpRequestTimeout",
        _INTEGER,
        30,
        "Seconds without progress after which a client is disconnected.",
        check=at_least_one,
    ),
    Option("RemoteAccessAllowed", _BOOLEAN, False, "Serve clients on other machines."),
    Option("AuthenticationEnabled", _BOOLEAN, None, "Ask for a password; on with remote access.", optional=True),
    Option("RegisteredUsers", _OBJECT, {}, "Names and passwords of the users."),
    Option("SslEnabled", _BOOLEAN, False, "Serve HTTPS."),
    Option(
        "SslCertificate",
        _STRING,
        "certificate.pem",
        "File with the private key and the certificate, in PEM.",
        is_path=True,
        needs="SslEnabled",
    ),
    Option(
        "SslMinimumProtocolVersion", _INTEGER, 4, "Oldest version: 4 for TLS 1.2, 5 for TLS 1.3.", needs="SslEnabled"
    ),
    Option(
        "SslCiphersAccepted",
        _STRINGS,
        None,
        "Ciphers of HTTPS up to TLS 1.2, by their names in OpenSSL.",
        optional=True,
        needs="SslEnabled",
    ),
    Option("SslVerifyPeers", _BOOLEAN, False, "Clients must show a certificate that is trusted."),
    Option(
        "SslTrustedClientCertificates",
        _STRING,
        "trustedClientCertificates.pem",
        "Trusted certificates, in PEM.",
        is_path=True,
        needs="SslEnabled",
    ),
    Option("HttpsVerifyPeers", _BOOLEAN, True, "Check the certificates of servers that are called."),
    Option(
        "HttpsCACertificates",
        _STRING,
        "",
        "Certificates trusted for that, in PEM; the usual ones if empty.",
        is_path=True,
    ),
    Option("HttpTimeout", _INTEGER, 60, "Seconds for a call to another server; 0 for no limit."),
    Option("HttpProxy", _STRING, "", "Proxy for calls to other servers."),
    Option("HttpVerbose", _BOOLEAN, False, "Log calls to other servers in detail, without passwords."),
    Option("OrthancExplorerEnabled", _BOOLEAN, True, "Serve the built-in page."),
    Option("WebDavEnabled", _BOOLEAN, True, "Serve WebDAV at /webdav."),
    Option("WebDavDeleteAllowed", _BOOLEAN, False, "Allow to delete through WebDAV."),
    Option("WebDavUploadAllowed", _BOOLEAN, True, "Allow uploads through WebDAV."),
    Option("ExecuteLuaEnabled", _BOOLEAN, False, "Allow clients to run Lua scripts.", honoured=False),
    Option("RestApiWriteToFileSystemEnabled", _BOOLEAN, False, "Allow /instances/{id}/export to write files."),
    Option("MetricsEnabled", _BOOLEAN, True, "Record metrics for Prometheus."),
    Option("OrthancPeers", _OBJECT, {}, "Other Orthanc servers: name, and [URL, user, password] or an object."),
    Option("OrthancPeersInDatabase", _BOOLEAN, False, "Keep the peers in the database."),
    Option(
        "Transfers",
        _OBJECT,
        {},
        "How transfers to and from peers are cut and sent.",
        check=check_transfers,
        names=TRANSFERS_NAMES,
    ),
)

_SEARCH = (
    Option(
        "StorageAccessOnFind",
        _STRING,
        "Always",
        "Whether a search may read the stored files.",
        check=one_of("Always", "Never", "Answers"),
    ),
    Option("LimitFindResults", _INTEGER, 0, "Most answers of a search above instances; 0 for no limit."),
    Option("LimitFindInstances", _INTEGER, 0, "Most instances that a search finds; 0 for no limit."),
    Option("CaseSensitivePN", _BOOLEAN, False, "C-FIND: names respect the case.", late=True),
    Option("QueryRetrieveSize", _INTEGER, 100, "DICOM queries that are kept.", check=at_least_one),
    Option("StorageCommitmentReportsSize", _INTEGER, 100, "Storage commitments that are kept."),
)

_EXTENSIONS = (
    Option("Plugins", _STRINGS, [], "Plug-ins of Orthanc.", honoured=False),
    Option(
        "Extensions",
        _STRINGS,
        [],
        "Extensions in Python: files (halve.py), objects (package.module:name), or names of entry points of installed "
        "packages (an option of orthanc-lab).",
    ),
    Option("LuaScripts", _STRINGS, [], "Lua scripts.", honoured=False),
    Option("LuaHeartBeatPeriod", _INTEGER, 0, "Seconds between two calls of a Lua script.", honoured=False),
    Option("Locale", _STRING, "", "Locale of texts, which are Unicode here.", honoured=False),
    Option("MallocArenaMax", _INTEGER, 5, "Memory pools of the C library.", honoured=False),
    Option("Warnings", _OBJECT, {}, "Which of the warnings W001 … W007 are logged.", check=warning_names),
)

_GROUPS = (_STORAGE, BUCKET_OPTIONS, _JOBS, _HTTP, _SEARCH, DICOM_OPTIONS, _EXTENSIONS)
OPTIONS: dict[str, Option] = {option.name: option for group in _GROUPS for option in group}
"""All options by name."""


def without_unset(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without those that a program sets to None for "not set"; in a file, Orthanc refuses ``null``."""
    return {
        name: value
        for name, value in options.items()
        if value is not None or name not in OPTIONS or not OPTIONS[name].optional
    }
