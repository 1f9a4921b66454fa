"""/tools/create-dicom: tags, parents, contents, arrays, private tags, errors."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.tree import TREE

_CREATE = "POST /tools/create-dicom "

TAG_VALUES = (
    "{}",
    '{"PatientName": "A^B", "PatientID": "7"}',
    '{"0010,0020": "8"}',
    '{"0010-0020": "9"}',
    '{"00100020": "10"}',
    '{"(0010,0020)": "11"}',
    '{"patientid": "12"}',
    '{"Patient ID": "13"}',
    '{"PatientsName": "14"}',
    '{"0010-20": "15"}',
    '{"ReferencedImageSequence[0].PatientID": "16"}',
    '{"PatientID": "a", "0010,0020": "b"}',
    '{"PatientID": null}',
    '{"PatientID": 12}',
    '{"PatientID": true}',
    '{"PatientID": {}}',
    '{"PatientID": ["a", "b"]}',
    '{"PatientID": []}',
    '{"ImageType": "ORIGINAL\\\\PRIMARY"}',
    '{"ReferencedImageSequence": []}',
    '{"ReferencedImageSequence": [{}]}',
    '{"ReferencedImageSequence": [{"ReferencedSOPInstanceUID": "1.2.3", "PatientName": "N"}, {"Modality": "CT"}]}',
    '{"ReferencedImageSequence": [{"ReferencedImageSequence": [{"PatientID": "deep"}]}]}',
    '{"ReferencedImageSequence": ["x"]}',
    '{"ReferencedImageSequence": [12]}',
    '{"ReferencedImageSequence": "x"}',
    '{"ReferencedImageSequence": {}}',
    '{"ReferencedImageSequence": [{"Foo": "x"}]}',
    '{"Rows": "abc"}',
    '{"Rows": "12"}',
    '{"Rows": "-1"}',
    '{"Rows": "99999"}',
    '{"Rows": "1.5"}',
    '{"Rows": ""}',
    '{"SmallestImagePixelValue": "3"}',
    '{"StudyDate": "not a date"}',
    '{"StudyTime": "25"}',
    '{"InstanceNumber": "abc"}',
    '{"PixelSpacing": "a\\\\b"}',
    '{"Modality": "lower case and rather long indeed"}',
    '{"RecommendedDisplayFrameRateInFloat": "1.5"}',
    '{"RecommendedDisplayFrameRateInFloat": "x"}',
    '{"EventTimeOffset": "2.25"}',
    '{"FrameIncrementPointer": "0018,1063"}',
    '{"FrameIncrementPointer": "x"}',
    '{"PixelData": "abc"}',
    '{"7fe0-0010": "data:image/png;base64,{b64:png8}"}',
    '{"PatientName": "data:text/plain;base64,QUJD"}',
    '{"PatientName": "data:application/octet-stream;base64,QUJDRA=="}',
    '{"EncapsulatedDocument": "data:application/octet-stream;base64,QUJDRA=="}',
    '{"EncapsulatedDocument": "QUJDRA=="}',
    '{"RedPaletteColorLookupTableData": "abc"}',
    '{"RedPaletteColorLookupTableData": "abcd"}',
    '{"0002,0010": "1.2.840.10008.1.2"}',
    '{"TransferSyntaxUID": "1.2.840.10008.1.2"}',
    '{"0008-9999": "x"}',
    '{"0011-1001": "x"}',
    '{"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}',
    '{"SOPInstanceUID": "1.2.3"}',
    '{"StudyInstanceUID": "1.2.3"}',
    '{"SeriesInstanceUID": "1.2.3"}',
    '{"StudyDate": "20010203", "SeriesTime": "010203", "ContentDate": "20010203", "AcquisitionTime": "1"}',
    '{"InstanceCreationDate": "20010203"}',
    '{"SpecificCharacterSet": "ISO_IR 192", "PatientName": "山田^é"}',
    '{"SpecificCharacterSet": "ISO_IR 100", "PatientName": "山田^é"}',
    '{"SpecificCharacterSet": "ISO_IR 6", "PatientName": "山田^é"}',
    '{"SpecificCharacterSet": "ISO_IR 144", "PatientName": "Иван"}',
    '{"SpecificCharacterSet": "ISO_IR 13", "PatientName": "ﾔﾏﾀﾞ"}',
    '{"SpecificCharacterSet": "GB18030", "PatientName": "王"}',
    '{"SpecificCharacterSet": "nope"}',
    '{"SpecificCharacterSet": "\\\\ISO 2022 IR 87"}',
    '{"SpecificCharacterSet": ""}',
    '{"SpecificCharacterSet": 12}',
    '{"PatientName": "山田^é"}',
    '{"Foo": "x"}',
)

BODIES = (
    "",
    '{"Tags": {}, "Parent": "nope", "Force": 1}',
    '{"Tags": {}, "Parent": "nope", "InterpretBinaryTags": 1}',
    '{"Tags": {}, "Parent": "nope", "PrivateCreator": 1}',
    '{"Tags": {"SpecificCharacterSet": "nope"}, "Parent": "nope"}',
    "{",
    "[]",
    "null",
    '"x"',
    '{"Tags": []}',
    '{"Tags": null}',
    '{"Tags": "x"}',
    '{"Tags": {}, "Force": 1}',
    '{"Tags": {}, "Force": "true"}',
    '{"Tags": {}, "InterpretBinaryTags": 1}',
    '{"Tags": {}, "PrivateCreator": 1}',
    '{"Tags": {}, "Content": null}',
    '{"Tags": {}, "Content": 12}',
    '{"Tags": {}, "Content": {}}',
    '{"Tags": {}, "Content": []}',
    '{"Tags": {}, "Content": ""}',
    '{"Tags": {}, "Encapsulate": true}',
    '{"Tags": {}, "Encapsulate": 1}',
    '{"Tags": {}, "Foo": 12}',
    '{"Tags": {"PatientName": "data:text/plain;base64,QUJD"}, "InterpretBinaryTags": false}',
    '{"Tags": {"SOPInstanceUID": "1.2.826.0.1.3680043.10.9.1", "StudyInstanceUID": "1.2.3"}, "Force": true}',
)

LEGACY = (
    "{}",
    '{"PatientName": "A^B"}',
    '{"PatientName": "A^B", "PixelData": "data:image/png;base64,{b64:png8}"}',
    '{"PatientName": 12}',
    '{"Content": "data:image/png;base64,{b64:png8}"}',
    '{"StudyDate": "20200101", "PatientID": "legacy"}',
    '{"Foo": "x"}',
    '{"PixelData": "x"}',
    '{"SOPInstanceUID": "1.2.3"}',
)

CONTENTS = (
    "data:image/png;base64,{b64:png8}",
    "data:image/png;base64,{b64:png16}",
    "data:image/png;base64,{b64:png-rgb}",
    "data:image/png;base64,{b64:png-rgba}",
    "data:image/png;base64,{b64:png-palette}",
    "data:image/png;base64,{b64:png-gray-alpha}",
    "data:image/png;base64,{b64:png1}",
    "data:image/png;base64,{b64:png-broken}",
    "data:image/png;base64,{b64:png-corrupt}",
    "data:image/png;base64,{b64:text}",
    "data:image/png;base64,",
    "data:image/png;base64,!!!",
    "data:image/png;base64,QQ",
    "data:image/png,{b64:png8}",
    "data:image/png;charset=utf-8;base64,{b64:png8}",
    "DATA:IMAGE/PNG;base64,{b64:png8}",
    "data:image/png;BASE64,{b64:png8}",
    "data:;base64,{b64:png8}",
    "{b64:png8}",
    "data:image/jpeg;base64,{b64:png8}",
    "data:image/jpeg;base64,{b64:jpeg}",
    "data:image/jpg;base64,{b64:jpeg-gray}",
    "data:image/jpeg;base64,{b64:jpeg-progressive}",
    "data:image/jpeg;base64,{b64:jpeg-cmyk}",
    "data:image/jpeg;base64,{b64:jpeg-broken}",
    "data:image/jpeg;base64,",
    "data:image/x-portable-arbitrarymap;base64,{b64:pam}",
    "data:image/x-portable-arbitrarymap;base64,{b64:pam-broken}",
    "data:application/octet-stream;base64,{b64:raw32}",
    "data:application/octet-stream;base64,{b64:raw-odd}",
    "data:application/pdf;base64,{b64:pdf}",
    "data:application/pdf;base64,{b64:pdf-even}",
    "data:application/pdf;base64,{b64:pdf-odd}",
    "data:application/pdf;base64,{b64:text}",
    "data:application/pdf;base64,",
    "data:model/stl;base64,{b64:stl}",
    "data:model/obj;base64,{b64:obj}",
    "data:model/mtl;base64,{b64:mtl}",
    "data:application/stl;base64,{b64:stl}",
    "data:text/plain;base64,{b64:text}",
    "data:image/gif;base64,{b64:text}",
    "data:image/jp2;base64,{b64:text}",
    "data:application/json;base64,{b64:text}",
    "data:foo/bar;base64,{b64:text}",
)

MORE_IMAGES = """
x = POST /tools/create-dicom {"Tags": {"PhotometricInterpretation": "MONOCHROME1", "NumberOfFrames": "1", "Rows": "99"},
+ "Content": "data:image/png;base64,{b64:png8}"}
GET /instances/{x}/file
y = POST /tools/create-dicom {"Tags": {"PhotometricInterpretation": "MONOCHROME1", "PlanarConfiguration": "1"},
+ "Content": "data:image/png;base64,{b64:png-rgb}"}
GET /instances/{y}/file
z = POST /tools/create-dicom {"Tags": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"},
+ "Content": "data:image/jpeg;base64,{b64:jpeg}"}
GET /instances/{z}/file
GET /instances/{z}/preview
GET /instances/{z}/metadata?expand
GET /instances/{z}
w = POST /tools/create-dicom {"Tags": {"Modality": "SC", "SOPClassUID": "1.2.3",
+ "MIMETypeOfEncapsulatedDocument": "x/y"}, "Content": "data:application/pdf;base64,{b64:pdf}"}
GET /instances/{w}/file
GET /instances/{w}/pdf
"""

ENCAPSULATED = """
a = POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg}", "Encapsulate": true}
GET /instances/{a}/file
GET /instances/{a}/content/7fe0-0010
GET /instances/{a}/content/7fe0-0010/1
GET /instances/{a}/preview
b = POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg-gray}", "Encapsulate": true}
GET /instances/{b}/file
c = POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg-progressive}",
+ "Encapsulate": true}
GET /instances/{c}/file
POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg-cmyk}", "Encapsulate": true}
POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg-broken}", "Encapsulate": true}
POST /tools/create-dicom {"Tags": {}, "Content": "data:image/png;base64,{b64:png8}", "Encapsulate": true}
POST /tools/create-dicom {"Tags": {}, "Content": "data:application/pdf;base64,{b64:pdf}", "Encapsulate": true}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/jpeg;base64,{b64:jpeg}"], "Encapsulate": true}
POST /tools/create-dicom {"Tags": {}, "Content": "data:image/jpeg;base64,{b64:jpeg}", "Encapsulate": 1}
"""

PARENT = """
x = POST /tools/create-dicom {"Tags": {}, "Parent": "{patient}"}
GET /instances/{x}/file
y = POST /tools/create-dicom {"Tags": {"Modality": "OT"}, "Parent": "{study}"}
GET /instances/{y}/file
z = POST /tools/create-dicom {"Tags": {"InstanceNumber": "12"}, "Parent": "{series}"}
GET /instances/{z}/file
GET /series/{series}
g = POST /tools/create-dicom {"Tags": {"PatientComments": "é"}, "Parent": "{patient2}"}
GET /instances/{g}/file
f = POST /tools/create-dicom {"Tags": {"PatientName": "Forced"}, "Parent": "{study2}", "Force": true}
GET /instances/{f}/file
POST /tools/create-dicom {"Tags": {}, "Parent": "nope"}
POST /tools/create-dicom {"Tags": {}, "Parent": null}
POST /tools/create-dicom {"Tags": {}, "Parent": 12}
POST /tools/create-dicom {"Tags": {}, "Parent": ""}
POST /tools/create-dicom {"Tags": {}, "Parent": "{a1}"}
POST /tools/create-dicom {"Tags": {"PatientName": "x"}, "Parent": "{patient}"}
POST /tools/create-dicom {"Tags": {"0010,0010": "x"}, "Parent": "{patient}"}
POST /tools/create-dicom {"Tags": {"PatientSex": "M"}, "Parent": "{study}"}
POST /tools/create-dicom {"Tags": {"StudyDescription": "x"}, "Parent": "{study}"}
POST /tools/create-dicom {"Tags": {"StudyInstanceUID": "1.2.826.0.1.3680043.10.1.1"}, "Parent": "{study}"}
POST /tools/create-dicom {"Tags": {"Modality": "x"}, "Parent": "{series}"}
POST /tools/create-dicom {"Tags": {"StudyDescription": "x"}, "Parent": "{patient}"}
POST /tools/create-dicom {"Tags": {"PatientWeight": "70"}, "Parent": "{patient}"}
POST /tools/create-dicom {"Tags": {"StudyDate": "20220202"}, "Parent": "{study}"}
POST /tools/create-dicom {"Tags": {"SpecificCharacterSet": "ISO_IR 192", "PatientComments": "é"}, "Parent": "{study}"}
new:ParentPatient = POST /tools/create-dicom {"Tags": {"PatientID": "other"}, "Parent": "{study}"}
GET /patients/{new}
POST /tools/create-dicom {"Tags": {"SOPInstanceUID": "1.2.826.0.1.3680043.10.1.1.1.1"}, "Parent": "{series}",
+ "Force": true}
pdf, pdf-series:ParentSeries = POST /tools/create-dicom {"Tags": {}, "Parent": "{study}",
+ "Content": "data:application/pdf;base64,{b64:pdf}"}
GET /instances/{pdf}/pdf
GET /series/{pdf-series}
GET /studies/{study}
dose, dose-study:ParentStudy = POST /instances @dose
d = POST /tools/create-dicom {"Tags": {}, "Parent": "{dose-study}"}
GET /instances/{d}/file
"""

ARRAYS = """
series, study:ParentStudy = POST /tools/create-dicom {"Tags": {"PatientName": "x", "Modality": "SC"}, "Content": [
+ "data:image/png;base64,{b64:png8}", {"Content": "data:image/png;base64,{b64:png16}", "Tags": {"ImageComments": "2"}},
+ "data:image/jpeg;base64,{b64:jpeg}"]}
GET /series/{series}
one:0 = POST /tools/find {"Level": "Instance", "ParentSeries": "{series}", "Query": {"InstanceNumber": "1"}}
two:0 = POST /tools/find {"Level": "Instance", "ParentSeries": "{series}", "Query": {"InstanceNumber": "2"}}
three:0 = POST /tools/find {"Level": "Instance", "ParentSeries": "{series}", "Query": {"InstanceNumber": "3"}}
GET /series/{series}/instances
GET /instances/{one}/file
GET /instances/{two}/file
GET /instances/{three}/file
mixed = POST /tools/create-dicom {"Tags": {}, "Content": ["data:application/pdf;base64,{b64:pdf}",
+ "data:application/octet-stream;base64,{b64:raw32}"]}
GET /series/{mixed}
numbered = POST /tools/create-dicom {"Tags": {"InstanceNumber": "5"}, "Content": [
+ {"Content": "data:image/png;base64,{b64:png8}", "Tags": {"ImageComments": "9"}}]}
GET /series/{numbered}
POST /tools/create-dicom {"Tags": {"PatientName": "x"}, "Content": [{"Content": "data:image/png;base64,{b64:png8}",
+ "Tags": {"PatientName": "y"}}]}
POST /tools/create-dicom {"Tags": {"PatientName": "x"}, "Content": ["data:image/png;base64,{b64:png8}",
+ {"Content": "data:image/png;base64,{b64:png8}", "Tags": {"PatientName": "y"}}]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", {}]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", {"Tags": {}}]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", 12]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", null]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", []]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", "nope"]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}", {"Content": 12}]}
POST /tools/create-dicom {"Tags": {}, "Content": ["data:image/png;base64,{b64:png8}",
+ {"Content": "data:image/png;base64,{b64:png8}", "Tags": 12}]}
POST /tools/create-dicom {"Tags": {}, "Content": [{}]}
POST /tools/create-dicom {"Tags": {}, "Content": [12]}
POST /tools/create-dicom {"Tags": {}, "Content": ["nope"]}
POST /tools/create-dicom {"Tags": {}, "Parent": "{study}", "Content": ["data:image/png;base64,{b64:png8}"]}
GET /studies/{study}
GET /statistics
GET /changes
"""

PRIVATE = (
    '{"PrivateCreator": "My Company", "Tags": {"PrivateCreatorForMyCompany": "My Company", "MyPrivateXMLTag": "<x/>"}}',
    '{"PrivateCreator": "My Company", "Tags": {"PatientName": "Love^Sarah", "PatientID": "7",'
    ' "PrivateCreatorForMyCompany": "My Company", "MyPrivateXMLTag": "<xml><test>Testing</test></xml>"}}',
    '{"PrivateCreator": "My Company", "Tags": {"MyPrivateXMLTag": "<x/>"}}',
    '{"Tags": {"PrivateCreatorForMyCompany": "My Company", "MyPrivateXMLTag": "<x/>"}}',
    '{"PrivateCreator": "Other", "Tags": {"MyPrivateXMLTag": "<x/>"}}',
    '{"PrivateCreator": "", "Tags": {"MyPrivateXMLTag": "<x>"}}',
    '{"PrivateCreator": "My Company", "Tags": {"0405,0010": "My Company", "0405,1001": "abc"}}',
    '{"PrivateCreator": "My Company", "Tags": {"0405,1099": "abc"}}',
    '{"PrivateCreator": "My Company", "Tags": {"0407,1001": "abc"}}',
    '{"PrivateCreator": "My Company", "Tags": {"0405,02": "abc"}}',
    '{"PrivateCreator": "My Company", "Tags": {"MyNumber": "12"}}',
    '{"PrivateCreator": "My Company", "Tags": {"MyNumber": "x"}}',
    '{"PrivateCreator": "My Company", "Tags": {"MySequence": [{"MyPrivateXMLTag": "in", "PatientID": "x"}]}}',
    '{"PrivateCreator": "My Company", "Tags": {"MySequence": []}}',
    '{"Tags": {"MySequence": [{"PatientID": "x"}]}}',
)

DICTIONARY = {
    "0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, "My Company"],
    "0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"],
    "0405-1002": ["US", "MyNumber", 1, 0, "My Company"],
    "04051003": ["SQ", "MySequence", 1, 1, "My Company"],
}

PRIVATE_READ = """
x = POST /tools/create-dicom {"PrivateCreator": "My Company", "Tags": {"PrivateCreatorForMyCompany": "My Company",
+ "MyPrivateXMLTag": "<x/>", "MyNumber": "12"}}
GET /instances/{x}/tags
GET /instances/{x}/tags?simplify
GET /instances/{x}/simplified-tags
GET /instances/{x}/content
GET /instances/{x}/content/0405-1001
GET /instances/{x}/content/MyPrivateXMLTag
POST /tools/find {"Level": "Instance", "Query": {"MyPrivateXMLTag": "*"}}
POST /tools/find {"Level": "Instance", "Query": {}, "Expand": true, "RequestedTags": ["MyPrivateXMLTag"]}
y = POST /instances @private
GET /instances/{y}/simplified-tags
"""


def _made(bodies: list[str]) -> str:
    """Create an instance of each body and look at the file that came out."""
    lines = []
    for index, body in enumerate(bodies):
        lines += [f"x{index} = {_CREATE}{body}".rstrip(), f"GET /instances/{{x{index}}}/file"]
    return "\n".join(lines)


SCENARIOS = [
    Scenario("create-tags", _made([f'{{"Tags": {tags}}}' for tags in TAG_VALUES])),
    Scenario("create-tags-forced", _made([f'{{"Tags": {tags}, "Force": true}}' for tags in TAG_VALUES[57:64]])),
    Scenario("create-bodies", _made(list(BODIES))),
    Scenario("create-legacy", _made(list(LEGACY))),
    Scenario("create-contents", _made([f'{{"Tags": {{}}, "Content": "{content}"}}' for content in CONTENTS])),
    Scenario("create-images", MORE_IMAGES),
    Scenario("create-encapsulated", ENCAPSULATED),
    Scenario("create-parent", PARENT, TREE),
    Scenario("create-arrays", ARRAYS),
    Scenario("create-private", _made(list(PRIVATE)), options={"Dictionary": DICTIONARY}),
    Scenario(
        "create-private-by-default",
        _made(list(PRIVATE)),
        options={"Dictionary": DICTIONARY, "DefaultPrivateCreator": "My Company"},
    ),
    Scenario("create-private-read", PRIVATE_READ, options={"Dictionary": DICTIONARY}),
    Scenario(
        "create-default-encoding",
        _made([f'{{"Tags": {tags}}}' for tags in ('{"PatientName": "山田^é"}', '{"PatientName": "Иван"}')]),
        options={"DefaultEncoding": "Utf8"},
    ),
    Scenario(
        "create-overwrite",
        """
        x = POST /tools/create-dicom {"Tags": {"SOPInstanceUID": "1.2.3.1", "StudyInstanceUID": "1.2.3.2",
        + "SeriesInstanceUID": "1.2.3.3", "PatientID": "O", "PatientName": "one"}, "Force": true}
        POST /tools/create-dicom {"Tags": {"SOPInstanceUID": "1.2.3.1", "StudyInstanceUID": "1.2.3.2",
        + "SeriesInstanceUID": "1.2.3.3", "PatientID": "O", "PatientName": "two"}, "Force": true}
        GET /instances/{x}/simplified-tags
        """,
        options={"OverwriteInstances": True},
    ),
    Scenario(
        "create-already-stored",
        """
        x = POST /tools/create-dicom {"Tags": {"SOPInstanceUID": "1.2.3.1", "StudyInstanceUID": "1.2.3.2",
        + "SeriesInstanceUID": "1.2.3.3", "PatientID": "O", "PatientName": "one"}, "Force": true}
        POST /tools/create-dicom {"Tags": {"SOPInstanceUID": "1.2.3.1", "StudyInstanceUID": "1.2.3.2",
        + "SeriesInstanceUID": "1.2.3.3", "PatientID": "O", "PatientName": "two"}, "Force": true}
        GET /instances/{x}/simplified-tags
        """,
    ),
]
