"""Authentication, remote access, read-only."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

ACCESS = """
GET /system
GET /nope
GET /system [Authorization: Basic {b64:credentials}]
GET /nope [Authorization: Basic {b64:credentials}]
GET /system [Authorization: Basic {b64:wrong-credentials}]
GET /system [Authorization: Basic !!!]
GET /system [Authorization: Basic]
GET /system [Authorization: Bearer abc]
GET /system [authorization: basic {b64:credentials}]
GET / [Authorization: Basic {b64:credentials}]
GET /
GET /app/explorer.html
GET /tools/metrics-prometheus
a1 = POST /instances [Authorization: Basic {b64:credentials}] @a1
POST /instances @a2
GET /instances/{a1}/metadata?expand [Authorization: Basic {b64:credentials}]
DELETE /instances/{a1}
POST /system [Authorization: Basic {b64:credentials}]
HEAD /system
POST /tools/shutdown
"""

READ_ONLY = """
GET /system
POST /instances @a1
POST /instances @text
POST /tools/create-dicom {"Tags": {}}
DELETE /studies/nope
DELETE /instances/nope
DELETE /changes
DELETE /exports
PUT /studies/nope/metadata/1024 x
PUT /studies/nope/labels/x
PUT /studies/nope/attachments/1024 x
DELETE /studies/nope/labels/x
PUT /patients/nope/protected 1
POST /studies/nope/modify {}
POST /studies/nope/anonymize {}
POST /studies/nope/archive {}
POST /tools/create-archive []
POST /tools/find {"Level": "Study", "Query": {}}
POST /tools/bulk-delete {"Resources": []}
POST /tools/bulk-modify {"Resources": []}
POST /tools/reconstruct {}
POST /instances/nope/reconstruct {}
GET /instances/nope/reconstruct
POST /studies/nope/attachments/1024/compress
POST /studies/nope/attachments/1024/uncompress
POST /studies/nope/attachments/1024/verify-md5
GET /tools
PUT /modalities/x ["A", "127.0.0.1", 104]
PUT /peers/x ["http://127.0.0.1:1/"]
PUT /tools/log-level default
PUT /tools/metrics 0
GET /tools/metrics
GET /jobs
"""

SCENARIOS = [
    Scenario(
        "security-users",
        ACCESS,
        options={"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret:with:colons"}},
    ),
    Scenario(
        "security-nobody",
        "GET /system\nGET /system [Authorization: Basic {b64:default-credentials}]\n"
        "GET /system [Authorization: Basic {b64:credentials}]",
        options={"AuthenticationEnabled": True},
    ),
    Scenario(
        "security-remote-default-user",
        "GET /system\nGET /system [Authorization: Basic {b64:default-credentials}]\n"
        "GET /system [Authorization: Basic {b64:wrong-credentials}]",
        options={"RemoteAccessAllowed": True},
    ),
    Scenario(
        "security-remote-open",
        "GET /system\nGET /studies",
        options={"RemoteAccessAllowed": True, "AuthenticationEnabled": False},
    ),
    Scenario(
        "security-remote-users",
        "GET /system\nGET /system [Authorization: Basic {b64:credentials}]",
        options={"RemoteAccessAllowed": True, "RegisteredUsers": {"alice": "secret:with:colons"}},
    ),
    Scenario(
        "security-users-but-off",
        "GET /system\nGET /system [Authorization: Basic {b64:wrong-credentials}]\na1 = POST /instances "
        "[Authorization: Basic {b64:credentials}] @a1\nGET /instances/{a1}/metadata?expand",
        options={"RegisteredUsers": {"alice": "secret:with:colons"}},
    ),
    Scenario(
        "security-no-password",
        # alice: and alice, bob:b and bob:
        "GET /system [Authorization: Basic YWxpY2U6]\nGET /system [Authorization: Basic YWxpY2U=]\n"
        "GET /system [Authorization: Basic Ym9iOmI=]\nGET /system [Authorization: Basic Ym9iOg==]",
        options={"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "", "bob": "b"}},
    ),
    Scenario("security-shutdown", "POST /tools/shutdown please"),
    Scenario("security-reset", "POST /tools/reset {}"),
    Scenario("security-read-only", READ_ONLY, options={"ReadOnly": True}),
    Scenario(
        "security-lua-allowed",
        """
        POST /tools/execute-script
        POST /tools/execute-script print(
        """,
        options={"ExecuteLuaEnabled": False},
    ),
    Scenario("security-default", "GET /system\nGET /studies [Authorization: Basic {b64:wrong-credentials}]", TREE),
]
