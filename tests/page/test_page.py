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
    store(orthanc, "mr")
    fill(page, "search-text", "phantom")
    page.until("document.querySelectorAll('#study-list > details').length == 2")
    assert page.evaluate("document.querySelectorAll('#study-list > details[open] details').length") == 3


def test_search(page: Browser, orthanc: orthanc_lab.Server) -> None:
    for folder in ("ct", "mr", "us"):
        store(orthanc, folder)
    uid = orthanc.session.get(f"{orthanc.url}/series?expand").json()[0]["MainDicomTags"]["SeriesInstanceUID"]
    sought = {"LAB001": 1, "soft tissue": 1, uid: 1, "phantom": 3, "Phantom CT": 1, "phäntom mr": 1, "nobody": 0, "": 3}
    for words, number in sought.items():
        page.evaluate(
            f"{{const field = document.getElementById('search-text'); field.value = {words!r};"
            "field.dispatchEvent(new Event('input', {bubbles: true}))}"
        )
        said = f"{number} {'study' if number == 1 else 'studies'}"
        page.until(f"document.getElementById('search-count').textContent == {said!r}")
        page.until(f"document.querySelectorAll('#study-list > details').length == {number}")
        if words == "soft tissue":
            assert "31 instances" in page.evaluate("document.querySelector('#study-list summary').innerText")


def fill(page: Browser, name: str, value: str) -> None:
    page.evaluate(
        f"{{const field = document.getElementById({name!r}); field.value = {value!r};"
        "field.dispatchEvent(new Event('input', {bubbles: true}))}"
    )


def said(page: Browser, words: str) -> None:
    page.until(f"document.getElementById('search-count')?.textContent == {words!r}")


def test_filters(page: Browser, orthanc: orthanc_lab.Server) -> None:
    for folder in ("ct", "mr", "us"):
        store(orthanc, folder)
    fill(page, "modality", "MR")
    said(page, "1 study")
    assert "12 instances" in page.evaluate("document.querySelector('#study-list summary').innerText")
    fill(page, "search-text", "shells")
    said(page, "1 study")
    fill(page, "search-text", "soft tissue")
    said(page, "0 studies")
    page.evaluate("document.querySelector('#search [type=reset]').click()")
    said(page, "3 studies")
    fill(page, "date-from", "2026-01-06")
    said(page, "0 studies")
    page.until("document.getElementById('study-list').innerText.includes('No study matches')")
    fill(page, "date-from", "2026-01-05")
    fill(page, "date-to", "2026-01-05")
    said(page, "3 studies")


def test_pages(page: Browser, orthanc: orthanc_lab.Server) -> None:
    for number in range(203):
        tags = {"PatientName": f"Many^{number:03}", "PatientID": str(number), "StudyDate": "20250101"}
        orthanc.session.post(f"{orthanc.url}/tools/create-dicom", json={"Tags": tags}).raise_for_status()
    page.call("Page.reload")
    said(page, "1 to 100 of 203 studies")
    press = "[...document.querySelectorAll('#pages button')].find((one) => one.textContent == '{}').click()"
    seen = set()
    for words, count in (("1 to 100", 100), ("101 to 200", 100), ("201 to 203", 3)):
        said(page, f"{words} of 203 studies")
        names = page.evaluate("[...document.querySelectorAll('#study-list strong')].map((one) => one.textContent)")
        assert len(names) == count
        seen.update(names)
        page.evaluate(press.format("Next"))
    assert len(seen) == 203
    page.evaluate(press.format("First"))
    said(page, "1 to 100 of 203 studies")
    fill(page, "search-text", "many")
    said(page, "the first 100 studies: type more")


def test_labels(page: Browser, orthanc: orthanc_lab.Server) -> None:
    study = store(orthanc, "us")
    labels = f"{orthanc.url}/studies/{study}/labels"
    page.call("Page.reload")
    page.until("document.querySelector('#study-list .labels input') != null")
    page.evaluate(
        "{const field = document.querySelector('#study-list .labels input'); field.value = 'teaching';"
        "field.form.requestSubmit()}"
    )
    page.until("document.querySelector('#study-list .label')?.textContent.includes('teaching')")
    assert orthanc.session.get(labels).json() == ["teaching"]
    page.evaluate("document.querySelector('#study-list .label button').click()")
    page.until("document.querySelector('#study-list .label') == null")
    assert orthanc.session.get(labels).json() == []


def open_series(page: Browser, number: int) -> str:
    """Open the first study and one of its series; returns what finds the series in the page."""
    page.call("Page.reload")
    page.until("document.querySelector('#study-list details') != null")
    page.evaluate("document.querySelector('#study-list details').open = true")
    series = f"document.querySelectorAll('#study-list details > details')[{number}]"
    page.until(f"{series} != null")
    page.evaluate(f"{series}.open = true")
    return series


def test_slices_and_windows(page: Browser, orthanc: orthanc_lab.Server) -> None:
    store(orthanc, "ct")
    series = open_series(page, 1)
    picture = f"{series}.querySelector('img')"
    page.until(f"{picture}?.naturalWidth > 0")
    page.until(f"{series}.innerText.includes('11 of 20 images')")
    given = f"[...{series}.querySelectorAll('[type=number]')].map((one) => one.placeholder).join()"
    page.until(f"{given} == '40,400'")
    page.evaluate(
        f"{{const field = {series}.querySelector('select'); field.value = 'Lung';"
        "field.dispatchEvent(new Event('change'))}"
    )
    page.until(
        f"{picture}.src.endsWith('/rendered?window-center=-600&window-width=1500') && {picture}.naturalWidth > 0"
    )
    page.evaluate(f"[...{series}.querySelectorAll('button')].find((one) => one.textContent == 'Play').click()")
    page.until(f"{series}.innerText.includes('14 of 20 images')")
    page.evaluate(f"[...{series}.querySelectorAll('button')].find((one) => one.textContent == 'Stop').click()")
    page.evaluate(f"{series}.querySelector('details').open = true")
    page.until(f"{series}.querySelector('table').innerText.includes('PatientPosition')")


def test_frames_and_documents(page: Browser, orthanc: orthanc_lab.Server) -> None:
    store(orthanc, "us")
    series = open_series(page, 0)
    page.until(f"{series}.innerText.includes(' of 16 images')")
    orthanc.session.delete(f"{orthanc.url}/patients/{orthanc.session.get(f'{orthanc.url}/patients').json()[0]}")
    client = orthanc_lab.Client.from_server(orthanc)
    made = client.create_dicom(samples.path("report.pdf"), {"PatientName": "Phantom^Paul"})
    series = open_series(page, 0)
    page.until(f"{series}.querySelector('iframe')?.src.endsWith('/instances/{made.id}/pdf')")


def test_a_phone_needs_no_scrolling_to_the_side(page: Browser, orthanc: orthanc_lab.Server) -> None:
    study = store(orthanc, "ct")
    name = "Bartholomew^" + "Wolfeschlegelsteinhausenbergerdorff" * 2
    body = {"Replace": {"PatientName": name, "PatientID": "LONG"}, "Force": True}
    orthanc.session.post(f"{orthanc.url}/studies/{study}/modify", json=body)
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    series = open_series(page, 1)
    page.until(f"{series}.querySelector('img')?.naturalWidth > 0")
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.call("Emulation.clearDeviceMetricsOverride")
    assert wide <= 390


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
    page.evaluate(
        "{const row = document.querySelector('#jobs tbody tr'); row.id = 'old'; row.querySelector('.danger').focus()}"
    )
    page.until("document.getElementById('old') == null && document.querySelector('#jobs tbody tr') != null")
    assert page.evaluate("document.activeElement.textContent") == "delete"
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
    (picture,) = orthanc_lab.Client.from_server(orthanc).series.find(SeriesDescription="chart.png")
    assert (picture.Modality, picture.instances[0].all_tags["SOPClassUID"]) == ("OT", "1.2.840.10008.5.1.4.1.1.7")

    text = tmp_path / "notes.txt"
    text.write_text("no DICOM", encoding="utf-8")
    page.drop(text)
    page.until("document.getElementById('notice').innerText.includes('notes.txt')")
    page.drop(samples.dicom_files("mr")[0])
    page.until("document.getElementById('notice').hidden")
    assert count(orthanc) == number + 3


def test_nothing_comes_from_elsewhere(page: Browser, orthanc: orthanc_lab.Server) -> None:
    names = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(names) >= 9
    assert all(name.startswith((orthanc.url, "data:")) for name in names)
