"""/tools/create-dicom: media types, long values of parents, arrays that fail in the middle."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies import long_values

_TYPES = (
    "application/dicom", "application/dicom+json", "application/dicom+xml", "application/xml", "application/zip",
    "application/gzip", "application/javascript", "application/wasm", "application/x-font-woff",
    "application/x-nacl", "application/x-pnacl", "application/json", "application/x-www-form-urlencoded",
    "text/css", "text/html", "text/plain", "text/xml", "text/csv", "image/gif", "image/jp2", "image/svg+xml",
    "image/x-icon", "image/tiff", "font/woff", "font/woff2", "video/mp4", "model/vrml", "multipart/related",
    "Application/Dicom", "text/PLAIN", "image/PNG", "IMAGE/JPEG", "application",
)  # fmt: skip
_PNG = "data:image/png;base64,{b64:png8}"
_BAD_ITEMS = (
    '"data:image/png;base64,QUJD"', "12", "null", "{}", '{"Tags": {}}', '"data:foo/bar;base64,QUJD"', f'["{_PNG}"]',
    '"data:application/dicom;base64,QUJD"', '{"Content": 12}', f'{{"Content": "{_PNG}", "Tags": []}}',
    f'{{"Content": "{_PNG}", "Tags": {{"PatientID": "again", "Foo": "x"}}}}',
    f'{{"Content": "{_PNG}", "Tags": {{"Rows": "abc"}}}}',
)  # fmt: skip


def _types() -> str:
    lines = []
    for name in _TYPES:
        uri = f"data:{name};base64,QUJDRA=="
        lines.append(f'POST /tools/create-dicom {{"Tags": {{}}, "Content": "{uri}"}}')
        lines.append(f'POST /tools/create-dicom {{"Tags": {{}}, "Content": "{uri}", "Encapsulate": true}}')
        lines.append(f'POST /tools/create-dicom {{"Tags": {{}}, "Content": ["{uri}"]}}')
        lines.append(f'POST /tools/create-dicom {{"Tags": {{"EncapsulatedDocument": "{uri}"}}}}')
    return "\n".join(lines)


def _failing(parents: tuple[str, ...]) -> str:
    lines = []
    for parent in parents:
        field = f'"Parent": "{parent}"' if parent else '"Force": false'
        for bad in _BAD_ITEMS:
            for array in (f'"{_PNG}", {bad}', f'"{_PNG}", "{_PNG}", {bad}', f'{bad}, "{_PNG}"'):
                lines.append(f'POST /tools/create-dicom {{"Tags": {{}}, {field}, "Content": [{array}]}}')
                lines.append("GET /statistics")
    return "\n".join(["GENERATES", *lines, "GET /series", "GET /instances"])


def _long() -> str:
    lines = ["GENERATES"]
    for name in long_values.build():
        lines.append(f"{name}, series:ParentSeries, patient:ParentPatient = POST /instances @{name}")
        lines.append('made = POST /tools/create-dicom {"Parent": "{series}", "Tags": {}}')
        lines += ["GET /instances/{made}/tags?short", "DELETE /patients/{patient}"]
    return "\n".join(lines)


_A1 = "a1, series:ParentSeries, study:ParentStudy, patient:ParentPatient = POST /instances @a1"

SCENARIOS = [
    Scenario("create-types", _types()),
    Scenario("create-failing-arrays", _failing(("", "{study}", "{patient}")), _A1),
    Scenario(
        "create-failing-below-a-series",
        f"""
        POST /tools/create-dicom {{"Tags": {{}}, "Parent": "{{series}}", "Content": ["{_PNG}", 12]}}
        GET /statistics
        """,
        _A1,
    ),
    Scenario("create-long-values", _long()),
]
