"""Options that change answers and have no area of their own."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

SCENARIOS = [
    Scenario(
        "configurations-all-off",
        """
        GET /system
        GET /
        GET /tools/metrics
        GET /tools/metrics-prometheus
        POST /instances @a1
        GET /statistics
        GET /app/explorer.html
        """,
        options={
            "MetricsEnabled": False,
            "OrthancExplorerEnabled": False,
            "SaveJobs": False,
            "StoreMD5ForAttachments": False,
            "MaximumStorageCacheSize": 0,
            "Name": "off",
        },
    ),
    Scenario(
        "configurations-index-only",
        """
        GET /instances/{a1}
        GET /instances/{a1}/attachments
        GET /instances/{a1}/attachments/dicom/info
        GET /instances/{a1}/metadata?expand
        GET /instances/{a1}/tags
        GET /instances/{a1}/simplified-tags
        GET /instances/{a1}/file
        GET /instances/{a1}/attachments/dicom/data
        POST /instances/{a1}/attachments/dicom/verify-md5
        PUT /instances/{a1}/attachments/1024 text
        GET /instances/{a1}/attachments/1024/data
        GET /studies/{study}/archive
        GET /statistics
        GET /instances/{a1}/statistics
        POST /tools/find {"Level": "Instance", "Query": {"Rows": "*"}, "Expand": true}
        POST /studies/{study}/anonymize {}
        DELETE /instances/{a1}
        GET /instances/{a1}/file
        GET /statistics
        """,
        TREE,
        options={"StoreDicom": False},
    ),
    Scenario(
        "configurations-writing-files",
        """
        POST /instances/{a1}/export /dev/null
        POST /instances/{a1}/export /nonexistent/x.dcm
        POST /instances/{a1}/export /dev
        POST /instances/{a1}/export
        POST /instances/nope/export /dev/null
        POST /studies/{study}/export /dev/null
        POST /series/{series}/export /dev/null
        POST /patients/{patient}/export /dev/null
        GET /instances/{a1}/export
        """,
        TREE,
        options={"RestApiWriteToFileSystemEnabled": True},
    ),
    Scenario(
        "configurations-without-md5",
        """
        GET /instances/{a1}/attachments/dicom/md5
        GET /instances/{a1}/attachments/dicom/compressed-md5
        GET /instances/{a1}/attachments/dicom/info
        POST /instances/{a1}/attachments/dicom/verify-md5
        GET /instances/{a1}/attachments/dicom/data
        """,
        TREE,
        options={"StoreMD5ForAttachments": False},
    ),
    Scenario(
        "configurations-no-decoder",
        """
        GET /instances/{ct}/preview
        GET /instances/{ct}/preview?returnUnsupportedImage
        GET /instances/{ct}/rendered [Accept: image/jpeg]
        GET /instances/{ct}/image-uint16
        GET /instances/{ct}/matlab
        GET /instances/{ct}/numpy
        GET /instances/{ct}/frames/0/raw
        GET /instances/{ct}/file
        GET /instances/{ct}/file?transcode=1.2.840.10008.1.2
        GET /instances/{ct}/file?transcode=1.2.840.10008.1.2.1
        GET /instances/{plan}/file?transcode=1.2.840.10008.1.2.1
        GET /instances/{rle}/numpy
        GET /series/{series}/archive?transcode=1.2.840.10008.1.2
        POST /instances/{ct}/modify {"Transcode": "1.2.840.10008.1.2"}
        POST /instances/{ct}/modify {"Transcode": "1.2.840.10008.1.2.1"}
        new:ID = POST /series/{series}/modify {"Transcode": "1.2.840.10008.1.2"}
        GET /series/{new}/archive
        """,
        "ct, series:ParentSeries = POST /instances @ct\nplan = POST /instances @plan\nrle = POST /instances @mr-rle",
        options={"BuiltinDecoderTranscoderOrder": "Disabled"},
    ),
    Scenario(
        "configurations-no-transcoder",
        "ct = POST /instances @ct\nGET /instances/{ct}/metadata/TransferSyntax\nGET /instances/{ct}/file",
        options={"BuiltinDecoderTranscoderOrder": "Disabled", "IngestTranscoding": "1.2.840.10008.1.2.4.70"},
    ),
    Scenario(
        "configurations-lossy-without-a-class",
        """
        file = POST /tools/create-dicom {"Tags": {"PatientID": "1"}, "Content": "data:image/png;base64,{b64:png8}"}
        GET /instances/{file}/file
        """,
        options={"IngestTranscoding": "1.2.840.10008.1.2.4.50"},
    ),
    Scenario(
        "configurations-private-tags-transcoded",
        "\n".join(f"GET /instances/{{file}}/file?transcode=1.2.840.10008.1.2.{syntax}" for syntax in ("1", "2", "1.99"))
        + """
        POST /instances/{file}/modify {"Replace": {"PatientName": "x"}, "Transcode": "1.2.840.10008.1.2.1"}
        GET /series/{series}/archive?transcode=1.2.840.10008.1.2.1
        """,
        "file, series:ParentSeries = POST /instances @private-implicit",
        options={
            "Dictionary": {
                "0405,1001": ["ST", "MyText", 1, 1, "My Company"],
                "0405,1002": ["US", "MyNumber", 1, 1, "My Company"],
                "0405,1003": ["SQ", "MySequence", 1, 1, "My Company"],
            }
        },
    ),
    Scenario(
        "configurations-private-tags-ingested",
        """
        file = POST /instances @private-implicit
        GET /instances/{file}/file
        GET /instances/{file}/metadata?expand
        """,
        options={
            "Dictionary": {"0405,1001": ["ST", "MyText", 1, 1, "My Company"]},
            "IngestTranscoding": "1.2.840.10008.1.2.1",
        },
    ),
    Scenario(
        "configurations-private-tags-in-main-sequences",
        """
        file = POST /instances @private-items-implicit
        GET /instances/{file}/metadata?expand
        GET /instances/{file}/metadata/MainDicomSequences
        GET /instances/{file}?requestedTags=ReferencedImageSequence
        GET /instances/{file}?full
        """,
        options={
            "Dictionary": {"0405,1001": ["ST", "MyText", 1, 1, "My Company"]},
            "ExtraMainDicomTags": {"Instance": ["ReferencedImageSequence"]},
        },
    ),
    Scenario(
        "configurations-stable-at-once",
        """
        one, study:ParentStudy = POST /instances @a1
        GET /studies/{study}
        PUT /studies/{study}/metadata/mine x
        GET /studies/{study}/metadata?expand
        GET /system
        """,
        options={"StableAge": 600, "UserMetadata": {"mine": 1024}},
    ),
    Scenario(
        "configurations-peers-and-modalities",
        """
        GET /peers
        GET /peers?expand
        GET /peers/plain
        GET /peers/plain/configuration
        GET /peers/full/configuration
        GET /modalities
        GET /modalities?expand
        GET /modalities/short
        GET /modalities/short/configuration
        GET /modalities/long/configuration
        """,
        options={
            "OrthancPeers": {
                "plain": ["http://127.0.0.1:1/"],
                "user": ["http://127.0.0.1:1", "alice", "secret"],
                "full": {"Url": "http://127.0.0.1:1", "HttpHeaders": {"Token": "x"}, "Timeout": 42},
            },
            "DicomModalities": {
                "short": ["A", "127.0.0.1", 104],
                "long": {"AET": "B", "Host": "127.0.0.1", "Port": 105, "Manufacturer": "GE", "AllowEcho": False},
            },
        },
    ),
    Scenario(
        "configurations-certificates-away",
        """
        GET /peers?expand
        GET /peers/away/system
        POST /peers/away/store {a1}
        PUT /peers/other {"Url": "http://127.0.0.1:1", "CertificateFile": "/nonexistent.pem"}
        GET /peers
        """,
        "a1 = POST /instances @a1",
        options={"OrthancPeers": {"away": {"Url": "http://127.0.0.1:1", "CertificateFile": "/nonexistent.pem"}}},
    ),
    Scenario(
        "configurations-odd-values",
        """
        GET /system
        GET /tools/accepted-transfer-syntaxes
        POST /instances @a1
        POST /instances @d1
        GET /patients
        """,
        options={
            "MaximumPatientCount": 1,
            "AcceptedTransferSyntaxes": "1.2.840.10008.1.2.4.*",
            "UserMetadata": None,
            "UserContentType": None,
        },
    ),
    Scenario(
        "configurations-extra-tags-without-values",
        "\n".join(
            f"GET /{resource}?requestedTags={tags}"
            for resource in ("patients/{patient}", "studies/{study}", "series/{series}", "instances/{a1}")
            for tags in ("PatientComments", "PatientAge", "BodyPartExamined;Rows", "ImageType", "EthnicGroup")
        )
        + '\nPOST /tools/find {"Level": "Study", "Query": {}, "Expand": true, "RequestedTags": ["PatientComments"]}',
        "a1, patient:ParentPatient, study:ParentStudy, series:ParentSeries = POST /instances @a1",
        options={
            "ExtraMainDicomTags": {
                "Patient": ["PatientComments"],
                "Study": ["PatientAge"],
                "Series": ["BodyPartExamined"],
                "Instance": ["ImageType"],
            }
        },
    ),
    Scenario(
        "configurations-exports-logged",
        "GET /exports\nDELETE /exports\nGET /exports",
        TREE,
        options={"LogExportedResources": True},
    ),
]
