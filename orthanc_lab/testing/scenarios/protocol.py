"""Conventions of HTTP: verbs, paths, headers, the shape of errors, XML."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

PATHS = """
GET /
GET /studies/
GET //studies
GET //studies//
GET /studies/{study}/
GET /studies//{study}
GET /nope
GET /nope/
GET /nope/nope/nope
GET /app
GET /app/
GET /app/nope.html
GET /Studies
GET /studies/nope
GET /studies/nope/nope
GET /studies/{study}/nope
GET /jobs/nope/nope/nope
GET /tools/nope
GET /tools/nope/nope
GET /studies?
GET /studies?&&
GET /studies?=
GET /stud%69es
GET /studies%2F{study}
GET /studies/{study}%20
GET /./studies
GET /tools/../studies
GET /studies#fragment
"""

VERBS = """
HEAD /studies
HEAD /nope
OPTIONS /studies
OPTIONS /nope
PATCH /studies/{study}
PATCH /nope
PROPFIND /studies
TRACE /studies
FOO /studies
POST /studies
PUT /studies
DELETE /studies
PUT /studies/{study}
POST /studies/{study}
GET /studies/{study}/anonymize
DELETE /studies/{study}/archive
PUT /studies/{study}/archive
PUT /instances
DELETE /instances
PUT /system
DELETE /system
POST /system
GET /tools/find
PUT /tools/find
GET /tools/create-dicom
DELETE /tools/create-dicom
GET /tools/lookup
GET /tools/reset
GET /tools/shutdown
POST /changes
PUT /changes
POST /exports
POST /jobs
PUT /jobs/nope
POST /jobs/nope
GET /tools/bulk-content
GET /tools/bulk-delete
GET /tools/bulk-modify
GET /tools/execute-script
GET /tools/count-resources
POST /statistics
POST /tools/now
DELETE /tools/generate-uid
POST /instances/{a1}/tags
POST /instances/{a1}/file
PUT /instances/{a1}/metadata
POST /instances/{a1}/metadata/1024
DELETE /instances/{a1}/preview
POST /instances/{a1}/frames
POST /studies/{study}/labels
POST /studies/{study}/labels/x
DELETE /patients/{patient}/protected
POST /patients/{patient}/protected
POST /modalities/nope
POST /peers/nope
"""

OVERRIDE = """
POST /studies/{study2} [X-HTTP-Method-Override: GET]
POST /studies/{study2} [X-HTTP-Method-Override: FOO]
POST /studies/{study2} [X-HTTP-Method-Override: delete]
PUT /studies/{study2} [X-HTTP-Method-Override: DELETE]
GET /studies/{study2} [X-HTTP-Method-Override: DELETE]
POST /studies/{study2}?_method=DELETE
GET /studies/{study2}
POST /instances/{a1}/metadata/1024 [X-HTTP-Method-Override: PUT] value
GET /instances/{a1}/metadata/1024
POST /studies/{study2} [X-HTTP-Method-Override: DELETE]
GET /studies/{study2}
"""

XML = """
GET /system [Accept: application/xml]
GET /studies [Accept: application/xml]
GET /studies?expand [Accept: application/xml]
GET /instances/{a1}/simplified-tags [Accept: application/xml]
GET /instances/{a1}/tags [Accept: application/xml]
GET /changes?limit=1 [Accept: application/xml]
GET /jobs [Accept: application/xml]
GET /instances/{a1}/metadata [Accept: application/xml]
GET /studies [Accept: text/xml]
GET /studies [Accept: application/json]
GET /studies [Accept: image/png]
GET /studies [Accept: */*;q=0.1, application/xml]
GET /nope [Accept: application/xml]
POST /tools/find [Accept: application/xml] {"Level": "Study", "Query": {}, "Expand": true}
GET /tools/now [Accept: application/xml]
"""

ENCODINGS = """
POST /tools/find [Content-Encoding: gzip] @json-gzip
POST /tools/find [Content-Encoding: GZIP] @json-gzip
POST /tools/find [Content-Encoding: gzip] {"Level": "Study", "Query": {}}
POST /tools/find [Content-Encoding: br] {"Level": "Study", "Query": {}}
POST /tools/find [Content-Encoding: identity] {"Level": "Study", "Query": {}}
POST /tools/find [Content-Type: application/json] {"Level": "Study", "Query": {}}
POST /tools/find [Content-Type: application/x-www-form-urlencoded] {"Level": "Study", "Query": {}}
GET /instances/{a1}/tags [Accept-Encoding: gzip]
GET /system [Connection: close]
"""

LENIENT_JSON = """
POST /tools/find {"Level": "Study", "Query": {}} and more
POST /tools/find {"Level": "Study", "Query": {},}
POST /tools/find {"Level": "Study", /* comment */ "Query": {}}
POST /tools/find {"Level": "Study", "Query": {} // comment
POST /tools/find {'Level': 'Study', 'Query': {}}
POST /tools/find {"Level": "Study", "Level": "Patient", "Query": {}}
POST /tools/find {"Level" "Study"}
POST /tools/find [1, 2
POST /tools/find []
POST /tools/find null
POST /tools/find "text"
POST /tools/find 12
POST /tools/find
POST /tools/find {"Level": "Study", "Query": {"PatientName": "\\u0054est*"}}
POST /tools/find @binary
POST /tools/find {"Level": "Study", "Query": {}, "Limit": 01}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": 00}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": -01}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": 01.5}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": NaN}
POST /tools/find {"Level": "Study", "Query": {}, "Limit": -Infinity}
POST /tools/create-dicom {"Tags": {"PatientID": 01}}
"""

SCENARIOS = [
    Scenario("protocol-paths", PATHS, TREE),
    Scenario("protocol-verbs", VERBS, TREE),
    Scenario("protocol-override", OVERRIDE, TREE),
    Scenario("protocol-xml", XML, TREE),
    Scenario("protocol-encodings", ENCODINGS, TREE),
    Scenario("protocol-lenient-json", LENIENT_JSON, TREE),
    Scenario(
        "protocol-compressed-answers",
        """
        GET /instances/{a1}/tags [Accept-Encoding: gzip]
        GET /instances/{a1}/tags [Accept-Encoding: deflate]
        GET /instances/{a1}/tags [Accept-Encoding: gzip, deflate, br]
        GET /instances/{a1}/tags
        GET /system [Accept-Encoding: gzip]
        GET /instances/{a1}/file [Accept-Encoding: gzip]
        """,
        TREE,
        options={"HttpCompressionEnabled": True},
    ),
    Scenario(
        "protocol-errors-not-described",
        """
        GET /nope
        GET /studies/nope
        GET /jobs/nope/archive
        POST /instances @text
        POST /tools/find {}
        POST /tools/create-dicom
        PUT /tools/metrics x
        """,
        options={"HttpDescribeErrors": False},
    ),
    Scenario(
        "protocol-no-keep-alive",
        """
        GET /system
        GET /nope
        POST /instances @a1
        """,
        options={"KeepAlive": False},
    ),
]
