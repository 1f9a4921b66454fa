"""The names of downloads: what a client says stays inside of the quotes."""

from __future__ import annotations

from email.message import Message

import pytest

from tests.rest.conftest import Rest
from tests.rest.files import dicom_file
from tests.waiting import until

FILE = dicom_file("names", "1.2", "1.2.3", "1.2.3.4")
NAMES = ['a"b', "a\";filename*=UTF-8''b.html;x=\"", '"', "a\\", 'a\\"b', '\\";x="', "a b.dcm"]


def parameters(header: str) -> list[tuple[str, str]]:
    message = Message()
    message["Content-Disposition"] = f"attachment; {header}"
    return [pair for pair in message.get_params(header="content-disposition") or [] if pair[0] != "attachment"]


@pytest.fixture
def paths(rest: Rest) -> list[str]:
    """All that has a name of its own: file, attachment, archives streamed and by a job."""
    stored = rest("POST", "/instances", FILE).json()
    return [
        f"{stored['Path']}/file",
        f"{stored['Path']}/attachments/dicom/data",
        f"/series/{stored['ParentSeries']}/archive",
        f"/series/{stored['ParentSeries']}/media",
        f"/tools/create-archive?resources={stored['ParentStudy']}",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_in_an_address(rest: Rest, paths: list[str], name: str) -> None:
    for path in paths:
        mark = "&" if "?" in path else "?"
        answer = rest("GET", f"{path}{mark}filename={name}")
        assert answer.status_code == 200, path
        found = parameters(answer.headers["Content-Disposition"])
        assert [key for key, _ in found] == ["filename"], path


@pytest.mark.parametrize("name", [*NAMES, "a\r\nb", "a\0\x7f"])
def test_of_a_job(rest: Rest, name: str) -> None:
    stored = rest("POST", "/instances", FILE).json()
    body = {"Filename": name, "Asynchronous": True}
    job = rest("POST", f"/studies/{stored['ParentStudy']}/archive", body).json()["Path"]
    until(lambda: rest.json(job)["State"] == "Success")
    header = rest("GET", f"{job}/archive").headers["Content-Disposition"]
    assert [key for key, _ in parameters(header)] == ["filename"]
    assert header.isprintable()
