"""DICOMDIR media."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies.files import CHARSETS
from orthanc_lab.testing.scenarios.tree import TREE

ROUTES = """
GENERATES
GET /patients/{patient}/media
GET /studies/{study}/media
GET /series/{series}/media
POST /patients/{patient}/media {}
POST /studies/{study}/media {}
POST /series/{series}/media {}
GET /patients/{patient2}/media
GET /studies/{study}/media?extended
GET /studies/{study}/media?extended=false
POST /studies/{study}/media {"Extended": true}
POST /studies/{study}/media {"Extended": false}
POST /studies/{study}/media {"Extended": "x"}
GET /tools/create-media?resources={study},{patient2}
GET /tools/create-media?resources={a3},{a1}&extended
GET /tools/create-media-extended?resources={study}
POST /tools/create-media ["{study}", "{d1}"]
POST /tools/create-media {"Resources": ["{study}"], "Extended": true}
POST /tools/create-media-extended ["{study}"]
POST /tools/create-media-extended {"Resources": ["{study}"], "Extended": false}
GET /tools/create-media?resources=
POST /tools/create-media []
GET /instances/{a1}/media
"""

ERRORS = """
GET /studies/nope/media
POST /studies/nope/media {}
GET /tools/create-media
GET /tools/create-media-extended
POST /tools/create-media
POST /tools/create-media-extended {}
POST /tools/create-media {"Resources": ["nope"]}
GET /tools/create-media?resources=nope
POST /studies/{study}/media
POST /studies/{study}/media {
GET /studies/{study}/media?transcode=nope
"""

PARAMETERS = """
GENERATES
GET /studies/{study2}/media?filename=x.zip
POST /studies/{study2}/media {"Filename": "y.zip"}
GET /studies/{study2}/media?transcode=1.2.840.10008.1.2
POST /tools/create-media {"Resources": ["{study2}"], "Transcode": "1.2.840.10008.1.2.1.99"}
job = POST /patients/{patient}/media {"Asynchronous": true, "Transcode": "1.2.840.10008.1.2"}
WAIT {job}
GET /jobs/{job}
GET /jobs/{job}/archive
extended = POST /tools/create-media-extended {"Asynchronous": true, "Resources": ["{study3}"]}
WAIT {extended}
GET /jobs/{extended}
GET /jobs/{extended}/archive
"""

KINDS = """
GENERATES
ct, ct-study:ParentStudy = POST /instances @ct
dose, dose-study:ParentStudy = POST /instances @dose
plan, plan-study:ParentStudy = POST /instances @plan
report, report-study:ParentStudy = POST /instances @report
japanese, japanese-study:ParentStudy = POST /instances @japanese
nobody, nobody-study:ParentStudy = POST /instances @no-patient-id
number, number-study:ParentStudy = POST /instances @no-number
jpeg, jpeg-study:ParentStudy = POST /instances @jpeg-rgb
waveform, waveform-study:ParentStudy = POST /instances @waveform
GET /studies/{ct-study}/media
GET /studies/{dose-study}/media
GET /studies/{plan-study}/media?extended
GET /studies/{report-study}/media
GET /studies/{japanese-study}/media
GET /studies/{nobody-study}/media?extended
GET /studies/{number-study}/media?extended
GET /studies/{jpeg-study}/media
GET /studies/{waveform-study}/media
GET /tools/create-media?resources={ct},{dose},{plan},{jpeg},{number}
"""

WITHOUT_CLASS = """
made, made-study:ParentStudy = POST /tools/create-dicom {"Tags": {"PatientName": "x"}}
GET /studies/{made-study}/media
job = POST /studies/{made-study}/media {"Asynchronous": true}
WAIT {job}
GET /jobs/{job}
GET /jobs/{job}/archive
GET /studies/{made-study}/archive
"""

CHARACTER_SETS = "\n".join(
    [
        "GENERATES",
        *(f"{name}, {name}-study:ParentStudy = POST /instances @{name}" for name in CHARSETS),
        *(f"GET /studies/{{{name}-study}}/media?extended" for name in CHARSETS),
        "GET /tools/create-media?resources=" + ",".join(f"{{{name}}}" for name in CHARSETS),
        "GET /tools/create-media?resources={german},{french}",
        "GET /tools/create-media?resources={a1},{d1}",
    ]
)

SCENARIOS = [
    Scenario("media-charsets", CHARACTER_SETS, TREE),
    Scenario("media-routes", ROUTES, TREE),
    Scenario("media-errors", ERRORS, TREE),
    Scenario("media-parameters", PARAMETERS, TREE),
    Scenario("media-kinds", KINDS),
    Scenario("media-without-class", WITHOUT_CLASS),
]
