"""The server itself: rest-core §3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.protocol.verbosity import set_verbosity, verbosity_of
from orthanc_lab.rest.application import ROUTES
from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Rest
from tests.rest.files import dicom_file

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def test_system(library: Rest) -> None:
    system = library.json("/system")
    assert re.fullmatch(r"([0-9a-f]{8}-){4}[0-9a-f]{8}", system.pop("DatabaseServerIdentifier"))
    assert system.pop("HttpPort") == library.server.settings["HttpPort"]
    assert system.pop("DicomPort") == library.server.settings["DicomPort"]
    tags = system.pop("MainDicomTags")
    assert tags["Patient"] == "0010,0010;0010,0020;0010,0030;0010,0040;0010,1000"
    assert set(tags) == {"Patient", "Study", "Series", "Instance"}
    assert system == {
        "ApiVersion": 27,
        "Capabilities": {"HasExtendedChanges": True, "HasExtendedFind": True},
        "CheckRevisions": False,
        "DatabaseBackendPlugin": None,
        "DatabaseVersion": 6,
        "DefaultRetrieveMethod": "C-MOVE",
        "DicomAet": "ORTHANC",
        "HasLabels": True,
        "IngestTranscoding": "",
        "IsHttpServerSecure": True,
        "MaximumPatientCount": 0,
        "MaximumStorageMode": "Recycle",
        "MaximumStorageSize": 0,
        "Name": "",
        "OverwriteInstances": False,
        "PluginsEnabled": True,
        "ReadOnly": False,
        "StorageAreaPlugin": None,
        "StorageCompression": False,
        "UserMetadata": {"1024": 1024, "1025": 1025, "quality": 1024, "reader": 1025},
        "Version": "1.12.7",
    }


@pytest.mark.parametrize(
    ("options", "secure"),
    [
        ({}, True),
        ({"RemoteAccessAllowed": True}, False),
        ({"RemoteAccessAllowed": True, "AuthenticationEnabled": False}, False),
        ({"RemoteAccessAllowed": True, "RegisteredUsers": {"alice": "secret"}}, True),
        ({"RemoteAccessAllowed": True, "RegisteredUsers": {"orthanc": "orthanc"}}, False),
    ],
)
def test_is_secure(rest: Rest, secure: bool) -> None:
    assert rest.json("/system")["IsHttpServerSecure"] is secure


@pytest.mark.parametrize(
    "options",
    [
        {
            "Name": "Lab",
            "DicomAet": "LAB",
            "DatabaseServerIdentifier": "me",
            "DicomDefaultRetrieveMethod": "C-GET",
            "StorageCompression": True,
            "ExtraMainDicomTags": {"Instance": ["Rows", "0028,0011"], "Patient": ["PatientAge"]},
        }
    ],
)
def test_system_says_what_is_configured(rest: Rest) -> None:
    system = rest.json("/system")
    assert (system["Name"], system["DicomAet"], system["DatabaseServerIdentifier"]) == ("Lab", "LAB", "me")
    assert (system["DefaultRetrieveMethod"], system["StorageCompression"]) == ("C-MOVE", True)
    assert {"0028,0010", "0028,0011"} <= set(system["MainDicomTags"]["Instance"].split(";"))
    assert system["MainDicomTags"]["Patient"].endswith("0010,1000;0010,1010")


def test_every_tool_is_listed_and_every_listed_one_is_there(library: Rest) -> None:
    served = {uri.removeprefix("/tools/") for uri, _ in ROUTES if re.fullmatch(r"/tools/[a-z-]+", uri)}
    assert library.json("/tools") == sorted(served)


def test_time(library: Rest) -> None:
    assert library("GET", "/tools/now").text == "20260101T000000"
    assert re.fullmatch(r"\d{8}T\d{6}", library("GET", "/tools/now-local").text)
    assert library("GET", "/tools/now").headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_fresh_uid(library: Rest, level: str) -> None:
    first, second = (library("GET", f"/tools/generate-uid?level={level}").text for _ in range(2))
    assert first != second
    assert re.fullmatch(r"[0-9.]{10,64}", first)


def test_fresh_patient_id(library: Rest) -> None:
    assert re.fullmatch(UUID, library("GET", "/tools/generate-uid?level=patient").text)


@pytest.mark.parametrize("query", ["", "?level=", "?level=Study", "?level=studies", "?level=foo"])
def test_no_fresh_uid(library: Rest, query: str) -> None:
    assert is_empty(library("GET", f"/tools/generate-uid{query}"), 404)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Verbosities are put back after the test: they belong to the process."""
    before = verbosity_of("generic")
    yield
    set_verbosity(before)


@pytest.mark.usefixtures("quiet")
def test_log_levels(rest: Rest) -> None:
    categories = ("generic", "plugins", "http", "sqlite", "dicom", "jobs", "lua")
    assert is_nothing(rest("PUT", "/tools/log-level", "verbose"))
    assert {rest("GET", f"/tools/log-level-{category}").text for category in categories} == {"verbose"}
    assert is_nothing(rest("PUT", "/tools/log-level-http", "trace"))
    assert rest("GET", "/tools/log-level").text == "trace"
    assert rest("GET", "/tools/log-level-jobs").text == "verbose"
    assert is_nothing(rest("PUT", "/tools/log-level", "default"))
    assert rest("GET", "/tools/log-level-http").text == "default"


@pytest.mark.parametrize("path", ["/tools/log-level", "/tools/log-level-jobs"])
@pytest.mark.parametrize("body", ["", "foo", " trace", "Trace"])
def test_log_levels_refused(library: Rest, path: str, body: str) -> None:
    details = f'Verbosity can be "default", "verbose" or "trace": {body}'
    assert error_of(library("PUT", path, body)) == (400, 3, details)


def test_default_encoding(rest: Rest) -> None:
    path = "/tools/default-encoding"
    assert rest("GET", path).text == "Latin1"
    for body, name in (("Utf8", "Utf8"), ("greek", "Greek")):
        assert rest("PUT", path, body).text == name
        assert rest("GET", path).text == name
    for body in ("", "foo"):
        assert error_of(rest("PUT", path, body)) == (400, 3, "")


def test_default_encoding_is_that_of_files_without_one(rest: Rest) -> None:
    file = dicom_file("P", "1", "2", "3", SpecificCharacterSet="", AdditionalPatientHistory="M##ller")
    id = rest.upload(file.replace(b"M##ller", "Müller".encode()))["ID"]
    tags, requested = f"/instances/{id}/simplified-tags", f"/instances/{id}?requested-tags=AdditionalPatientHistory"
    assert rest.json(tags)["AdditionalPatientHistory"] == "MÃ¼ller"
    rest("PUT", "/tools/default-encoding", "Utf8")
    assert rest.json(tags)["AdditionalPatientHistory"] == "Müller"
    assert rest.json(requested)["RequestedTags"] == {"AdditionalPatientHistory": "Müller"}


def test_accepted_transfer_syntaxes(rest: Rest) -> None:
    path = "/tools/accepted-transfer-syntaxes"
    everything = rest.json(path)
    assert everything[:3] == ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"]
    assert len(everything) == 42
    for body, accepted in (
        ('["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]', everything[:2]),
        ('["1.2.840.10008.1.2.4.5?"]', [uid for uid in everything if uid.startswith("1.2.840.10008.1.2.4.5")]),
        ("*", everything),
        ("foo", []),
        ("", []),
        ("[]", []),
        ('["1.2.840.10008.1.*"]', everything),
    ):
        assert rest("PUT", path, body).json() == accepted
        assert rest.json(path) == accepted
    for body in ("1.2.840.10008.1.2", "[1]", "{}"):
        assert error_of(rest("PUT", path, body)) == (400, 15, "")


def test_unknown_sop_class_accepted(rest: Rest) -> None:
    path = "/tools/unknown-sop-class-accepted"
    assert rest("GET", path).text == "0"
    for body, shown in (("1", "1"), ("false", "0"), ("true", "1")):
        assert is_nothing(rest("PUT", path, body))
        assert rest("GET", path).text == shown
    assert error_of(rest("PUT", path, "x")) == (400, 15, "Boolean value expected")


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({}, 199),
        ({"AcceptedSopClasses": ["1.2.840.10008.5.1.4.1.1.2"]}, 1),
        ({"AcceptedSopClasses": ["1.2.840.10008.5.1.4.1.1.2*"]}, 6),
        ({"AcceptedSopClasses": ["1.2.840.10008.5.1.4.1.1.2", "1.2.3"]}, 2),
        ({"RejectedSopClasses": ["1.2.840.10008.5.1.4.1.1.2"]}, 199),
    ],
)
def test_accepted_sop_classes(rest: Rest, number: int) -> None:
    uids = rest.json("/tools/accepted-sop-classes")
    assert uids == sorted(uids)
    assert len(uids) == number


def test_scripts_are_not_run(library: Rest) -> None:
    assert is_empty(library("POST", "/tools/execute-script", "print(1)"), 403)


def test_plugins(library: Rest) -> None:
    assert library.json("/plugins") == ["explorer.js", "transfers"]
    answer = library("GET", "/plugins/explorer.js")
    assert answer.headers["Content-Type"] == "application/javascript"
    assert answer.text.startswith("//")
    assert is_empty(library("GET", "/plugins/nope"), 404)


def test_reset_keeps_what_is_stored(filled: Rest) -> None:
    before = filled.json("/instances")
    answer = filled("POST", "/tools/reset")
    assert (answer.content, answer.headers["Content-Type"]) == (b"{}", "application/json")
    assert filled.json("/instances") == before


def test_shutdown(tmp_path: Any) -> None:
    with orthanc_lab.in_process(folder=tmp_path, clock=ManualClock()) as server:
        answer = Rest(server)("POST", "/tools/shutdown")
        assert (answer.content, answer.headers["Content-Type"]) == (b"{}", "application/json")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/system", "GET"),
        ("POST", "/statistics", "GET"),
        ("POST", "/tools", "GET"),
        ("PUT", "/tools/now", "GET"),
        ("POST", "/tools/log-level", "GET,PUT"),
        ("PUT", "/tools/accepted-sop-classes", "GET"),
        ("GET", "/tools/execute-script", "POST"),
        ("GET", "/tools/reset", "POST"),
        ("GET", "/tools/shutdown", "POST"),
        ("GET", "/tools/invalidate-tags", "POST"),
        ("POST", "/plugins/explorer.js", "GET"),
        ("POST", "/tools/labels", "GET"),
    ],
)
def test_wrong_verbs(library: Rest, method: str, path: str, allowed: str) -> None:
    answer = library(method, path)
    assert is_empty(answer, 405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/foo", "/tools/foo", "/tools/now/x", "/system/x", "/plugins/explorer.js/x"])
def test_unknown_paths(library: Rest, path: str) -> None:
    assert error_of(library("GET", path)) == (404, 17, "")
