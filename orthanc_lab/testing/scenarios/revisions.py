"""CheckRevisions, ETag, If-Match."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

METADATA = """
PUT /studies/{study}/metadata/1024 hello
PUT /studies/{study}/metadata/1024 bye
DELETE /studies/{study}/metadata/1024
tag:ETag = GET /studies/{study}/metadata/1024
PUT /studies/{study}/metadata/1024 [If-Match: nonsense] bye
PUT /studies/{study}/metadata/1024 [If-Match: "7-5d41402abc4b2a76b9719d911017c592"] bye
PUT /studies/{study}/metadata/1024 [If-Match: "0-00000000000000000000000000000000"] bye
PUT /studies/{study}/metadata/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"] bye
GET /studies/{study}/metadata/1024
DELETE /studies/{study}/metadata/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"]
DELETE /studies/{study}/metadata/1024 [If-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"]
GET /studies/{study}/metadata/1024
PUT /studies/{study}/metadata/1024 [If-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"] again
"""

ATTACHMENTS = """
PUT /studies/{study}/attachments/1024 hello
PUT /studies/{study}/attachments/1024 bye
DELETE /studies/{study}/attachments/1024
GET /studies/{study}/attachments/1024/data
PUT /studies/{study}/attachments/1024 [If-Match: nonsense] bye
PUT /studies/{study}/attachments/1024 [If-Match: "7-5d41402abc4b2a76b9719d911017c592"] bye
PUT /studies/{study}/attachments/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"] bye
GET /studies/{study}/attachments/1024/md5
GET /studies/{study}/attachments/1024/md5 [If-None-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"]
GET /studies/{study}/attachments/1024/data [If-None-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"]
DELETE /studies/{study}/attachments/1024 [If-Match: "0-bfa99df33b137bc8fb5f5407d7e58da8"]
GET /studies/{study}/attachments/1024/data
"""

_NONSENSE = "[If-Match: nonsense]"
UNKNOWN = f"""
PUT /studies/nope/metadata/1024 {_NONSENSE} x
DELETE /studies/nope/metadata/1024 {_NONSENSE}
PUT /studies/nope/attachments/1024 {_NONSENSE} x
DELETE /studies/nope/attachments/1024 {_NONSENSE}
PUT /studies/nope/metadata/nope {_NONSENSE} x
PUT /studies/nope/attachments/nope {_NONSENSE} x
PUT /studies/nope/metadata/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"] x
PUT /studies/nope/attachments/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"] x
DELETE /studies/nope/attachments/1024 [If-Match: "0-5d41402abc4b2a76b9719d911017c592"]
"""

SCENARIOS = [
    Scenario("revisions-of-unknown", UNKNOWN),
    Scenario("revisions-checked-metadata", METADATA, TREE, options={"CheckRevisions": True}),
    Scenario("revisions-checked-attachments", ATTACHMENTS, TREE, options={"CheckRevisions": True}),
    Scenario("revisions-unchecked-metadata", METADATA, TREE),
    Scenario("revisions-unchecked-attachments", ATTACHMENTS, TREE),
]
