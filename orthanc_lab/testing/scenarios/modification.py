"""/modify and /anonymize at every level, bulk-modify, bulk-anonymize."""

from itertools import combinations

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

# Answers are DICOM files: what comes out is compared element by element.
INSTANCE_MODIFY = (
    "{}",
    '{"Replace": {"PatientName": "New^Name"}}',
    '{"Replace": {"0010,0010": "New^Name", "InstitutionName": "added"}}',
    '{"Replace": {"PatientName": null}}',
    '{"Replace": {"PatientName": 12}}',
    '{"Replace": {"PatientName": ""}}',
    '{"Replace": {"PatientName": "Müller"}}',
    '{"Replace": {"PatientName": "山田"}}',
    '{"Replace": {"PatientComments": "data:text/plain;base64,QUJD"}}',
    '{"Replace": {"PatientComments": "data:text/plain;base64,QUJD"}, "InterpretBinaryTags": false}',
    '{"Replace": {"ReferencedImageSequence": [{"ReferencedSOPInstanceUID": "1.2.3"}]}}',
    '{"Replace": {"ReferencedImageSequence[0].PatientID": "x"}}',
    '{"Replace": {"Rows": "abc"}}',
    '{"Replace": {"Rows": "5"}}',
    '{"Replace": {"PixelData": "abc"}}',
    '{"Replace": {"Foo": "x"}}',
    '{"Replace": []}',
    '{"Replace": "x"}',
    '{"Remove": ["PatientName", "StudyDescription"]}',
    '{"Remove": ["Foo"]}',
    '{"Remove": "PatientName"}',
    '{"Remove": [12]}',
    '{"Remove": ["PatientID"]}',
    '{"Remove": ["PatientID"], "Force": true}',
    '{"Remove": ["SOPInstanceUID"], "Force": true}',
    '{"Keep": ["SOPInstanceUID"]}',
    '{"Keep": ["SOPInstanceUID"], "Force": true}',
    '{"Keep": ["PatientName"]}',
    '{"Keep": "SOPInstanceUID"}',
    '{"Keep": ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"], "Force": true}',
    '{"Replace": {"PatientID": "x"}}',
    '{"Replace": {"PatientID": "x"}, "Force": true}',
    '{"Replace": {"StudyInstanceUID": "1.2.3"}}',
    '{"Replace": {"StudyInstanceUID": "1.2.3"}, "Force": true}',
    '{"Replace": {"SOPInstanceUID": "1.2.3"}}',
    '{"Replace": {"SOPInstanceUID": "1.2.3"}, "Force": true}',
    '{"Replace": {"SeriesInstanceUID": "1.2.3"}, "Force": true}',
    '{"RemovePrivateTags": true}',
    '{"RemovePrivateTags": 1}',
    '{"Force": 1}',
    '{"KeepSource": 1}',
    '{"KeepSource": false}',
    '{"Asynchronous": true}',
    '{"Transcode": "1.2.840.10008.1.2"}',
    '{"Transcode": "nope"}',
    '{"Transcode": 12}',
    '{"PrivateCreator": "My Company", "Replace": {"0405,1001": "x"}}',
    '{"PrivateCreator": 12}',
    '{"Foo": 12}',
    "",
    "[]",
    "{",
    "null",
)

INSTANCE_ANONYMIZE = (
    "{}",
    '{"DicomVersion": "2008"}',
    '{"DicomVersion": "2017c"}',
    '{"DicomVersion": "2021b"}',
    '{"DicomVersion": "2023b"}',
    '{"DicomVersion": "1999"}',
    '{"DicomVersion": 2008}',
    '{"Keep": ["StudyDescription"]}',
    '{"Keep": ["PatientName", "StudyDate"]}',
    '{"Keep": ["SOPInstanceUID"]}',
    '{"Keep": ["SOPInstanceUID"], "Force": true}',
    '{"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "PatientID"], "Force": true}',
    '{"Keep": "x"}',
    '{"Keep": ["Foo"]}',
    '{"Replace": {"PatientName": "Anon", "PatientSex": "M"}}',
    '{"Replace": {"PatientID": "Anon"}}',
    '{"Replace": {"PatientID": "Anon"}, "Force": true}',
    '{"Remove": ["Modality"]}',
    '{"KeepPrivateTags": true}',
    '{"KeepPrivateTags": 1}',
    '{"Transcode": "1.2.840.10008.1.2"}',
    "",
    "[]",
)

STUDY = """
new:ID = POST /studies/{study}/modify {"Replace": {"StudyDescription": "x"}}
GET /studies/{new}
GET /studies/{new}/metadata?expand
GET /studies/{new}/instances
GET /patients/{patient}
GET /changes
serie = POST /series/{series2}/modify {"Replace": {"SeriesDescription": "x", "StudyDescription": "higher"}}
GET /series/{serie}
GET /series/{serie}/study
POST /patients/{patient2}/modify {"Replace": {"PatientID": "P5"}}
other = POST /patients/{patient2}/modify {"Replace": {"PatientID": "P5"}, "Force": true}
GET /patients/{other}
GET /patients/{other}/metadata?expand
pat = POST /patients/{patient2}/modify {"Replace": {"PatientName": "Renamed"}}
GET /patients/{pat}
POST /studies/{study}/modify {"Replace": {"PatientName": "Other"}}
POST /studies/{study}/modify {"Replace": {"PatientID": "P2"}, "Force": true}
POST /studies/{study}/modify {"Replace": {"PatientID": "P2", "PatientName": "x"}, "Force": true}
POST /studies/{study}/modify {"Replace": {"PatientID": "P6", "PatientName": "x"}, "Force": true}
POST /studies/{study}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true}
POST /studies/{study}/modify {"Keep": ["SeriesInstanceUID"], "Force": true}
POST /studies/{study}/modify {"Keep": ["SeriesInstanceUID"]}
POST /studies/{study}/modify {"Replace": {"Rows": "abc"}}
POST /studies/{study}/modify {"Replace": {"Rows": "abc"}, "Permissive": true}
POST /studies/{study}/modify {"Replace": {"PixelData": "abc"}}
POST /studies/{study}/modify
POST /studies/{study}/modify []
POST /studies/nope/modify {}
POST /series/nope/modify {}
POST /patients/nope/anonymize {}
POST /studies/{series2}/modify {}
POST /studies/{d1}/modify {}
PUT /studies/{study2}/labels/mine
labeled = POST /studies/{study2}/modify {"KeepLabels": true, "KeepSource": false}
GET /studies/{labeled}
GET /studies/{study2}
GET /statistics
job = POST /studies/{study}/modify {"Asynchronous": true, "Transcode": "1.2.840.10008.1.2", "Priority": 3}
WAIT {job}
GET /jobs/{job}
"""

ANONYMIZE = """
new = POST /studies/{study}/anonymize {}
GET /studies/{new}
GET /studies/{new}/metadata?expand
GET /studies/{new}/patient
first:0 = POST /tools/find {"Level": "Instance", "ParentStudy": "{new}", "Query": {"InstanceNumber": "2"}}
GET /studies/{new}/series
GET /studies/{new}/instances
GET /instances/{first}/file
GET /instances/{first}/metadata?expand
serie = POST /series/{series2}/anonymize {"Replace": {"PatientName": "Anon"}}
GET /series/{serie}/patient
pat = POST /patients/{patient2}/anonymize {"Keep": ["PatientName"], "DicomVersion": "2008"}
GET /patients/{pat}
POST /instances/{a1}/anonymize {}
next = POST /studies/{study2}/anonymize {"KeepSource": false}
GET /studies/{next}/patient
GET /studies/{study2}
POST /studies/{study}/anonymize {"DicomVersion": "1999"}
POST /studies/{study}/anonymize []
POST /studies/{study}/anonymize
job = POST /studies/{study}/anonymize {"Asynchronous": true}
WAIT {job}
GET /jobs/{job}
"""

NESTED = """
nested, nested-study:ParentStudy = POST /instances @nested
structures, structures-study:ParentStudy = POST /instances @structures
plan = POST /instances @plan
private = POST /instances @private
sequence = POST /instances @private-sequence
report = POST /instances @report
POST /instances/{nested}/modify {"Replace": {"ReferencedImageSequence[0].PatientName": "x"}}
POST /instances/{nested}/modify {"Replace": {"ReferencedImageSequence[*].PatientID": "x"}}
POST /instances/{nested}/modify {"Remove": ["ReferencedImageSequence[0].PatientName"]}
POST /instances/{nested}/modify {"Remove": ["ReferencedImageSequence[*].StudyDate"]}
POST /instances/{nested}/modify {"Remove": ["ReferencedImageSequence"]}
POST /instances/{nested}/anonymize {}
POST /instances/{nested}/anonymize {"Keep": ["ReferencedImageSequence"]}
POST /instances/{nested}/anonymize {"Keep": ["ReferencedImageSequence[0].StudyDate"]}
POST /instances/{nested}/anonymize {"Remove": ["ReferencedImageSequence[*].PatientName"]}
POST /instances/{structures}/modify {}
POST /instances/{structures}/anonymize {}
POST /instances/{plan}/anonymize {}
POST /instances/{plan}/anonymize {"DicomVersion": "2008"}
POST /instances/{private}/modify {"RemovePrivateTags": true}
POST /instances/{private}/anonymize {"KeepPrivateTags": true}
POST /instances/{private}/anonymize {}
POST /instances/{sequence}/modify {}
POST /instances/{sequence}/anonymize {"KeepPrivateTags": true}
POST /instances/{report}/modify {"Replace": {"PatientName": "x"}}
POST /instances/{report}/anonymize {}
POST /studies/{nested-study}/anonymize {}
"""

BULK = """
POST /tools/bulk-modify {"Resources": ["{a1}", "{series2}"], "Replace": {"ImageComments": "x"}}
POST /tools/bulk-modify {"Resources": ["{study2}"], "Level": "Study", "Replace": {"StudyDescription": "x"}}
POST /tools/bulk-modify {"Resources": ["{series2}"], "Level": "Series"}
POST /tools/bulk-modify {"Resources": ["{patient2}"], "Level": "Patient", "Replace": {"PatientID": "x"}, "Force": true}
POST /tools/bulk-modify {"Resources": ["{study}"], "Level": "Foo"}
POST /tools/bulk-modify {"Resources": []}
POST /tools/bulk-modify {"Resources": ["nope"]}
POST /tools/bulk-modify {}
POST /tools/bulk-modify []
POST /tools/bulk-modify
POST /tools/bulk-modify {"Resources": "x"}
POST /tools/bulk-anonymize {"Resources": ["{a1}", "{study3}"]}
POST /tools/bulk-anonymize {"Resources": []}
POST /tools/bulk-anonymize {"Resources": ["nope"]}
POST /tools/bulk-anonymize {}
POST /tools/bulk-anonymize {"Resources": ["{patient}"], "KeepSource": false}
GET /statistics
job = POST /tools/bulk-anonymize {"Resources": ["{patient2}"], "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
"""

IN_PLACE = """
POST /studies/{study}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true,
+ "Replace": {"StudyDescription": "in place"}}
GET /studies/{study}
GET /studies/{study}/metadata?expand
GET /instances/{a1}/simplified-tags
POST /instances/{a1}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true}
GET /statistics
"""

IN_PLACE_SEQUENCES = """
s1, sequences:ParentSeries, study:ParentStudy = POST /instances @scheduled
POST /instances @scheduled-2
POST /studies/{study}/anonymize {"Keep": ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"],
+ "Force": true}
GET /series/{sequences}
GET /series/{sequences}/metadata?expand
GET /studies/{study}
GET /studies/{study}/metadata?expand
GET /instances/{s1}/metadata?expand
"""

ITEMS = "ReferencedImageSequence"
PATHS = (
    f"{ITEMS}[1].PatientName", f"{ITEMS}[2].PatientName", f"{ITEMS}[9].PatientName", f"{ITEMS}[0]", f"{ITEMS}[*]",
    f"{ITEMS}[-1].PatientName", f"{ITEMS}[x].PatientName", f"{ITEMS}[].PatientName", f"{ITEMS}[ +0 ].PatientName",
    f"{ITEMS}[00].PatientName", f"{ITEMS}[ * ].PatientID", f"{ITEMS}[-05].PatientName", f"{ITEMS}[2147483648].Rows",
    f"{ITEMS}[ x ].PatientName", f"{ITEMS}[*].{ITEMS}[*].PatientName", f"{ITEMS}.PatientName", f"{ITEMS}[0]PatientName",
    f"{ITEMS}[0]..PatientName", f"{ITEMS}[0].", f"{ITEMS} [0] . PatientName ", "[0].PatientName", ".", " ", "",
    "PatientName[0].PatientName", f"{ITEMS}[0].Foo", "Foo[0].PatientName", "Foo[0.Foo", "Foo.Foo", " PatientName",
    f"{ITEMS}[0].StudyInstanceUID", f"{ITEMS}[*].SOPInstanceUID", "0008,1140[0].0010,0010", "00081140[*].00100010",
    f"{ITEMS}[0].PixelData", f"{ITEMS}[0].Rows", f"{ITEMS}[0].0009,1001", "PatientName\\u0000x", "\\u0000PatientName",
)  # fmt: skip
PATH_RULES = ('{{"Replace": {{"{}": "1.2"}}}}', '{{"Remove": ["{}"]}}', '{{"Keep": ["{}"]}}')

REFUSALS = """
POST /instances/{a1}/modify {"Remove": ["PatientID"], "Replace": 5}
POST /instances/{a1}/modify {"Remove": ["Foo", 5]}
POST /instances/{a1}/modify {"Remove": [5, "Foo"]}
POST /instances/{a1}/modify {"Replace": {"Foo": 1}, "Keep": 5}
POST /instances/{a1}/modify {"Remove": ["Foo"], "PrivateCreator": 5}
POST /instances/{a1}/modify {"Keep": ["Foo"], "Replace": {"PatientID": "x"}}
POST /instances/{a1}/modify {"Remove": ["PatientID"], "Force": true, "Transcode": 5}
POST /instances/{a1}/modify {"Replace": {"ReferencedImageSequence[0].Rows": "abc"}}
POST /instances/{a1}/anonymize {"Remove": ["Foo"], "KeepPrivateTags": 5}
POST /instances/{a1}/anonymize {"Keep": 5, "Replace": {"Bar": 1}}
POST /instances/{a1}/anonymize {"Remove": ["PatientID"], "Force": true}
POST /studies/{study}/modify {"Remove": ["PatientID"], "Force": true, "KeepSource": 5}
POST /studies/{study}/modify {"Remove": ["PatientID"], "Force": true}
POST /studies/{study}/modify {"Remove": ["PatientID"], "Force": true, "Permissive": true}
POST /studies/nope/modify {"Remove": ["SOPInstanceUID"], "Force": true}
POST /tools/bulk-modify {"Resources": ["{study}"], "Remove": ["SOPInstanceUID"], "Force": true}
POST /tools/bulk-modify {"Level": "Foo", "Remove": ["SOPInstanceUID"], "Force": true}
job = POST /studies/{study}/modify {"Remove": ["PatientID"], "Force": true, "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
POST /jobs/{job}/resubmit
WAIT {job}
GET /jobs/{job}
job = POST /tools/bulk-anonymize {"Resources": ["{study}"], "Replace": {"Rows": "abc"}, "Asynchronous": true}
WAIT {job}
GET /jobs/{job}
POST /instances/{a1}/anonymize {}
"""

PATIENT_TAGS = """
POST /studies/{study}/modify {"Replace": {"PatientSex": "M"}}
POST /studies/{study}/modify {"Replace": {"PatientName": "Test^P1"}}
POST /studies/{study}/modify {"Replace": {"PatientName": 5}}
POST /studies/{study}/modify {"Replace": {"PatientName": null}}
POST /studies/{study}/modify {"Replace": {"PatientID": null}, "Force": true}
POST /studies/{study}/modify {"Replace": {"PatientID": "p1", "PatientName": "y"}, "Force": true}
POST /studies/{study}/modify {"Replace": {"PatientID": "P1 ", "PatientName": "y"}, "Force": true}
POST /studies/{study3}/modify {"Replace": {"PatientID": "p1", "PatientName": "y"}, "Force": true}
POST /studies/{study}/modify {"Keep": ["PatientID"], "Force": true, "Replace": {"PatientName": "z"}}
POST /tools/bulk-modify {"Resources": ["{study}"], "Level": "Study", "Replace": {"PatientName": "x"}}
POST /tools/bulk-modify {"Resources": ["{study3}", "{study}"], "Level": "Study", "Replace": {"PatientName": "x"}}
POST /tools/bulk-modify {"Resources": ["{study}"], "Replace": {"StudyInstanceUID": "1.2.3", "PatientName": "x"},
+ "Force": true}
POST /tools/bulk-modify {"Resources": ["{a1}"], "Replace": {"StudyInstanceUID": "1.2.3"}, "Force": true}
POST /tools/bulk-modify {"Resources": ["{a1}"], "Replace": {"SeriesInstanceUID": "1.2.4"}, "Force": true}
POST /tools/bulk-modify {"Resources": ["{d1}"], "Replace": {"PatientID": "P7"}, "Force": true}
GET /studies?expand
GET /series?expand
"""

REFERENCES = """
set, set-study:ParentStudy = POST /instances @structure-set
POST /instances/{set}/anonymize {}
POST /instances/{set}/anonymize {"Replace": {"StudyInstanceUID": "1.2.3"}, "Force": true}
POST /instances/{set}/anonymize {"Keep": ["StudyInstanceUID"], "Force": true}
POST /instances/{set}/anonymize {"Keep": ["ReferencedSOPInstanceUID"]}
POST /instances/{set}/modify {"Replace": {"StudyInstanceUID": "1.2.3"}, "Force": true}
new = POST /studies/{set-study}/anonymize {}
first:0.ID = GET /studies/{new}/instances
GET /instances/{first}/file
"""

IN_PLACE_LABELS = """
PUT /instances/{a1}/labels/of-an-instance
PUT /instances/{d1}/labels/of-a-single-instance
PUT /series/{series}/labels/of-a-series
PUT /series/{series4}/labels/of-a-single-series
PUT /studies/{study}/labels/of-a-study
PUT /patients/{patient2}/labels/of-a-patient
POST /studies/{study}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true,
+ "KeepLabels": true, "Replace": {"StudyDescription": "in place"}}
POST /patients/{patient2}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true,
+ "KeepLabels": true}
GET /instances/{a1}/labels
GET /instances/{d1}/labels
GET /series/{series}/labels
GET /series/{series4}/labels
GET /studies/{study}/labels
GET /patients/{patient2}/labels
POST /patients/{patient2}/modify {"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true}
GET /instances/{d1}/labels
GET /series/{series4}/labels
GET /patients/{patient2}/labels
POST /tools/bulk-modify {"Resources": ["{a1}"], "Level": "Study", "KeepLabels": true, "Force": true,
+ "Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]}
GET /instances/{a1}/labels
"""


def _paths(call: str) -> str:
    return "\n".join(f"POST /instances/{{nested}}/{call} {rule.format(path)}" for path in PATHS for rule in PATH_RULES)


def _calls(route: str, bodies: tuple[str, ...]) -> str:
    return "\n".join(f"POST /instances/{{ct}}/{route} {body}".rstrip() for body in bodies)


_WRONG_TYPES = ("Force", "KeepLabels", "RemovePrivateTags", "KeepPrivateTags", "DicomVersion", "Remove", "Transcode")
_IDENTIFIER_NAMES = ("PatientID", "0010,0020", "0010-0020", "00100020", "0020,000D", "0008,0018")


def _what_is_refused_first(call: str) -> str:
    pairs = (f'{{"{first}": 5, "{second}": 5}}' for first, second in combinations(_WRONG_TYPES, 2))
    names = (f'{{"{rule}": ["{name}"]}}' for rule in ("Remove", "Keep") for name in _IDENTIFIER_NAMES)
    replaced = (f'{{"Replace": {{"{name}": "x"}}}}' for name in _IDENTIFIER_NAMES)
    return "\n".join(f"POST /instances/{{a1}}/{call} {body}" for body in (*pairs, *names, *replaced))


_CLASSES = (
    '"Remove": ["SOPClassUID"]',
    *(f'"Replace": {{"SOPClassUID": {value}}}' for value in ('""', "null", "5", "[]")),
)
_NEW_VALUES = (
    '"SOPInstanceUID": ""', '"SOPInstanceUID": null', '"SeriesInstanceUID": null', '"StudyInstanceUID": 5',
    '"PixelData": ""', '"PixelData": "xx"', '"PixelData": "data:application/octet-stream;base64,AAAA"',
    '"0008,0000": 5', '"0008,0000": null', '"7fe0,0000": []', '"0010,0000": "5"',
    '"FrameOfReferenceUID": "1.2\\n.3"', '"FrameOfReferenceUID": " 1. 2\\t\\r"', '"FrameOfReferenceUID": "\\n"',
    '"SpecificCharacterSet": "é中", "PatientName": "é"', '"SpecificCharacterSet": "ISO_IR 192é"',
    '"SpecificCharacterSet": "ISO_IR 144Ж", "PatientName": "Ж"',
)  # fmt: skip


def _values(call: str) -> str:
    bodies = [f"{{{rule}}}" for rule in _CLASSES]
    bodies += [f'{{"Replace": {{{value}}}, "Force": true}}' for value in _NEW_VALUES]
    lines = [f"POST /instances/{{{file}}}/{call} {body}" for file in ("a1", "rle") for body in bodies]
    lines.append(
        f'POST /instances/{{rle}}/{call} {{"Replace": {{"PixelData": "xx"}}, "Transcode": "1.2.840.10008.1.2"}}'
    )
    lines.append(f'POST /series/{{series}}/{call} {{"Replace": {{"PixelData": "xx"}}}}')
    return "\n".join(lines)


_VALUES_BEFORE = "a1 = POST /instances @a1\nrle, series:ParentSeries = POST /instances @mr-rle"

_KEPT_UIDS = '"Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"], "Force": true'

# A study of which all UIDs are kept is modified in place only if its patient stays the same.
_OTHER_PATIENT = "".join(
    f"""
    POST /tools/create-dicom {{"Tags": {{"PatientID": "other", "PatientName": "O"}}}}
    POST /studies/{{study}}/{verb} {{"Replace": {{{replaced}}}, {_KEPT_UIDS}}}
    POST /patients/{{patient}}/{verb} {{"Replace": {{{replaced}}}, {_KEPT_UIDS}}}
    POST /series/{{series}}/{verb} {{"Replace": {{{replaced}}}, {_KEPT_UIDS}}}
    POST /tools/bulk-{verb} {{"Resources": ["{{study}}"], "Level": "Study", "Replace": {{{replaced}}}, {_KEPT_UIDS}}}
    GET /statistics
    GET /studies/{{study}}/statistics
    """
    for verb in ("modify", "anonymize")
    for replaced in ("", '"PatientName": "N"', '"PatientID": "new"', '"PatientID": "other"', '"PatientID": "p1"',
                     '"PatientID": "other", "PatientName": "O"', '"PatientID": "new", "StudyInstanceUID": "1.2.3"')
)  # fmt: skip

SCENARIOS = [
    Scenario("modify-instance", _calls("modify", INSTANCE_MODIFY), "ct = POST /instances @ct"),
    Scenario("anonymize-instance", _calls("anonymize", INSTANCE_ANONYMIZE), "ct = POST /instances @ct"),
    Scenario("modify-values", _values("modify"), _VALUES_BEFORE),
    Scenario("anonymize-values", _values("anonymize"), _VALUES_BEFORE),
    Scenario("modify-levels", STUDY, TREE),
    Scenario("anonymize-levels", ANONYMIZE, TREE),
    Scenario("modify-nested", NESTED),
    Scenario("modify-bulk", BULK, TREE),
    Scenario("modify-in-place", IN_PLACE, TREE, options={"OverwriteInstances": True}),
    Scenario("modify-paths", _paths("modify"), "nested = POST /instances @nested"),
    Scenario("anonymize-paths", _paths("anonymize"), "nested = POST /instances @nested"),
    Scenario("modify-refusals", REFUSALS, TREE),
    Scenario("modify-refused-first", _what_is_refused_first("modify"), "a1 = POST /instances @a1"),
    Scenario("anonymize-refused-first", _what_is_refused_first("anonymize"), "a1 = POST /instances @a1"),
    Scenario("anonymize-in-place", IN_PLACE_SEQUENCES, options={"OverwriteInstances": True}),
    Scenario("modify-patient-tags", PATIENT_TAGS, TREE),
    Scenario("anonymize-references", REFERENCES),
    Scenario("modify-in-place-labels", IN_PLACE_LABELS, TREE, options={"OverwriteInstances": True}),
    Scenario(
        "modification-of-sources-that-fail",
        """
        POST /studies/{study}/modify {"Replace": {"Rows": "x"}, "KeepSource": false}
        GET /studies/{study}/statistics
        POST /studies/{study}/modify {"Replace": {"Rows": "x"}, "KeepSource": false, "Permissive": true}
        GET /studies/{study}/statistics
        """,
        TREE,
    ),
    Scenario("modification-of-patients-with-kept-identifiers", _OTHER_PATIENT, TREE),
]
