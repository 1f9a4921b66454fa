"""Metadata at the four levels."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

SYSTEM = """
GET /instances/{a1}/metadata
GET /instances/{a1}/metadata?expand
GET /instances/{a1}/metadata?expand&numeric
GET /instances/{a1}/metadata?numeric
GET /series/{series}/metadata?expand&numeric
GET /studies/{study}/metadata?expand&numeric
GET /patients/{patient}/metadata?expand&numeric
GET /instances/{a1}/metadata/IndexInSeries
GET /instances/{a1}/metadata/ReceptionDate
GET /instances/{a1}/metadata/RemoteAET
GET /instances/{a1}/metadata/Origin
GET /instances/{a1}/metadata/TransferSyntax
GET /instances/{a1}/metadata/SopClassUid
GET /instances/{a1}/metadata/RemoteIP
GET /instances/{a1}/metadata/CalledAET
GET /instances/{a1}/metadata/HttpUsername
GET /instances/{a1}/metadata/HttpHost
GET /instances/{a1}/metadata/PixelDataOffset
GET /instances/{a1}/metadata/PixelDataVR
GET /instances/{a1}/metadata/MainDicomTagsSignature
GET /instances/{a1}/metadata/MainDicomSequences
GET /instances/{a1}/metadata/2
GET /instances/{a1}/metadata/AnonymizedFrom
GET /instances/{a1}/metadata/Nope
GET /instances/{a1}/metadata/99999
GET /instances/{a1}/metadata/-1
GET /instances/{a1}/metadata/0
GET /series/{series}/metadata/ExpectedNumberOfInstances
GET /series/{series}/metadata/LastUpdate
GET /studies/nope/metadata/LastUpdate
GET /studies/nope/metadata
GET /studies/{series}/metadata
PUT /instances/{a1}/metadata/IndexInSeries 3
PUT /studies/{study}/metadata/LastUpdate 2020
DELETE /instances/{a1}/metadata/Origin
DELETE /studies/{study}/metadata/AnonymizedFrom
PUT /instances/{a1}/metadata/1023 x
PUT /instances/{a1}/metadata/65536 x
PUT /instances/{a1}/metadata/Nope x
PUT /studies/nope/metadata/1024 x
DELETE /studies/nope/metadata/1024
DELETE /studies/{study}/metadata/Nope
DELETE /studies/{study}/metadata/1024
"""

USER = """
PUT /{level}/{id}/metadata/1024 hello
GET /{level}/{id}/metadata/1024
GET /{level}/{id}/metadata
PUT /{level}/{id}/metadata/1024 [If-Match: nonsense] bye
PUT /{level}/{id}/metadata/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"] bye
GET /{level}/{id}/metadata/1024
PUT /{level}/{id}/metadata/mine
GET /{level}/{id}/metadata/mine
GET /{level}/{id}/metadata/1030
PUT /{level}/{id}/metadata/mine été
GET /{level}/{id}/metadata?expand
GET /{level}/{id}/metadata/1024 [If-None-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"]
DELETE /{level}/{id}/metadata/1024
DELETE /{level}/{id}/metadata/1024
GET /{level}/{id}/metadata/1024
"""

NO_PREAMBLE = """
plain = POST /instances @no-preamble
GET /instances/{plain}/metadata?expand
GET /instances/{plain}/metadata/PixelDataOffset
GET /instances/{plain}/attachments
GET /instances/{plain}/header
GET /instances/{plain}/tags
GET /instances/{plain}/preview
implicit = POST /instances @no-preamble-implicit
GET /instances/{implicit}/metadata?expand
"""


def _bytes(*names: str) -> str:
    """Return what is shown of values that are not UTF-8."""
    lines = []
    for name in names:
        lines += [f"PUT /instances/{{a1}}/metadata/1024 @{name}", "GET /instances/{a1}/metadata/1024"]
        lines += [
            "GET /instances/{a1}/metadata?expand",
            "GET /instances/{a1}/metadata?expand [Accept: application/xml]",
        ]
        lines.append('POST /tools/find {"Level": "Instance", "Query": {}, "ResponseContent": ["Metadata"]}')
        lines.append('POST /tools/bulk-content {"Resources": ["{a1}"]}')
    return "\n".join(lines)


SCENARIOS = [
    Scenario("metadata-bytes", _bytes("not-utf-8", "cut-utf-8"), "a1 = POST /instances @a1"),
    Scenario("metadata-other-bytes", _bytes("latin-1", "surrogate", "private-use"), "a1 = POST /instances @a1"),
    Scenario("metadata-no-preamble", NO_PREAMBLE),
    Scenario("metadata-no-preamble-compressed", NO_PREAMBLE, options={"StorageCompression": True}),
    Scenario("metadata-system", SYSTEM, TREE),
    Scenario(
        "metadata-user",
        USER.replace("{level}", "instances").replace("{id}", "{a1}")
        + USER.replace("{level}", "studies").replace("{id}", "{study}")
        + "GET /changes\nGET /studies/{study}",
        TREE,
        options={"UserMetadata": {"mine": 1030, "other": 2000}},
    ),
]
