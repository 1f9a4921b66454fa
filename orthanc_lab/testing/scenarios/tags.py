"""Tags of instances in every shape: full, short, simplified, header, content, modules, shared."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies.files import CHARSETS
from orthanc_lab.testing.scenarios.tree import TREE

ODD_FILES = ("ct", "plan", "report", "waveform", "private-sequence", "nested", "private", "odd-names", "dose")

SHAPES = """
GET /instances/{a1}/tags
GET /instances/{a1}/tags?simplify
GET /instances/{a1}/tags?short
GET /instances/{a1}/tags?full
GET /instances/{a1}/tags?simplify&short
GET /instances/{a1}/tags?simplify=false
GET /instances/{a1}/tags?ignore-length=PatientName
GET /instances/{a1}/tags?ignore-length=0010-0010
GET /instances/{a1}/tags?ignore-length=Foo
GET /instances/{a1}/tags?whole
GET /instances/{a1}/simplified-tags
GET /instances/{a1}/simplified-tags?ignore-length=PatientName
GET /instances/{a1}/header
GET /instances/{a1}/header?simplify
GET /instances/{a1}/header?short
GET /instances/{a1}/module
GET /instances/{a1}/module?simplify
GET /instances/{a1}/module?short
GET /series/{series}/module
GET /studies/{study}/module
GET /studies/{study}/module?simplify
GET /studies/{study}/module-patient
GET /studies/{study}/module-patient?simplify
GET /patients/{patient}/module
GET /patients/{patient}/module-patient
GET /series/{series}/module-patient
GET /instances/nope/tags
GET /instances/nope/simplified-tags
GET /instances/nope/header
GET /instances/nope/module
GET /studies/nope/module
GET /studies/nope/module-patient
GET /instances/{study}/tags
"""

ARGUMENTS = """
GET /instances/{a1}/{what}?ignore-length=PatientName,PatientID
GET /instances/{a1}/{what}?ignore-length=0010-0020,0010-0010
GET /instances/{a1}/{what}?ignore-length=0010,0020
GET /instances/{a1}/{what}?ignore-length=PatientName;PatientID
GET /instances/{a1}/{what}?ignore-length=PatientName,
GET /instances/{a1}/{what}?ignore-length=
GET /instances/{a1}/{what}?ignore-length=Foo,Bar
GET /instances/{a1}/{what}?whole=x
GET /instances/{a1}/{what}?whole=TRUE
GET /instances/{a1}/{what}?whole=-1
GET /instances/{a1}/{what}?whole=false
GET /instances/{a1}/{what}?whole=1
GET /instances/{a1}/{what}?whole=x&ignore-length=Foo
GET /instances/nope/{what}?whole=x
GET /instances/nope/{what}?ignore-length=PatientName,Foo
"""

SHARED = """
GET /patients/{patient}/shared-tags
GET /studies/{study}/shared-tags
GET /series/{series}/shared-tags
GET /series/{series}/shared-tags?simplify
GET /series/{series}/shared-tags?short
GET /patients/{patient}/instances-tags
GET /studies/{study}/instances-tags?simplify
GET /series/{series}/instances-tags?short
GET /instances/{a1}/instances-tags
GET /series/nope/shared-tags
GET /series/nope/instances-tags
"""

CONTENT = """
nested = POST /instances @nested
GET /instances/{a1}/content
GET /instances/{a1}/content/PatientName
GET /instances/{a1}/content/0010-0010
GET /instances/{a1}/content/0010,0010
GET /instances/{a1}/content/00100010
GET /instances/{a1}/content/patientname
GET /instances/{a1}/content/Foo
GET /instances/{a1}/content/0010-0020/0
GET /instances/{a1}/content/7fe0-0010
GET /instances/{a1}/content/7fe0-0010/0
GET /instances/{a1}/content/AccessionNumber
GET /instances/{a1}/content/InstitutionName
GET /instances/{a1}/content/0002-0010
GET /instances/nope/content
GET /instances/nope/content/PatientName
GET /instances/{nested}/content
GET /instances/{nested}/content/ReferencedImageSequence
GET /instances/{nested}/content/0008-1140/0
GET /instances/{nested}/content/0008-1140/1
GET /instances/{nested}/content/0008-1140/2
GET /instances/{nested}/content/0008-1140/x
GET /instances/{nested}/content/0008-1140/0/PatientName
GET /instances/{nested}/content/0008-1140/0/InstitutionName
GET /instances/{nested}/content/0008-1140/0/PatientName/0
rgb = POST /instances @jpeg-rgb
GET /instances/{rgb}/content/7fe0-0010
GET /instances/{rgb}/content/7fe0-0010/0
GET /instances/{rgb}/content/7fe0-0010/1
GET /instances/{rgb}/content/7fe0-0010/9
"""

FILES = """
GET /instances/{a1}/file
GET /instances/{a1}/file?filename=x.dcm
GET /instances/{a1}/file?filename=
GET /instances/{a1}/file?filename=a%20b.dcm
GET /instances/{a1}/file?transcode=1.2.840.10008.1.2
GET /instances/{a1}/file?transcode=1.2.840.10008.1.2.1.99
GET /instances/{a1}/file?transcode=nope
GET /instances/{a1}/file?transcode=
GET /instances/{a1}/file?transcode=1.2.840.10008.1.2.2
GET /instances/{a1}/file?transcode=1.2.840.10008.1.2.4.90
GET /instances/{a1}/file?transcode=1.2.840.10008.1.2.1&lossy-quality=x
GET /instances/{a1}/file?lossy-quality=x
GET /instances/{a1}/file?lossy-quality=x&transcode=nope
GET /instances/nope/file?lossy-quality=x&transcode=nope
GET /instances/nope/file?transcode=nope
GET /instances/{a1}/file [Accept: application/dicom]
GET /instances/{a1}/file [Accept: application/dicom+json]
GET /instances/{a1}/file [Accept: image/png]
GET /instances/{a1}/file [Range: bytes=0-9]
GET /instances/nope/file
POST /instances/{a1}/export /nonexistent/x.dcm
GET /instances/{a1}/pdf
GET /instances/nope/pdf
"""


def _files() -> str:
    lines = []
    for name in ODD_FILES:
        lines += [
            f"{name} = POST /instances @{name}",
            f"GET /instances/{{{name}}}/tags",
            f"GET /instances/{{{name}}}/simplified-tags",
            f"GET /instances/{{{name}}}/content",
            f"GET /instances/{{{name}}}",
        ]
    return "\n".join(lines)


def _arguments() -> str:
    lines = [ARGUMENTS.replace("{what}", what) for what in ("tags", "simplified-tags", "header", "module")]
    lines += ["GET /series/{series}/instances-tags?ignore-length=PatientName,PatientID&short"]
    lines += [
        f"GET /{resource}?ignore-length=PatientName,Foo"
        for resource in (
            "studies/{study}/module-patient",
            "series/{series}/instances-tags",
            "series/{series}/shared-tags",
        )
    ]
    return "\n".join(lines)


def _charsets() -> str:
    lines = []
    for name in CHARSETS:
        lines += [f"{name}, of-{name}:ParentPatient = POST /instances @{name}", f"GET /patients/{{of-{name}}}"]
        lines += [f"GET /instances/{{{name}}}/tags", f"GET /instances/{{{name}}}/content/PatientName"]
    return "\n".join(lines)


_ODD = ("trailing-padding", "private-of-nobody", "other-vrs", "stray-groups", "unknown-explicit", "runs-as-explicit")
_ASKED = ("GET tags", "GET tags?short", "GET file?transcode=1.2.840.10008.1.2.2", "POST modify {}", "POST anonymize {}")


def _odd_elements() -> str:
    lines = []
    for name in _ODD:
        lines.append(f"{name} = POST /instances @{name}")
        asked = (line for line in _ASKED if name != "stray-groups" or "tags" not in line)
        lines += [line.replace(" ", f" /instances/{{{name}}}/", 1) for line in asked]
    return "GENERATES\n" + "\n".join(lines)


SCENARIOS = [
    Scenario("tags-shapes", SHAPES, TREE),
    Scenario("tags-arguments", _arguments(), TREE),
    Scenario(
        "tags-verbs",
        "\n".join(
            f"{verb} /instances/{{a1}}/{what}"
            for verb in ("POST", "PUT", "DELETE")
            for what in ("content", "content/", "content/PatientID", "content/0008-1140/0/x", "tags", "file")
        ),
        TREE,
    ),
    Scenario("tags-shared", SHARED, TREE),
    Scenario("tags-content", CONTENT, TREE),
    Scenario("tags-files", FILES, TREE),
    Scenario("tags-of-odd-files", _files()),
    Scenario("tags-charsets", _charsets()),
    Scenario(
        "tags-default-encoding",
        """
        a1 = POST /instances @d1
        x = POST /instances @ct
        GET /instances/{a1}/simplified-tags
        PUT /tools/default-encoding Cyrillic
        GET /instances/{a1}/simplified-tags
        GET /instances/{x}/content/PatientName
        """,
        options={"DefaultEncoding": "Utf8"},
    ),
    Scenario("tags-odd-elements", _odd_elements()),
]
