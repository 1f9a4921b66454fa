"""/peers: configuration, and the job that sends to a peer over HTTP."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

CONFIGURATION = """
GET /peers
GET /peers?expand
GET /peers/zz
GET /peers/zz/configuration
GET /peers/zz/system
POST /peers/zz/store {a1}
POST /peers/zz/store-straight @a1
DELETE /peers/zz
PUT /peers/one ["http://127.0.0.1:1"]
GET /peers/one
GET /peers/one/configuration
PUT /peers/two ["http://127.0.0.1:1/orthanc", "alice", "secret"]
GET /peers/two/configuration
PUT /peers/three {"Url": "http://127.0.0.1:1", "Username": "bob", "HttpHeaders": {"Token": "x"}, "Timeout": 12}
GET /peers/three/configuration
GET /peers?expand
PUT /peers/four {}
PUT /peers/four []
PUT /peers/four ["http://127.0.0.1:1", "alice"]
PUT /peers/four ["a", "b", "c", "d"]
PUT /peers/four "http://127.0.0.1:1"
PUT /peers/four
PUT /peers/four {"Url": 12}
PUT /peers/four [""]
PUT /peers/four ["ftp://x"]
PUT /peers/a%20b ["http://127.0.0.1:1"]
PUT /peers/one ["http://127.0.0.1:2"]
GET /peers/one/configuration
DELETE /peers/one
GET /peers
DELETE /peers/one
POST /peers/two
PUT /peers/two/store {a1}
"""

STORE = """
GET /peers/peer/system
POST /peers/peer/store {a1}
POST /peers/peer/store "{a1}"
POST /peers/peer/store ["{a1}", "{a2}"]
POST /peers/peer/store {"Resources": ["{series}", "{d1}"]}
SEEN
POST /peers/peer/store {"Resources": ["{a1}"], "Compress": true}
POST /peers/peer/store {"Resources": ["{a1}"], "Transcode": "1.2.840.10008.1.2"}
SEEN
POST /peers/peer/store {"Resources": ["{a1}"], "Transcode": "nope"}
POST /peers/peer/store {"Resources": ["{a1}"], "Compress": "yes"}
POST /peers/peer/store nope
POST /peers/peer/store "nope"
POST /peers/peer/store {"Resources": ["nope"]}
POST /peers/peer/store 66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e
POST /peers/peer/store {"Resources": "{a1}"}
POST /peers/peer/store {}
POST /peers/peer/store []
POST /peers/peer/store {"Resources": []}
POST /peers/peer/store
POST /peers/peer/store {"Resources": ["{a1}"], "Asynchronous": 1}
POST /peers/peer/store {"Resources": ["{a1}"], "Permissive": 1}
POST /peers/headers/store {a1}
POST /peers/peer/store-straight @a1
POST /peers/peer/store-straight @text
SEEN
job = POST /peers/user/store {"Resources": ["{patient}"], "Asynchronous": true, "Priority": 2}
WAIT {job}
GET /jobs/{job}
SEEN
GET /jobs
GET /exports
"""

FAILURES = """
GET /peers/dead/system
POST /peers/dead/store {a1}
POST /peers/dead/store {"Resources": ["{a1}", "{a2}"], "Permissive": true}
job = POST /peers/dead/store {"Resources": ["{a1}", "{a2}"], "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
POST /jobs/{job}/resubmit
WAIT {job}
GET /jobs/{job}
POST /peers/dead/store-straight @a1
POST /peers/broken/store {a1}
broken = POST /peers/broken/store {"Resources": ["{a1}"], "Asynchronous": true}
WAIT {broken}
GET /jobs/{broken}
"""

PEERS = {
    "peer": ["{peer}/"],
    "user": ["{peer}/sub", "alice", "secret"],
    "headers": {"Url": "{peer}/", "HttpHeaders": {"X-Api-Key": "secret"}},
    "broken": ["{peer}/broken/"],
    "dead": ["http://127.0.0.1:9/"],
}

SCENARIOS = [
    Scenario("peers-configuration", CONFIGURATION, "a1 = POST /instances @a1"),
    Scenario("peers-store", STORE, TREE, {"OrthancPeers": PEERS}, peer=True),
    Scenario("peers-failures", FAILURES, TREE, {"OrthancPeers": PEERS}, peer=True),
    Scenario(
        "peers-exports",
        "POST /peers/peer/store {a1}\nPOST /peers/peer/store {series}\nGET /exports\nGET /exports?last",
        TREE,
        {"OrthancPeers": PEERS, "LogExportedResources": True},
        peer=True,
    ),
]
