"""Patients, studies, series, instances: lists, objects, children, statistics, deletion."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

LEVELS = {"patients": "patient", "studies": "study", "series": "series", "instances": "a1"}

LISTS = """
GET /{level}
GET /{level}?expand
GET /{level}?expand=false
GET /{level}?expand=0
GET /{level}?expand=
GET /{level}?expand=true&short
GET /{level}?expand&full
GET /{level}?since=0&limit=1
GET /{level}?since=1&limit=1
GET /{level}?since=1&limit=0
GET /{level}?since=100&limit=10
GET /{level}?since=0&limit=2&expand
GET /{level}?since=0&expand=x
GET /{level}?since=x&limit=y&expand=z
"""

PAGING_ERRORS = """
GET /studies?since=0
GET /studies?limit=10
GET /studies?since=x&limit=1
GET /studies?since=0&limit=x
GET /studies?since=-1&limit=1
GET /studies?since=0&limit=-1
GET /studies?since=&limit=
GET /studies?expand=no
GET /studies?expand=maybe
GET /studies?expand=1
GET /studies?since=0&since=1&limit=1
"""

OBJECTS = """
GET /{level}/{id}
GET /{level}/{id}?short
GET /{level}/{id}?full
GET /{level}/{id}?simplify
GET /{level}/{id}?short=false
GET /{level}/{id}/statistics
GET /{level}/{id}/metadata
GET /{level}/{id}/metadata?expand
GET /{level}/{id}/attachments
GET /{level}/{id}/labels
GET /{level}/nope
GET /{level}/nope/statistics
GET /{level}/nope/metadata
GET /{level}/nope/labels
GET /{level}/nope/attachments
DELETE /{level}/nope
"""

REQUESTED = """
GET /studies/{study}?requested-tags=PatientName;StudyDate
GET /studies/{study}?requestedTags=PatientName;StudyDate
GET /studies/{study}?requested-tags=
GET /studies/{study}?requested-tags=Foo
GET /studies/{study}?requested-tags=0010,0010
GET /studies/{study}?requested-tags=0010-0010;0008,0060
GET /studies/{study}?requested-tags=ModalitiesInStudy;NumberOfStudyRelatedInstances;NumberOfStudyRelatedSeries
GET /studies/{study}?requested-tags=SOPClassesInStudy;InstanceAvailability
GET /patients/{patient}?requested-tags=NumberOfPatientRelatedStudies;NumberOfPatientRelatedSeries
GET /patients/{patient}?requested-tags=NumberOfPatientRelatedInstances
GET /series/{series}?requested-tags=NumberOfSeriesRelatedInstances;Modality
GET /series/{series}?requested-tags=PatientName;StudyDate;Manufacturer
GET /instances/{a1}?requested-tags=PatientName;StudyDate;Modality;Rows
GET /instances/{a1}?requested-tags=InstitutionName
GET /instances/{a1}?requested-tags=WindowCenter;PixelSpacing;ImageOrientationPatient
GET /studies?expand&requested-tags=PatientName;ModalitiesInStudy
GET /studies?requested-tags=PatientName
GET /instances?expand&requested-tags=Rows
GET /series/{series}/instances?requested-tags=Rows;PatientID
GET /patients/{patient}/studies?requested-tags=ModalitiesInStudy&short
GET /studies/{study}/series?requested-tags=Modality;SeriesDescription&full
GET /studies/{study}?requested-tags=ReferencedImageSequence
GET /studies/{study}?requested-tags=PixelData
"""

CHILDREN = """
GET /patients/{patient}/studies
GET /patients/{patient}/studies?expand=false
GET /patients/{patient}/studies?expand
GET /patients/{patient}/series
GET /patients/{patient}/series?expand=false
GET /patients/{patient}/instances
GET /patients/{patient}/instances?expand=false
GET /patients/{patient}/instances?short
GET /studies/{study}/series
GET /studies/{study}/instances?expand=false
GET /studies/{study}/instances
GET /studies/{study}/patient
GET /series/{series}/instances
GET /series/{series}/instances?expand=false
GET /series/{series}/study
GET /series/{series}/patient
GET /series/{series}/patient?short
GET /instances/{a1}/series
GET /instances/{a1}/study
GET /instances/{a1}/patient
GET /instances/{a1}/patient?full
GET /patients/nope/studies
GET /studies/nope/series
GET /series/nope/study
GET /instances/nope/patient
GET /instances/{a1}/instances
GET /series/{series}/series
GET /patients/{study}/studies
GET /studies/{series}/series
GET /studies/{patient}
GET /series/{a1}
GET /instances/{series}
"""

DELETION = """
DELETE /instances/{a3}
GET /instances/{a3}
GET /series/{series}
DELETE /series/{series2}
GET /studies/{study}
GET /changes
DELETE /series/{study}
DELETE /instances/{series}
DELETE /studies/{study2}
GET /patients/{patient}
DELETE /instances/{a1}
DELETE /instances/{a2}
GET /patients
GET /statistics
DELETE /patients/{patient2}
DELETE /patients/{patient2}
GET /statistics
GET /changes
POST /instances @a1
GET /changes
"""

PROTECTION = """
GET /patients/{patient}/protected
PUT /patients/{patient}/protected 1
GET /patients/{patient}/protected
GET /patients/{patient}
PUT /patients/{patient}/protected maybe
PUT /patients/{patient}/protected
PUT /patients/{patient}/protected false
GET /patients/{patient}/protected
GET /patients/nope/protected
PUT /patients/nope/protected 1
GET /patients/{study}/protected
GET /studies/{study}/protected
"""

SERIES_STATUS = """
one, series:ParentSeries = POST /instances @number-1
GET /series/{series}
POST /instances @number-3
POST /instances @no-number
GET /series/{series}
GET /series/{series}/ordered-slices
GET /instances/{one}
mr, mrs:ParentSeries = POST /instances @mr
GET /series/{mrs}
GET /series/{mrs}/ordered-slices
dose, doses:ParentSeries = POST /instances @dose
GET /series/{doses}
GET /series/{doses}/ordered-slices
plan, plans:ParentSeries = POST /instances @plan
GET /series/{plans}/ordered-slices
GET /series/nope/ordered-slices
"""

BULK = """
POST /tools/bulk-content {"Resources": ["{study}", "{a1}"]}
POST /tools/bulk-content {"Resources": ["{a1}"], "Short": true, "Full": 5}
POST /tools/bulk-content {"Resources": ["{a1}"], "Short": false, "Full": 5}
POST /tools/bulk-content {"Resources": 5, "Short": 5}
POST /tools/bulk-content {"Resources": 5, "Full": 5}
POST /tools/bulk-content {"Resources": 5, "Metadata": 5}
POST /tools/bulk-content {"Resources": 5, "Level": 5}
POST /tools/bulk-content {"Resources": 5, "Level": "Foo"}
POST /tools/bulk-content {"Metadata": 5, "Level": 5}
POST /tools/bulk-content {"Resources": ["{study}", "nope", "{patient}"]}
POST /tools/bulk-content {"Resources": ["{study}"], "Level": "Instance"}
POST /tools/bulk-content {"Resources": ["{a1}", "{a2}"], "Level": "Series"}
POST /tools/bulk-content {"Resources": ["{a1}", "{a2}"], "Level": "Study", "Short": true}
POST /tools/bulk-content {"Resources": ["{patient}"], "Level": "Patient", "Full": true}
POST /tools/bulk-content {"Resources": ["{patient}"], "Metadata": false}
POST /tools/bulk-content {"Resources": ["{patient}"], "Metadata": 1}
POST /tools/bulk-content {"Resources": ["{patient}"], "Level": "Foo"}
POST /tools/bulk-content {"Resources": []}
POST /tools/bulk-content {"Resources": "x"}
POST /tools/bulk-content {"Resources": [1]}
POST /tools/bulk-content {}
POST /tools/bulk-content []
POST /tools/bulk-content
POST /tools/bulk-delete {}
POST /tools/bulk-delete []
POST /tools/bulk-delete
POST /tools/bulk-delete {"Resources": "{a1}"}
POST /tools/bulk-delete {"Resources": [1]}
POST /tools/bulk-delete {"Resources": []}
POST /tools/bulk-delete {"Resources": ["nope", "{a1}", "{series2}"]}
POST /tools/bulk-delete {"Resources": ["{patient}", "{a2}", "{patient}"]}
GET /statistics
"""


def _levels(text: str) -> str:
    return "".join(text.replace("{level}", level).replace("{id}", f"{{{name}}}") for level, name in LEVELS.items())


SCENARIOS = [
    Scenario("browse-lists", _levels(LISTS), TREE),
    Scenario("browse-paging-errors", PAGING_ERRORS, TREE),
    Scenario("browse-objects", _levels(OBJECTS), TREE),
    Scenario("browse-requested-tags", REQUESTED, TREE),
    Scenario("browse-children", CHILDREN, TREE),
    Scenario("browse-deletion", DELETION, TREE),
    Scenario("browse-protection", PROTECTION, TREE),
    Scenario("browse-series-status", SERIES_STATUS),
    Scenario("browse-bulk", BULK, TREE),
    Scenario(
        "browse-more-main-tags",
        """
        a1, study:ParentStudy, series:ParentSeries = POST /instances @a1
        GET /instances/{a1}
        GET /studies/{study}
        GET /series/{series}
        GET /instances/{a1}/metadata?expand
        POST /tools/find {"Level": "Instance", "Query": {"Rows": "4"}, "Expand": true}
        """,
        options={"ExtraMainDicomTags": {"Instance": ["Rows", "PixelSpacing"], "Study": ["StudyTime"], "Series": []}},
    ),
]
