"""HTTP itself: forms, verbs in queries, credentials nobody asks for, what browsers say of their pages."""

from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios.bodies.forms import form_bodies
from orthanc_lab.testing.scenarios.tree import TREE

_UPLOAD = (
    "POST /instances [Content-Type: multipart/form-data; boundary=cut] @{}\nGET /instances\nDELETE /instances/{{a1}}"
)
_FORM_TYPES = """
multipart/form-data; boundary=cut
multipart/form-data;boundary=cut
multipart/form-data  ;  boundary  =  cut
multipart/form-data; boundary = "cut"
multipart/form-data; boundary="cut"
multipart/form-data; boundary='cut'
multipart/form-data; boundary="cut
multipart/form-data; boundary=cut"
multipart/form-data; boundary="cut" x
multipart/form-data; boundary=\\"cut\\"
multipart/form-data; BOUNDARY=cut
Multipart/Form-Data; boundary=cut
multipart/form-data; charset=a; boundary=cut; x=y
multipart/form-data; boundary=other; boundary=cut
multipart/form-data; boundary=cut; boundary=other
multipart/form-data; boundary=cut; boundary
multipart/form-data; xboundary=other; boundary=cut
multipart/form-data; a="boundary=other"; boundary=cut
multipart/form-data; a=";boundary=other"; boundary=cut
multipart/form-data;; boundary=cut
multipart/form-data; =x; boundary=cut
multipart/form-data; boundary=cut x
multipart/form-data; boundary=cut=x
multipart/form-data; boundary="cut=x"
multipart/form-data; boundary="cut;x"
multipart/form-data; boundary=
multipart/form-data; boundary=""
multipart/form-data; boundary
multipart/form-data, boundary=cut
multipart/form-data boundary=cut
multipart/form-datax; boundary=cut
multipart/mixed; boundary=cut
multipart/related; boundary=cut
multipart
"""

_POSTED_FORMS = """
POST /tools/find @posted-none
POST /tools/find @posted-empty
POST /tools/find @posted-find
POST /tools/find @posted-find-twice
POST /tools/find @posted-find-then-broken
POST /tools/find @posted-two-errors
POST /tools/find @posted-no-name
POST /tools/find @posted-text-and-file
POST /tools/find @posted-garbage
POST /tools/find @posted-no-form
POST /tools/find/?a=b @posted-text
POST /tools/lookup @posted-text
POST /tools/create-dicom @posted-create
POST /tools/create-dicom @posted-create-up-to-an-error
GET /statistics
one:0.ID = POST /tools/lookup one
two:0.ID = POST /tools/lookup two
three:0.ID = POST /tools/lookup three
POST /tools/lookup four
DELETE /patients/{one}
DELETE /patients/{two}
DELETE /patients/{three}
POST /tools/create-archive @posted-archive
POST /tools/create-archive @posted-unknown
POST /tools/bulk-delete @posted-unknown
POST /tools/count-resources @posted-find
POST /studies/{study}/modify @posted-text
POST /studies/nope/modify @posted-create
POST /instances/{a1}/modify @posted-create
POST /jobs/nope/pause @posted-text
POST /jobs/nope/pause @posted-none
POST /modalities/nope/echo @posted-empty
POST /peers/nope/store @posted-empty
POST /queries/nope/retrieve @posted-empty
POST /instances @posted-none
POST /nope @posted-none
POST /nope @posted-text
POST /nope @posted-garbage
POST /system @posted-text
POST /tools/log-level @posted-text
POST / @posted-text
POST / @posted-none
POST /app/explorer.html @posted-text
POST /webdav/uploads/x @posted-text
POST /webdav/uploads/x @posted-none
PUT /tools/log-level @posted-text
PUT /modalities/node @posted-text
GET /tools/log-level @posted-text
GET /changes?_method=DELETE @posted-text
DELETE /changes @posted-text
""".replace(" @posted", " [Content-Type: multipart/form-data; boundary=cut] @posted")

_METHODS = """
GET /changes?_method=DELETE
GET /changes?_method=delete
GET /changes?_method=PUT
GET /changes?_method=POST
GET /changes?_method=GET
GET /changes?_method=FOO
GET /changes?_method=
GET /changes?_method
GET /changes?_Method=DELETE
GET /changes?%5Fmethod=DELETE
GET /changes?_method=D%45LETE
GET /changes?_method=DELETE%20
GET /changes?_method=DELETE=
GET /changes?_method==DELETE
GET /changes?limit=1&_method=DELETE
GET /changes?_method=PUT&_method=DELETE
GET /changes?_method=DELETE&_method=PUT
GET /changes?_method=&_method=DELETE
GET /changes?x_method=DELETE
POST /changes?_method=DELETE
PUT /changes?_method=DELETE
HEAD /changes?_method=DELETE
OPTIONS /changes?_method=DELETE
GET /changes?_method=DELETE [X-HTTP-Method-Override: GET]
GET /changes?_method=DELETE [X-HTTP-Method-Override: PUT]
GET /changes?_method=DELETE [X-HTTP-Method-Override: ]
GET /tools/metrics?_method=PUT 0
GET /tools/metrics
GET /tools/metrics?_method=put 1
GET /tools/metrics
GET /tools/metrics?_method=PUT x
GET /instances/{a1}/metadata/1024?_method=PUT value
GET /instances/{a1}/metadata/1024
GET /instances/{a1}/metadata/1024?_method=DELETE
GET /instances/{a1}/metadata/1024
GET /nope?_method=DELETE
GET /nope?_method=FOO
GET /?_method=DELETE
GET /app/explorer.html?_method=DELETE
"""

_CREDENTIALS = "\n".join(
    f"{request} [Authorization: {credentials}]"
    for credentials in (
        "Basic !!!!", "Basic", "Basic YTpi", "basic !!!!", "BASIC !!!!", "Basic YTpi!", "Basic YTp", "Basic YT pi",
        "Basic  YTpi", "Basic é", "Bearer !!!!", "Digest x", "Basic YQ==", "Basic ====", "Basic YT=pi", "Basic -_-_",
        "!!!!", "Basic YTpi,x",
    )
    for request in ("GET /tools/log-level", "GET /nope", "GET //tools/../nope/", "PUT /studies", "GET /",
                    "GET /changes?_method=DELETE")
)  # fmt: skip

_PAGES = "\n".join(
    f"{request} [{headers}]"
    for headers in (
        "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Site: none", "Origin: https://attacker.example", "Origin: null",
        "Sec-Fetch-Site: same-origin | Origin: https://proxy.example", "Host: pacs.example | Origin: http://pacs.example",
        "Host: pacs.example",
    )
    for request in ("GET /changes", "DELETE /exports", "GET /exports?_method=DELETE")
)  # fmt: skip

_DOWNLOADS = "\n".join(
    f"{request}?filename={name}"
    for name in ("x.dcm", 'a"b', "a\\b", "a%22b", "a;b", "a'b")
    for request in (
        "GET /instances/{a1}/file",
        "GET /instances/{a1}/attachments/dicom/data",
        "GET /series/{series}/archive",
    )
)

_ICON = """
GET /favicon.ico
GET //favicon.ico/?x=1
HEAD /favicon.ico
POST /favicon.ico
PUT /favicon.ico x
DELETE /favicon.ico
GET /app/images/favicon.ico
GET /app/favicon.ico
GET /app/images/nope.ico
"""

SCENARIOS = [
    Scenario(
        "http-forms",
        "\n".join(_UPLOAD.format(name) for name in form_bodies(b"") if name not in ("form-spaced", "form-no-headers"))
        + "\nPOST /instances [Content-Type: multipart/form-data; boundary=c u,t'] @form-spaced"
        + '\nPOST /instances [Content-Type: multipart/form-data; boundary="c u,t\'"] @form-spaced',
        before="a1 = POST /instances @a1\nDELETE /instances/{a1}",
    ),
    Scenario(
        "http-form-without-headers",
        "POST /instances [Content-Type: multipart/form-data; boundary=cut] @form-no-headers\nGET /instances",
    ),
    Scenario(
        "http-form-types",
        "\n".join(f"POST /instances [Content-Type: {line}] @multipart" for line in _FORM_TYPES.split("\n") if line),
    ),
    Scenario("http-forms-everywhere", _POSTED_FORMS, TREE),
    Scenario(
        "http-forms-read-only",
        "POST /instances [Content-Type: multipart/form-data; boundary=cut] @multipart\n"
        "POST /tools/create-dicom [Content-Type: multipart/form-data; boundary=cut] @posted-create\n"
        "POST /tools/bulk-delete [Content-Type: multipart/form-data; boundary=cut] @posted-unknown",
        options={"ReadOnly": True},
    ),
    Scenario(
        "http-forms-undescribed",
        "POST /tools/find [Content-Type: multipart/form-data; boundary=cut] @posted-two-errors\n"
        "POST /tools/find [Content-Type: multipart/form-data; boundary=cut] @posted-garbage\n"
        "POST /jobs/nope/pause [Content-Type: multipart/form-data; boundary=cut] @posted-text",
        options={"HttpDescribeErrors": False},
    ),
    Scenario(
        "http-keep-alive",
        "GET /system\nGET /nope\nPOST /instances @a1\nPUT /studies",
        options={"KeepAliveTimeout": 3, "TcpNoDelay": False},
    ),
    Scenario("http-method-in-query", _METHODS, TREE),
    Scenario("http-credentials-nobody-asks-for", _CREDENTIALS),
    Scenario("http-pages", _PAGES + "\nGET /app/explorer.html"),
    Scenario("http-icon", _ICON, options={"ReadOnly": True}),
    Scenario("http-icon-off", _ICON, options={"OrthancExplorerEnabled": False}),
    Scenario("http-names-of-downloads", _DOWNLOADS, TREE),
]
