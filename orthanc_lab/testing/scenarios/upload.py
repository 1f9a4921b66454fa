"""POST /instances: files, archives, forms, and what is refused."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies.files import CHARSETS, FILES, TREE

REFUSED = """
POST /instances
POST /instances @text
POST /instances @zeros
POST /instances @zeros-4
POST /instances @dicm
POST /instances @half
POST /instances @truncated
POST /instances @no-meta
POST /instances @no-study-uid
POST /instances @empty-series-uid
POST /instances @zip-broken
POST /instances @zip-PK
POST /instances PK
POST /instances {}
POST /instances @png8
POST /instances [Content-Encoding: gzip] @a1
POST /instances [Content-Encoding: deflate] @a1-zlib
POST /instances @a1-gzip
GET /statistics
GET /changes
"""

FORMS = """
POST /instances [Content-Type: multipart/form-data; boundary=cut] @multipart
GET /instances
POST /instances [Content-Type: multipart/form-data; boundary=cut] @multipart-bad
POST /instances [Content-Type: multipart/form-data] @multipart
POST /instances [Content-Type: multipart/form-data; boundary=other] @multipart
POST /instances [Content-Type: multipart/form-data; boundary=cut] @a1
GET /statistics
"""

SCENARIOS = [
    Scenario("upload-tree", "\n".join(f"POST /instances @{name}" for name in TREE) + "\nGET /statistics\nGET /changes"),
    Scenario("upload-files", "\n".join(f"POST /instances @{name}" for name in FILES if name != "truncated")),
    Scenario("upload-charsets", "\n".join(f"POST /instances @{name}" for name in CHARSETS)),
    Scenario("upload-refused", REFUSED),
    Scenario("upload-forms", FORMS),
    Scenario(
        "upload-transfer-syntaxes",
        "\n".join(
            f"""
            {name} = POST /instances @{name}
            GET /instances/{{{name}}}/metadata?expand
            GET /instances/{{{name}}}/tags
            GET /instances/{{{name}}}/header
            """
            for name in ("jpip-deflated", "unknown-implicit")
        ),
    ),
    Scenario(
        "upload-again",
        """
        POST /instances @a1
        POST /instances @a1
        a1 = POST /instances @a1-changed
        GET /instances/{a1}/simplified-tags
        POST /instances [Content-Type: application/dicom] @a1
        POST /instances [Expect: 100-continue] @a2
        POST /instances [Content-Encoding: gzip] @a1-gzip
        POST /instances?x=y @a3
        POST /instances @no-patient-id
        GET /patients?expand
        """,
    ),
    Scenario(
        "upload-overwrite",
        """
        a1 = POST /instances @a1
        PUT /instances/{a1}/metadata/1024 kept?
        PUT /instances/{a1}/attachments/1025 kept?
        POST /instances @a1-changed
        GET /instances/{a1}/simplified-tags
        GET /instances/{a1}/metadata
        GET /instances/{a1}/attachments
        GET /patients?expand
        POST /instances @a1-changed
        GET /statistics
        GET /changes
        """,
        options={"OverwriteInstances": True},
    ),
    Scenario(
        "upload-archives",
        """
        POST /instances @zip-tree
        POST /instances @zip-tree
        POST /instances @zip-mixed
        POST /instances @zip-text
        POST /instances @zip-empty
        POST /instances [Content-Type: application/zip] @zip-tree
        GET /statistics
        """,
    ),
    Scenario(
        "upload-compressed",
        """
        a1 = POST /instances @a1
        ct = POST /instances @ct
        GET /instances/{a1}
        GET /instances/{a1}/file
        GET /instances/{ct}/file
        GET /instances/{ct}/attachments
        GET /instances/{ct}/attachments/dicom/is-compressed
        GET /instances/{ct}/attachments/dicom/size
        GET /instances/{ct}/attachments/dicom/data
        GET /instances/{ct}/attachments/dicom/md5
        GET /instances/{ct}/attachments/dicom-until-pixel-data
        GET /instances/{ct}/attachments/dicom-until-pixel-data/data
        GET /instances/{ct}/attachments/dicom-until-pixel-data/info
        GET /instances/{ct}/statistics
        """,
        options={"StorageCompression": True},
    ),
    Scenario(
        "upload-patients-recycled",
        """
        a1, patient:ParentPatient = POST /instances @a1
        PUT /patients/{patient}/protected 1
        POST /instances @d1
        POST /instances @ct
        GET /patients?expand
        POST /instances @mr
        GET /patients?expand
        GET /patients/{patient}/protected
        PUT /patients/{patient}/protected 0
        POST /instances @plan
        GET /patients
        """,
        options={"MaximumPatientCount": 2},
    ),
    Scenario(
        "upload-patients-rejected",
        """
        POST /instances @a1
        POST /instances @d1
        POST /instances @ct
        POST /instances @a2
        POST /instances @zip-tree
        POST /tools/create-dicom {"Tags": {"PatientID": "P1"}}
        POST /tools/create-dicom {"Tags": {"PatientID": "P3"}}
        GET /statistics
        """,
        options={"MaximumPatientCount": 2, "MaximumStorageMode": "Reject"},
    ),
    Scenario(
        "upload-transcoded",
        """
        a1 = POST /instances @a1
        GET /instances/{a1}/metadata?expand
        GET /instances/{a1}/header
        GET /instances/{a1}/file
        mr = POST /instances @mr-big
        GET /instances/{mr}/header
        GET /instances/{mr}/statistics
        rgb = POST /instances @jpeg-rgb
        GET /instances/{rgb}/metadata/TransferSyntax
        POST /instances @a1
        made = POST /tools/create-dicom {"Tags": {"PatientID": "P1"}}
        GET /instances/{made}/metadata/TransferSyntax
        """,
        options={"IngestTranscoding": "1.2.840.10008.1.2"},
    ),
    Scenario(
        "upload-transcoded-zip",
        """
        POST /instances @zip-tree
        instances = GET /instances?expand&full
        """,
        options={"IngestTranscoding": "1.2.840.10008.1.2"},
    ),
    *(
        Scenario(
            f"upload-transcoded-of-{name}",
            """
            a1 = POST /instances @a1
            GET /instances/{a1}/metadata/TransferSyntax
            rgb = POST /instances @jpeg-rgb
            GET /instances/{rgb}/metadata/TransferSyntax
            deflated = POST /instances @a1-deflated
            GET /instances/{deflated}/metadata/TransferSyntax
            """,
            options={"IngestTranscoding": "1.2.840.10008.1.2.2", f"IngestTranscodingOf{option}": False},
        )
        for name, option in (("compressed", "Uncompressed"), ("uncompressed", "Compressed"))
    ),
    Scenario(
        "upload-odd-packages",
        """
        POST /instances [Content-Encoding: gzip] @a1-gzip-twice
        POST /instances [Content-Encoding: gzip] @a1-gzip-junk
        POST /instances @zip-bzip2
        POST /instances @deflated-nothing
        """,
    ),
]
