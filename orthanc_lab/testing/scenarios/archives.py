"""ZIP archives: routes, parameters, names, errors."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

ROUTES = """
GET /patients/{patient}/archive
GET /studies/{study}/archive
GET /series/{series}/archive
POST /patients/{patient}/archive {}
POST /studies/{study}/archive {}
POST /series/{series}/archive {}
GET /patients/{patient2}/archive
POST /patients/{patient2}/archive {}
GET /tools/create-archive?resources={study}
GET /tools/create-archive?resources={patient},{study2},{a1}
GET /tools/create-archive?resources={a3},{a1}
GET /tools/create-archive?resources={a1},{a1},{series}
GET /tools/create-archive?resources={study3},{study}
POST /tools/create-archive ["{series2}", "{d1}"]
POST /tools/create-archive {"Resources": ["{a2}", "{study}", "{patient2}"]}
POST /tools/create-archive {"Resources": ["{patient}", "{patient2}"]}
GET /instances/{a1}/archive
POST /instances/{a1}/archive {}
"""

PARAMETERS = """
GET /studies/{study}/archive?filename=x.zip
GET /studies/{study}/archive?filename=a%20b.zip
GET /studies/{study}/archive?filename=a+b.zip
GET /studies/{study}/archive?filename=
GET /tools/create-archive?resources={study}&filename=y.zip
POST /studies/{study}/archive {"Filename": "z.zip"}
POST /studies/{study}/archive {"Filename": "é.zip"}
POST /studies/{study}/archive {"Filename": 12}
POST /studies/{study}/archive {"Filename": ""}
POST /tools/create-archive {"Resources": ["{study}"], "Filename": "w.zip"}
GET /studies/{study2}/archive?transcode=1.2.840.10008.1.2
POST /studies/{study2}/archive {"Transcode": "1.2.840.10008.1.2"}
GET /studies/{study2}/archive?transcode=1.2.840.10008.1.2.4.90
GET /studies/{study2}/archive?transcode=1.2.840.10008.1.2.5
GET /studies/{study2}/archive?transcode=nope
GET /studies/{study2}/archive?transcode=
POST /studies/{study2}/archive {"Transcode": "nope"}
POST /studies/{study2}/archive {"Transcode": 12}
POST /studies/{study2}/archive {"Transcode": null}
GET /studies/{study2}/archive?transcode=1.2.840.10008.1.2&lossy-quality=x
GET /studies/{study2}/archive?lossy-quality=x
GET /studies/{study2}/archive?transcode=1.2.840.10008.1.2&lossy-quality=200
POST /studies/{study2}/archive {"Transcode": "1.2.840.10008.1.2", "LossyQuality": "x"}
POST /studies/{study2}/archive {"LossyQuality": "x"}
POST /studies/{study2}/archive {"Transcode": "1.2.840.10008.1.2", "LossyQuality": 50}
GET /tools/create-archive?resources={study2}&transcode=1.2.840.10008.1.2
GET /tools/create-archive?resources={study2}&transcode=nope
POST /tools/create-archive {"Resources": ["{study2}"], "Transcode": "1.2.840.10008.1.2.1.99"}
POST /studies/{study2}/archive {"Extended": "x"}
POST /studies/{study2}/archive {"Extended": true}
POST /tools/create-archive {"Resources": ["{study2}"], "Extended": 1}
"""

ERRORS = """
GET /patients/nope/archive
GET /studies/nope/archive
GET /series/nope/archive
POST /studies/nope/archive {}
GET /studies/{series}/archive
GET /patients/{study}/archive
POST /series/{study}/archive {}
GET /tools/create-archive
GET /tools/create-archive?resources=
GET /tools/create-archive?resources=nope
GET /tools/create-archive?resources={study},nope
POST /tools/create-archive
POST /tools/create-archive {
POST /tools/create-archive []
POST /tools/create-archive {}
POST /tools/create-archive {"Resources": []}
POST /tools/create-archive {"Resources": "{study}"}
POST /tools/create-archive {"Resources": [1]}
POST /tools/create-archive [1]
POST /tools/create-archive ["nope"]
POST /tools/create-archive {"Resources": ["nope"]}
POST /tools/create-archive "{study}"
POST /tools/create-archive 12
POST /tools/create-archive null
POST /tools/create-archive true
POST /studies/{study2}/archive
POST /studies/{study2}/archive {
POST /studies/{study2}/archive []
POST /studies/{study2}/archive null
POST /studies/{study2}/archive true
POST /studies/{study2}/archive "x"
POST /studies/{study2}/archive {} x
POST /studies/nope/archive
POST /studies/nope/archive {"Asynchronous": true}
POST /tools/create-archive {"Resources": ["nope"], "Asynchronous": true}
GET /jobs
"""

NO_NAMES = """
none, none-study:ParentStudy, none-patient:ParentPatient = POST /instances @no-names-left
GET /studies/{none-study}/archive
GET /patients/{none-patient}/archive
POST /tools/create-archive ["{none}"]
blank, blank-study:ParentStudy, blank-patient:ParentPatient = POST /instances @blank-patient
GET /studies/{blank-study}/archive
GET /patients/{blank-patient}/archive
"""

NAMES = """
odd, odd-study:ParentStudy = POST /instances @odd-names
POST /instances @no-number
numbers, numbers-study:ParentStudy = POST /instances @number-3
POST /instances @number-1
german, german-study:ParentStudy = POST /instances @german
japanese, japanese-study:ParentStudy = POST /instances @japanese
nobody, nobody-study:ParentStudy, nobody-patient:ParentPatient = POST /instances @no-patient-id
GET /studies/{odd-study}/archive
GET /studies/{numbers-study}/archive
POST /studies/{numbers-study}/archive {}
GET /studies/{german-study}/archive
GET /studies/{japanese-study}/archive
GET /studies/{nobody-study}/archive
GET /patients/{nobody-patient}/archive
dose, dose-study:ParentStudy = POST /instances @dose
report, report-study:ParentStudy = POST /instances @report
POST /tools/create-archive ["{odd}", "{numbers-study}", "{german}", "{nobody}", "{dose-study}", "{report}"]
POST /tools/create-archive ["{japanese}", "{numbers}"]
"""

PATIENT_NAMES = """
POST /instances @a1-changed
changed, changed-study:ParentStudy, patient:ParentPatient = POST /instances @c1
GET /studies/{changed-study}/archive
POST /studies/{changed-study}/archive {}
GET /patients/{patient}/archive
POST /patients/{patient}/archive {}
POST /tools/create-archive ["{changed-study}"]
GET /tools/create-archive?resources={changed}
POST /instances @a2
second:ParentSeries = POST /instances @b1
GET /series/{second}/archive
POST /series/{second}/archive {}
third, third-study:ParentStudy, third-series:ParentSeries = POST /instances @c1-other-series
GET /series/{third-series}/archive
GET /studies/{third-study}/archive
"""

SAME_NAMES = """
POST /tools/create-dicom {"Force": true, "Tags": {"PatientID": "N", "Modality": "CT", "StudyInstanceUID": "1.2.1",
+ "SeriesInstanceUID": "1.2.1.1", "SOPInstanceUID": "1.2.1.1.1"}}
POST /tools/create-dicom {"Force": true, "Tags": {"PatientID": "N", "Modality": "CT", "StudyInstanceUID": "1.2.2",
+ "SeriesInstanceUID": "1.2.2.1", "SOPInstanceUID": "1.2.2.1.1"}}
POST /tools/create-dicom {"Force": true, "Tags": {"PatientID": "N", "Modality": "CT", "StudyInstanceUID": "1.2.2",
+ "SeriesInstanceUID": "1.2.2.2", "SOPInstanceUID": "1.2.2.2.1"}}
POST /tools/create-dicom {"Force": true, "Tags": {"PatientID": "N", "Modality": "MR", "StudyInstanceUID": "1.2.3",
+ "SeriesInstanceUID": "1.2.3.1", "SOPInstanceUID": "1.2.3.1.1"}}
patient:0 = GET /patients
GET /patients/{patient}/archive
POST /patients/{patient}/archive {}
"""

TRANSCODED = """
rgb, rgb-study:ParentStudy = POST /instances @rgb
jpeg, jpeg-study:ParentStudy = POST /instances @jpeg-rgb
big, big-study:ParentStudy = POST /instances @mr-big
GET /studies/{jpeg-study}/archive?transcode=1.2.840.10008.1.2.1
GET /studies/{big-study}/archive?transcode=1.2.840.10008.1.2.1
GET /studies/{big-study}/archive?transcode=1.2.840.10008.1.2
GET /studies/{rgb-study}/archive?transcode=1.2.840.10008.1.2.1.99
GENERATES
GET /studies/{rgb-study}/archive?transcode=1.2.840.10008.1.2.4.50
GET /studies/{rgb-study}/archive?transcode=1.2.840.10008.1.2.4.50&lossy-quality=20
GET /studies/{big-study}/archive?transcode=1.2.840.10008.1.2.4.51
job = POST /studies/{jpeg-study}/archive {"Transcode": "1.2.840.10008.1.2.1", "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
GET /jobs/{job}/archive
"""

SCENARIOS = [
    Scenario("archives-routes", ROUTES, TREE),
    Scenario("archives-parameters", PARAMETERS, TREE),
    Scenario("archives-errors", ERRORS, TREE),
    Scenario("archives-names", NAMES),
    Scenario("archives-no-names", NO_NAMES),
    Scenario("archives-patient-names", PATIENT_NAMES),
    Scenario("archives-same-names", SAME_NAMES),
    Scenario("archives-transcoded", TRANSCODED),
    Scenario(
        "archives-not-streamed",
        """
        GET /studies/{study}/archive
        POST /studies/{study}/archive {}
        GET /studies/nope/archive
        GET /tools/create-archive?resources={study}
        POST /tools/create-archive []
        GET /studies/{study}/media
        GET /jobs
        """,
        TREE,
        options={"SynchronousZipStream": False},
    ),
    Scenario(
        "archives-compressed-storage",
        "GET /studies/{study}/archive\nGET /studies/{study}/media",
        TREE,
        options={"StorageCompression": True, "ZipLoaderThreads": 2},
    ),
]
