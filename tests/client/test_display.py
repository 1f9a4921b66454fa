"""What a notebook shows: whole HTML, escaped, without the network where it is shown."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from orthanc_lab import Client, samples
from orthanc_lab.client import ClientError, Study, UploadReport
from orthanc_lab.client.display import card, guarded, paragraph, table
from orthanc_lab.client.jobs import Job

EVIL = '<script>alert("1")</script>&amp;'
EMPTY = {"img"}


class Judge(HTMLParser):
    """Knows the tags it saw, and which are open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def judged(shown: Any) -> Judge:
    judge = Judge()
    judge.feed(shown._repr_html_())
    judge.close()
    assert judge.open == []
    assert "script" not in judge.seen
    return judge


@pytest.fixture
def evil(client: Client) -> Study:
    made = client.create_dicom(
        samples.path("chart.png"),
        {"PatientName": EVIL, "StudyDescription": EVIL, "SeriesDescription": EVIL, "PatientID": EVIL},
    )
    return made.series.study  # type: ignore[union-attr,no-any-return]  # it is an instance


def test_every_level_is_escaped(client: Client, evil: Study) -> None:
    instance = evil.instances[0]
    assert EVIL in judged(evil).text
    assert EVIL in judged(evil.patient).text
    assert EVIL in judged(evil.series[0]).text
    assert instance.id in judged(instance).text
    for collection in (client.patients, client.studies, client.series, client.instances):
        assert "table" in judged(collection).seen
    assert EVIL in judged(client.studies).text


@pytest.mark.parametrize(
    "name", ["A$math$B", r"A\(x\)B", r"\begin{align}x\end{align}", r"$\href{javascript:alert(1)}{x}$"]
)
def test_no_text_is_set_as_a_formula(client: Client, name: str) -> None:
    """JupyterLab lets MathJax over each HTML output, but not over what has this class."""
    made = client.create_dicom(None, {"PatientID": "1", "StudyDescription": name.replace("\\", "$")})
    study = made.series.study  # type: ignore[union-attr]  # it is an instance
    assert f'mathjax_ignore">{study.tags["StudyDescription"]}</span>' in study._repr_html_()
    for html in (table([name], [[name]]), card(name, {name: name}), paragraph(name), guarded(lambda: fail(name))):
        assert html.count(name) == html.count(f'mathjax_ignore">{name}</span>') > 0


def fail(words: str) -> str:
    raise ClientError(words)


def test_thumbnails_are_inside(evil: Study) -> None:
    for shown in (evil.instances[0], evil.series[0]):
        html = shown._repr_html_()
        match = re.search(r'src="data:image/png;base64,([^"]+)"', html)
        assert match is not None
        assert base64.b64decode(match[1]).startswith(b"\x89PNG")
        assert 'alt="' in html


def test_without_a_picture(client: Client) -> None:
    instance = client.create_dicom(None, {"PatientID": "1"})
    assert "img" not in judged(instance).seen


def test_server(client: Client) -> None:
    text = judged(client).text
    assert client.url in text
    assert client.system["Version"] in text


def test_jobs(client: Client, study: Study) -> None:
    job = study.archive_job().wait(60)
    judge = judged(job)
    assert "progress" in judge.seen
    assert "Archive · Success" in judge.text
    assert job.id in judged(client.jobs).text


def test_a_failed_job_is_escaped(client: Client) -> None:
    fields = {"ID": EVIL, "Type": EVIL, "State": "Failure", "ErrorCode": 9, "ErrorDescription": EVIL}
    assert judged(Job(client.transport, {**fields, "ErrorDetails": EVIL})).text.count(EVIL) == 4


def test_a_report_is_escaped() -> None:
    judge = judged(UploadReport(stored=1, refused={f"{EVIL}{number}": EVIL for number in range(80)}))
    assert EVIL in judge.text
    assert "and 30 more" in judge.text


def test_reprs(client: Client, study: Study) -> None:
    assert repr(study) == f"<Study {study.id[:8]}: Patient {study.PatientName}, Description CT quality phantom, " + (
        f"Date {study.StudyDate}, Series {len(study.series)}>"
    )
    for shown in (study.patient, study.series[0], study.instances[0]):
        assert repr(shown).startswith(f"<{type(shown).__name__} {shown.id[:8]}: ")
    assert repr(client.studies) == f"<1 study at {client.url}>"
    assert repr(client.series) == f"<3 series at {client.url}>"
    assert f"{client!r}".endswith(": 1 study, 31 instances>")
    assert '<td style="text-align:left">1.1 MB</td>' in client._repr_html_()
    assert repr(client.jobs) == f"<Jobs of {client.url}: 0>"
    assert repr(client.changes) == f"<Changes of {client.url}>"


def test_a_server_that_is_gone() -> None:
    client = Client("http://127.0.0.1:1", retries=0)
    for shown in (client, client.studies, client.jobs):
        assert "UnreachableError" in repr(shown)
        assert "No Orthanc answers" in judged(shown).text
    assert "archive" in dir(Study(client.transport, "x"))


def test_the_card_of_a_job_does_not_call_waiting_running():
    document = {"ID": "1", "Type": "Archive", "EffectiveRuntime": 7.0}  # Orthanc adds the wait for a worker
    html = Job(None, {**document, "State": "Success"})._repr_html_()
    assert "Waited and ran</th>" in html
    assert "7.000 s" in html
    assert "7.000 s" not in Job(None, {**document, "State": "Running"})._repr_html_()  # only since its last step
