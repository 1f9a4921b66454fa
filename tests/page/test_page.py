"""The built-in page in a real browser: studies, jobs with their controls, metrics, upload by drag and drop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import samples
from tests.page.browser import Browser


@pytest.fixture
def page(browser: Browser, orthanc: orthanc_lab.Server) -> Iterator[Browser]:
    """The page of an empty server, which shows no error in the end."""
    browser.open(f"{orthanc.url}/")
    browser.until("location.pathname == '/app/explorer.html' && document.getElementById('study-list')?.innerText")
    yield browser
    assert browser.evaluate("document.getElementById('notice').hidden")
    assert browser.errors == []
    browser.open("about:blank")


def store(orthanc: orthanc_lab.Server, folder: str) -> str:
    for file in samples.dicom_files(folder):
        stored = orthanc.session.post(f"{orthanc.url}/instances", data=file.read_bytes()).json()
    study: str = stored["ParentStudy"]
    return study


def count(orthanc: orthanc_lab.Server) -> int:
    number: int = orthanc.session.get(f"{orthanc.url}/statistics").json()["CountInstances"]
    return number


def test_studies(page: Browser, orthanc: orthanc_lab.Server) -> None:
    assert "No study yet" in page.evaluate("document.getElementById('study-list')?.innerText")
    store(orthanc, "ct")
    page.call("Page.reload")
    text = page.until("document.querySelector('#study-list summary')?.innerText")
    patient = orthanc.session.get(f"{orthanc.url}/patients?expand").json()[0]["MainDicomTags"]
    assert patient["PatientName"].replace("^", " ") in text
    assert "2026-01-05" in text
    assert patient["PatientID"] in text
    page.evaluate("document.querySelector('#study-list details').open = true")
    page.until("document.querySelectorAll('#study-list details details').length == 3")
    series = page.evaluate("[...document.querySelectorAll('#study-list details details')].map((one) => one.innerText)")
    assert series[0].startswith("CT Localizer")


def test_search(page: Browser, orthanc: orthanc_lab.Server) -> None:
    for folder in ("ct", "mr", "us"):
        store(orthanc, folder)
    uid = orthanc.session.get(f"{orthanc.url}/series?expand").json()[0]["MainDicomTags"]["SeriesInstanceUID"]
    for words, number in (("LAB001", 1), ("soft tissue", 1), (uid, 1), ("phantom", 3), ("nobody", 0), ("", 3)):
        page.evaluate(
            f"{{const field = document.getElementById('search-text'); field.value = {words!r};"
            "field.dispatchEvent(new Event('input'))}"
        )
        said = f"{number} {'study' if number == 1 else 'studies'}"
        page.until(f"document.getElementById('search-count').textContent == {said!r}")
        page.until(f"document.querySelectorAll('#study-list > details').length == {number}")


def test_an_address_with_a_password(browser: Browser) -> None:
    users = {"lab": "se-cret_1"}
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers=users) as orthanc:
        store(orthanc, "mr/t1")
        browser.open(orthanc.url.replace("//", "//lab:se-cret_1@") + "/")
        assert "Phantom MR" in browser.until("document.querySelector('#study-list summary')?.innerText")
        browser.evaluate("document.querySelector('#study-list details').open = true")
        browser.until("document.querySelector('#study-list details details') !== null")
        browser.evaluate("document.querySelector('#study-list details details').open = true")
        browser.until("document.querySelector('#study-list img')?.naturalWidth > 0")
        assert browser.evaluate("document.getElementById('notice').hidden")
        assert browser.errors == []
        browser.open("about:blank")


def test_jobs_and_their_controls(page: Browser, orthanc: orthanc_lab.Server) -> None:
    study = store(orthanc, "mr")
    orthanc.session.post(f"{orthanc.url}/studies/{study}/archive", json={"Asynchronous": True})
    page.evaluate("document.getElementById('tab-jobs').click()")
    page.until("document.querySelector('#jobs td.state-Success') != null")
    row = page.evaluate("document.querySelector('#jobs tbody tr').innerText")
    assert "Archive" in row
    assert "100 %" in row
    page.evaluate("[...document.querySelectorAll('#jobs button')].find((b) => b.textContent == 'delete').click()")
    page.until("document.getElementById('jobs').innerText.includes('No job yet')")
    assert orthanc.session.get(f"{orthanc.url}/jobs").json() == []


def test_metrics(page: Browser, orthanc: orthanc_lab.Server) -> None:
    store(orthanc, "us")
    page.evaluate("document.getElementById('tab-metrics').click()")
    page.until("document.getElementById('metrics').innerText.includes('count instances')")


def test_drag_and_drop(page: Browser, orthanc: orthanc_lab.Server, tmp_path: Path) -> None:
    """A folder of DICOM files, a picture and a document are dropped at once; what is neither is named."""
    folder = tmp_path / "study"
    shutil.copytree(samples.path("ct"), folder)
    number = len(samples.dicom_files("ct"))
    page.drop(folder, samples.path("chart.png"), samples.path("report.pdf"))
    page.until(f"document.getElementById('uploads').innerText.includes('{number + 2} of {number + 2} files')")
    assert count(orthanc) == number + 2
    page.until("document.querySelectorAll('#study-list > details').length >= 2")

    text = tmp_path / "notes.txt"
    text.write_text("no DICOM", encoding="utf-8")
    page.drop(text)
    page.until("document.getElementById('notice').innerText.includes('notes.txt')")
    page.drop(samples.dicom_files("mr")[0])
    page.until("document.getElementById('notice').hidden")
    assert count(orthanc) == number + 3


def test_nothing_comes_from_elsewhere(page: Browser, orthanc: orthanc_lab.Server) -> None:
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(names) >= 6
    assert all(name.startswith((orthanc.url, "data:")) for name in names)
