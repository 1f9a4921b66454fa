"""Attachments: the DICOM file and those of the user."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

DICOM = """
GET /instances/{a1}/attachments
GET /instances/{a1}/attachments?full
GET /instances/{a1}/attachments/dicom
GET /instances/{a1}/attachments/1
GET /instances/{a1}/attachments/dicom/data
GET /instances/{a1}/attachments/dicom/compressed-data
GET /instances/{a1}/attachments/dicom/size
GET /instances/{a1}/attachments/dicom/compressed-size
GET /instances/{a1}/attachments/dicom/md5
GET /instances/{a1}/attachments/dicom/compressed-md5
GET /instances/{a1}/attachments/dicom/is-compressed
GET /instances/{a1}/attachments/dicom/info
GET /instances/{a1}/attachments/dicom/nope
POST /instances/{a1}/attachments/dicom/verify-md5
POST /instances/{a1}/attachments/dicom/compress
GET /instances/{a1}/attachments/dicom/is-compressed
GET /instances/{a1}/attachments/dicom
GET /instances/{a1}/attachments/dicom/size
GET /instances/{a1}/attachments/dicom/md5
GET /instances/{a1}/attachments/dicom/data
GET /instances/{a1}/file
POST /instances/{a1}/attachments/dicom/verify-md5
POST /instances/{a1}/attachments/dicom/uncompress
GET /instances/{a1}/attachments/dicom/is-compressed
GET /instances/{a1}/attachments/dicom/compressed-md5
GET /instances/{a1}/attachments/dicom-until-pixel-data
GET /instances/{a1}/attachments/dicom-until-pixel-data/data
GET /instances/{a1}/attachments/dicom-as-json
GET /instances/{a1}/attachments/nope
GET /instances/{a1}/attachments/nope/data
GET /instances/{a1}/attachments/1024
GET /instances/{a1}/attachments/1024/data
GET /instances/{a1}/attachments/99999/data
GET /instances/nope/attachments
GET /instances/nope/attachments/dicom
GET /instances/nope/attachments/dicom/data
GET /studies/{study}/attachments
GET /studies/{study}/attachments/dicom/data
GET /studies/{a1}/attachments
PUT /instances/{a1}/attachments/dicom @a2
DELETE /instances/{a1}/attachments/dicom
PUT /instances/{a1}/attachments/1023 x
PUT /instances/{a1}/attachments/65536 x
PUT /instances/{a1}/attachments/nope x
PUT /studies/nope/attachments/1024 x
DELETE /studies/nope/attachments/1024
DELETE /instances/{a1}/attachments/1024
POST /instances/{a1}/attachments/1024/compress
POST /instances/nope/attachments/dicom/verify-md5
GET /instances/{a1}/attachments/dicom/compress
"""

RANGES = """
GET /instances/{a1}/attachments/dicom/data [Range: bytes=0-9]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=128-131]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=900-]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=-5]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=0-999999]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=999999-]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=9-3]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=x]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=0-1,4-5]
GET /instances/{a1}/attachments/dicom/data [Range: lines=0-1]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=-0]
GET /instances/{a1}/attachments/dicom/data [Range: bytes=-999999]
GET /instances/{a1}/attachments/dicom/compressed-data [Range: bytes=0-9]
PUT /instances/{a1}/attachments/1025
GET /instances/{a1}/attachments/1025/data [Range: bytes=0-0]
GET /instances/{a1}/attachments/1025/data
"""

USER = """
PUT /studies/{study}/attachments/1025 hello
GET /studies/{study}/attachments/1025/data
GET /studies/{study}/attachments/1025/info
GET /studies/{study}/attachments
GET /studies/{study}/attachments?full
PUT /studies/{study}/attachments/1025 good bye
GET /studies/{study}/attachments/1025/data
PUT /studies/{study}/attachments/notes @pdf
GET /studies/{study}/attachments/notes/data
GET /studies/{study}/attachments/notes/info
GET /studies/{study}/attachments/1100/data
PUT /studies/{study}/attachments/text abc
GET /studies/{study}/attachments/text/data
GET /studies/{study}/attachments/text/data?filename=a.txt
GET /studies/{study}/attachments/text/compressed-data?filename=a.txt
GET /studies/{study}/attachments/text/data [If-None-Match: "0-900150983cd24fb0d6963f7d28e17f72"]
POST /studies/{study}/attachments/text/verify-md5
PUT /studies/{study}/attachments/text [If-Match: nonsense] new
PUT /studies/{study}/attachments/text [If-Match: "0-900150983cd24fb0d6963f7d28e17f72"] new
GET /studies/{study}/attachments
GET /studies/{study}/statistics
DELETE /studies/{study}/attachments/text
DELETE /studies/{study}/attachments/text
GET /studies/{study}/attachments/text/data
GET /statistics
GET /changes
"""

_ODD_RANGES = (
    *("bytes=+130-131", "bytes=130-+131", "bytes=--131", "bytes=3-5-7", "bytes=0-0,1-1", "bytes=3-5,", "bytes =3-5"),
    *("bytes= 3 - 5", "bytes=a-3", "bytes=3-a", "bytes=0x3-5", "bytes=1-0", "bytes", "byte=0-0", "Bytes=0-0"),
    *("bytes=18446744073709551615-", "bytes=18446744073709551616-", "bytes=0-9999999999999999999"),
)


def _odd_ranges() -> str:
    return "\n".join(
        f"GET /instances/{resource}/data [Range: {value}]"
        for resource in (
            "{a1}/attachments/dicom",
            "{a1}/attachments/1024",
            "{a1}/attachments/nope",
            "nope/attachments/1",
        )
        for value in _ODD_RANGES
    )


_LARGE = "PUT /{}/attachments/1025 @large-0"
ROOM = f"""
a, p0:ParentPatient = POST /instances @large-0
b, p1:ParentPatient, study:ParentStudy = POST /instances @large-1
c, p2:ParentPatient = POST /instances @large-2
{_LARGE.format("instances/{a}")}
GET /patients
{_LARGE.format("instances/{a}")}
PUT /instances/{{a}}/attachments/1026 @large-5
{_LARGE.format("studies/{study}")}
GET /patients
PUT /patients/{{p2}}/protected 1
{_LARGE.format("patients/{p2}")}
GET /patients
PUT /patients/{{p2}}/attachments/1026 @large-1
PUT /patients/{{p2}}/attachments/1027 @large-1
GET /patients
GET /statistics
GET /changes
"""
UNPACKED = """
a, p0:ParentPatient = POST /instances @large-0
PUT /instances/{a}/attachments/1024 @large-0
POST /instances/{a}/attachments/1024/compress
POST /instances/{a}/attachments/dicom/compress
POST /instances @large-1
POST /instances @large-2
POST /instances @large-3
GET /patients
POST /instances/{a}/attachments/1024/uncompress
GET /patients
POST /instances/{a}/attachments/dicom/uncompress
GET /patients
GET /statistics
"""
REJECTED = """
a = POST /instances @large-0
PUT /instances/{a}/attachments/1025 @large-0
PUT /instances/{a}/attachments/1026 @large-0
PUT /instances/{a}/attachments/1027 @large-0
PUT /instances/{a}/attachments/1026 @a1
PUT /instances/{a}/attachments/1027 @large-0
GET /statistics
"""
REJECTED_WITH_OTHERS = """
a = POST /instances @large-0
POST /instances @large-1
POST /instances @large-2
PUT /instances/{a}/attachments/1025 @large-0
GET /patients
"""
COMPRESSED_RANGES = "\n".join(
    f"GET /instances/{{a1}}/attachments/1024/{data} [Range: {range}]"
    for data in ("data", "compressed-data")
    for range in (
        "bytes=0-0",
        "bytes=4-",
        "bytes=5-",
        "bytes=13-",
        "bytes=22-",
        "bytes=99-",
        "bytes=99-100",
        "bytes=-99",
    )
)

_COMPRESSED_TWICE = "".join(
    f"""
{first}
POST /instances/{{a1}}/attachments/{attachment}/{what}
POST /instances/{{a1}}/attachments/{attachment}/{what}
GET /instances/{{a1}}/attachments/{attachment}/info
GET /changes?last
"""
    for attachment, first in (
        ("1025", "PUT /instances/{a1}/attachments/1025 text"),
        ("1026", "PUT /instances/{a1}/attachments/1026"),
        ("dicom", "GET /statistics"),
    )
    for what in ("compress", "uncompress")
)

SCENARIOS = [
    Scenario(
        "attachments-xml",
        """
        PUT /instances/{a1}/attachments/1025 [Accept: application/xml] text
        POST /instances/{a1}/attachments/1025/compress [Accept: application/xml]
        POST /instances/{a1}/attachments/1025/uncompress [Accept: application/xml]
        POST /instances/{a1}/attachments/1025/verify-md5 [Accept: application/xml]
        job = POST /instances/{a1}/archive {"Asynchronous": true}
        POST /jobs/{job}/cancel [Accept: application/xml]
        """,
        "a1 = POST /instances @a1",
    ),
    Scenario("attachments-compressed-twice", _COMPRESSED_TWICE, "a1 = POST /instances @a1"),
    Scenario(
        "attachments-compressed-at-once",
        _COMPRESSED_TWICE,
        "a1 = POST /instances @a1",
        options={"StorageCompression": True},
    ),
    Scenario("attachments-recycling", ROOM, options={"MaximumStorageSize": 1}),
    Scenario("attachments-recycling-unpacked", UNPACKED, options={"MaximumStorageSize": 1}),
    Scenario("attachments-rejected", REJECTED, options={"MaximumStorageSize": 1, "MaximumStorageMode": "Reject"}),
    Scenario(
        "attachments-rejected-with-others",
        REJECTED_WITH_OTHERS,
        options={"MaximumStorageSize": 1, "MaximumStorageMode": "Reject"},
    ),
    Scenario(
        "attachments-compressed-ranges",
        COMPRESSED_RANGES,
        TREE + "PUT /instances/{a1}/attachments/1024 hello\nPOST /instances/{a1}/attachments/1024/compress",
    ),
    Scenario("attachments-dicom", DICOM, TREE),
    Scenario("attachments-ranges", RANGES, TREE),
    Scenario("attachments-odd-ranges", _odd_ranges(), TREE),
    Scenario(
        "attachments-user",
        USER,
        TREE,
        options={"UserContentType": {"notes": [1100, "application/pdf"], "text": 1200}},
    ),
]
