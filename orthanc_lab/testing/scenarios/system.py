"""The system: identity, statistics, tools that stand alone."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

TOOLS = """
GET /system
GET /statistics
GET /tools
GET /tools/now
GET /tools/now-local
GET /tools/generate-uid
GET /tools/generate-uid?level=foo
GET /tools/generate-uid?level=Study
GET /plugins
GET /plugins/explorer.js
GET /plugins/nope
GET /modalities
GET /modalities?expand
GET /peers
GET /peers?expand
GET /queries
GET /exports
GET /tools/dicom-conformance
GET /tools/labels
POST /tools/execute-script print(42)
GET /tools/accepted-transfer-syntaxes
GET /tools/unknown-sop-class-accepted
PUT /tools/unknown-sop-class-accepted 1
GET /tools/unknown-sop-class-accepted
PUT /tools/unknown-sop-class-accepted maybe
PUT /tools/accepted-transfer-syntaxes "1.2.840.10008.1.2.1*"
GET /tools/accepted-transfer-syntaxes
PUT /tools/accepted-transfer-syntaxes ""
PUT /tools/accepted-transfer-syntaxes 1.2.840.10008.1.2
GET /tools/accepted-transfer-syntaxes
PUT /tools/accepted-transfer-syntaxes ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]
GET /tools/accepted-transfer-syntaxes
PUT /tools/accepted-transfer-syntaxes ["1.2.3"]
PUT /tools/accepted-transfer-syntaxes {}
GET /tools/accepted-sop-classes
GET /tools/default-encoding
PUT /tools/default-encoding Utf8
GET /tools/default-encoding
PUT /tools/default-encoding Klingon
PUT /tools/default-encoding
GET /instances/nope/reconstruct
POST /studies/nope/reconstruct
POST /tools/invalidate-tags
"""

LOG_LEVELS = """
GET /tools/log-level
PUT /tools/log-level verbose
GET /tools/log-level
GET /tools/log-level-jobs
PUT /tools/log-level-http trace
GET /tools/log-level-http
GET /tools/log-level
PUT /tools/log-level default
GET /tools/log-level-http
PUT /tools/log-level loud
PUT /tools/log-level
GET /tools/log-level-generic
GET /tools/log-level-dicom
GET /tools/log-level-lua
GET /tools/log-level-plugins
GET /tools/log-level-sqlite
PUT /tools/log-level-sqlite Verbose
GET /tools/log-level-nope
DELETE /tools/log-level
"""

RECONSTRUCT = """
POST /instances/{a1}/reconstruct
POST /series/{series}/reconstruct {}
POST /studies/{study}/reconstruct {"ReconstructFiles": false}
POST /patients/{patient}/reconstruct {"ReconstructFiles": 12}
POST /patients/{patient}/reconstruct []
POST /patients/{study}/reconstruct {}
POST /tools/reconstruct {"ReconstructFiles": "no"}
POST /tools/reconstruct {}
GET /studies/{study}
GET /statistics
"""

GENERATED_UIDS = """
GENERATES
uid = GET /tools/generate-uid?level=patient
GET /tools/generate-uid?level=study
GET /tools/generate-uid?level=series
GET /tools/generate-uid?level=instance
"""

IDENTITY = {
    "Name": "Twin é",
    "StorageCompression": True,
    "OverwriteInstances": True,
    "MaximumPatientCount": 5,
    "MaximumStorageSize": 100,
    "MaximumStorageMode": "Reject",
    "CheckRevisions": True,
    "UserMetadata": {"mine": 1030},
    "DicomAet": "TWIN",
    "DicomPort": 4343,
    "IngestTranscoding": "1.2.840.10008.1.2",
    "DicomDefaultRetrieveMethod": "C-GET",
    "DatabaseServerIdentifier": "one",
    "ExtraMainDicomTags": {"Instance": ["Rows"], "Study": ["Manufacturer"]},
}

ENCODING = """
PUT /tools/default-encoding {encoding}
x, study:ParentStudy, patient:ParentPatient = POST /instances @no-charset{suffix}
GET /patients/{patient}
GET /instances/{x}/simplified-tags
GET /studies/{study}/module-patient?simplify
GET /patients/{patient}/archive
POST /tools/find {"Level": "Study", "Query": {"Rows": "4"}, "Expand": true, "RequestedTags": ["PatientName"]}
POST /instances/{x}/modify {"Replace": {"StudyDescription": "Ωé"}}
POST /instances/{x}/anonymize {"Replace": {"StudyDescription": "Ωé"}}
new = POST /studies/{study}/modify {"Replace": {"StudyDescription": "Ωé"}}
GET /studies/{new}
POST /patients/{patient}/reconstruct
GET /patients/{patient}
DELETE /patients/{patient}
made, made-patient:ParentPatient = POST /tools/create-dicom {"Tags": {"PatientName": "Ωé", "PatientID": "c"},
+ "Content": "data:image/png;base64,{b64:png8}"}
GET /instances/{made}/file
made = POST /tools/create-dicom {"Tags": {"PatientName": "é", "PatientID": "d"}, "Encapsulate": true,
+ "Content": "data:image/jpeg;base64,{b64:jpeg}"}
GET /instances/{made}/file
made = POST /tools/create-dicom {"PatientName": "é", "PatientID": "e"}
GET /instances/{made}/file
made = POST /tools/create-dicom {"Tags": {"PatientComments": "é"}, "Parent": "{made-patient}"}
GET /instances/{made}/file
DELETE /patients/{made-patient}
GET /tools/default-encoding
GET /system
"""


def _encodings() -> str:
    pairs = (("Greek", ""), ("Greek", "-greek"), ("Utf8", ""), ("Latin1", "-greek"), ("Ascii", ""))
    return "GENERATES" + "".join(
        ENCODING.replace("{encoding}", encoding).replace("{suffix}", suffix) for encoding, suffix in pairs
    )


SCENARIOS = [
    Scenario("system-default-encoding", _encodings()),
    Scenario("system-tools", TOOLS),
    Scenario("system-log-levels", LOG_LEVELS),
    Scenario("system-reconstruct", RECONSTRUCT, TREE),
    Scenario("system-generated-uids", GENERATED_UIDS),
    Scenario("system-identity", "GET /system", options=IDENTITY),
    Scenario("system-statistics", "GET /statistics", TREE),
    Scenario("system-statistics-compressed", "GET /statistics", TREE, options={"StorageCompression": True}),
]
