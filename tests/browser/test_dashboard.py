"""The panels in JupyterLab in a real browser: what a person does with them, from end to end."""

from __future__ import annotations

import io
import zipfile

import PIL.Image
import pydicom
import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc
from tests.browser.board import Board, fill, press, says

pytestmark = pytest.mark.timeout(300)


def slices(count: int) -> list[bytes]:
    """Make a study that the server does not have."""
    ds = pydicom.dcmread(samples.dicom_files("mr")[0])
    ds.PatientID, ds.PatientName = "UPLOADED", "Phantom^Uploaded"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    files = []
    for number in range(1, count + 1):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        ds.InstanceNumber = number
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        files.append(out.getvalue())
    return files


def test_upload(board, client):
    panel = board.tab("Upload")
    files = [
        {"name": f"{number}.dcm", "mimeType": "application/dicom", "buffer": content}
        for number, content in enumerate(slices(5))
    ]
    files.append({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no DICOM"})
    panel.locator("input[type=file]").first.set_input_files(files)
    says(panel, "Instances: 5 new")
    says(panel, "notes.txt")
    board.picture("upload")
    (patient,) = client.patients.find(PatientID="UPLOADED")
    assert len(patient.instances) == 5
    archive = board.tab("Archive")
    says(archive, "Phantom Uploaded")


@pytest.mark.long
def test_an_archive_is_paused_resumed_and_downloaded(board, client, busy, tmp_path):
    panel = board.tab("Archive")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    says(panel, "instances")
    press(panel, "ZIP with DICOMDIR")
    press(panel, "Job")
    press(panel, "Start the job")
    says(panel, "Pending")
    press(panel, "Cancel")
    says(panel, "The archive failed: ")
    press(panel, "Start the job")
    says(panel, "Pending")
    press(panel, "Pause")
    says(panel, "Paused")
    board.picture("archive-paused")
    (job,) = (job for job in client.jobs.list() if job.type == "Media" and not job.state.is_final)
    assert job.state.value == "Paused"
    press(panel, "Resume")
    says(panel, "Pending")
    busy.let_go()
    says(panel, "Success · 100 %")
    with board.page.expect_download() as download:
        press(panel, "Download the archive")
    board.picture("archive-done")
    download.value.save_as(tmp_path / "archive.zip")
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unzipped")
    directory = pydicom.dcmread(tmp_path / "unzipped" / "DICOMDIR")
    images = [record for record in directory.DirectoryRecordSequence if record.DirectoryRecordType == "IMAGE"]
    (patient,) = client.patients.find(PatientName="Phantom^CT")
    assert len(images) == len(patient.instances)


@pytest.mark.long
def test_jobs_are_paused_resumed_cancelled_resubmitted_and_deleted(board, client, busy):
    panel = board.tab("Jobs")
    job = client.jobs.submit("/peers/held/store", {"Resources": [client.instances.find()[0].id]})
    row = panel.locator(f"tr[data-id='{job.id}']")
    says(row, "Pending")
    row.click()
    press(panel, "Pause")
    says(row, "Paused")
    press(panel, "Resume")
    says(row, "Pending")
    press(panel, "Cancel")
    says(row, "Canceled")
    board.picture("jobs")
    press(panel, "Resubmit")
    says(row, "Pending")
    busy.let_go()
    says(row, "Success")
    press(panel, "Delete")
    row.wait_for(state="detached")
    assert job.id not in [each.id for each in client.jobs.list()]


@pytest.mark.long
@pytest.mark.parametrize(("name", "kind"), [("chart.png", "PNG"), ("report.pdf", "PDF")])
def test_a_file_becomes_dicom_with_a_private_tag(board, client, name, kind):
    panel = board.tab("DICOM-ize")
    panel.locator("input[type=file]").first.set_input_files(samples.path(name))
    says(panel.locator("td"), name)
    fill(panel, "PatientID", "MADE")
    fill(panel, "PatientName", "Phantom^Made")
    fill(panel, "SeriesDescription", name)
    panel.get_by_text("Private tags").click()
    fill(panel, "Creator", "My Company")
    press(panel, "Add a private tag")
    panel.get_by_label("VR", exact=True).select_option("ST")
    fill(panel, "Value", "<xml>made in a browser</xml>")
    says(panel, "PrivateCreatorForMyCompany")
    board.picture(f"dicomize-{kind}-form")
    press(panel, "Make DICOM")
    says(panel, "Delete it")
    board.picture(f"dicomize-{kind}")
    (instance,) = client.instances.find(PatientID="MADE")
    element = instance.dataset().private_block(0x0405, "My Company")[0x01]
    assert (element.VR, element.value) == ("ST", "<xml>made in a browser</xml>")
    assert instance.series.SeriesDescription == name
    if kind == "PDF":
        assert instance.pdf().rstrip(b"\0") == samples.path(name).read_bytes().rstrip(b"\0")
    else:
        with PIL.Image.open(samples.path(name)) as picture:
            assert instance.dataset().pixel_array.shape[:2] == (picture.height, picture.width)


@pytest.mark.long
def test_slices_are_looked_at(board):
    panel = board.tab("Browser")
    patient = panel.get_by_role("treeitem", name="Phantom CT")
    patient.click()
    says(panel, "Soft tissue")
    panel.get_by_text("Soft tissue").locator("visible=true").first.click()
    says(panel, "Slice 11 of 20")
    board.picture("browser")


@pytest.mark.long
def test_metrics_move(board, client):
    panel = board.tab("Metrics")
    chart = panel.locator("figure").first
    chart.wait_for()
    figures = chart.locator(".legend").inner_text()
    client.upload(slices(7))
    board.page.wait_for_function(
        "([node, before]) => node.innerText !== before", arg=[chart.locator(".legend").element_handle(), figures]
    )
    count = client.statistics["CountInstances"]
    says(chart, str(count))
    board.picture("metrics")
    press(panel, "Pause")
    board.page.keyboard.press("x")  # is no command of the notebook here, which would cut the cell
    board.area.get_by_role("tab", name="Metrics", exact=True).click()
    board.page.keyboard.press("x")
    press(panel, "Pause")


@pytest.mark.long
def test_the_timeline_looks_back(board, client):
    job = client.studies.find()[0].archive_job().wait()
    panel = board.tab("Timeline")
    says(panel, f"Archive {job.id[:8]}: it made its last step")
    row = panel.locator("tbody tr", has_text=job.id[:8])
    row.get_by_text("Success").wait_for()
    bar = panel.locator(".orthanc-bar", has_text=f"Archive {job.id[:8]}")
    bar.wait_for()
    board.picture("timeline")
    press(panel, "Earlier")
    row.get_by_text("Running").wait_for()
    says(panel, "took it")
    assert bar.bounding_box()["width"] >= 2
    assert f"Archive {job.id[:8]}" in panel.get_by_role("img").get_attribute("aria-label")
    assert board.faults() == []


@pytest.mark.long
def test_a_server_is_killed_and_started_again(shown, artefacts):
    book = shown(
        """\
import orthanc_lab
from orthanc_lab.widgets import dashboard

server = orthanc_lab.serve(process=True)
dashboard(orthanc_lab.Client.from_server(server), server)"""
    )
    board = Board(book, artefacts)
    panel = board.tab("Server")
    says(panel, "Running")
    board.picture("server")
    press(panel, "Kill")
    press(panel, "Yes, kill")
    says(panel, "Killed")
    says(board.tab("Jobs"), "No Orthanc answers at")
    panel = board.tab("Server")
    press(panel, "Start")
    says(panel, "Running")
    says(board.tab("Jobs"), "The server is back.")
    assert board.faults() == []


CUT_OFF = """inputs => {
    const pen = document.createElement("canvas").getContext("2d");
    return inputs.filter(input => {
        const style = getComputedStyle(input);
        pen.font = style.font;
        const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return input.clientWidth && pen.measureText(input.placeholder).width > room;
    }).map(input => input.placeholder);
}"""


def test_no_placeholder_is_cut_off(board):
    looked = 0
    for title in ("Browser", "Archive", "Modify", "DICOM-ize", "Jobs", "Network", "Server"):
        panel = board.tab(title)
        if title == "DICOM-ize":
            panel.locator("input[type=file]").first.set_input_files(samples.path("chart.png"))
            panel.get_by_label("Modality", exact=True).wait_for()
        if title == "Archive":
            panel.get_by_placeholder("folder or file").wait_for()
        if title == "Network":
            panel.get_by_label("Study date", exact=True).wait_for()
        fields = panel.locator("input[placeholder]:not([placeholder=''])")
        looked += fields.count()
        assert fields.evaluate_all(CUT_OFF) == [], title
    assert looked > 10


@pytest.mark.long
def test_the_dark_theme(board):
    board.tab("Browser").get_by_role("treeitem", name="Phantom CT").wait_for()
    board.book.menu("Settings", "Theme", "JupyterLab Dark")
    board.page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    for title in ("Browser", "Jobs", "Archive", "Modify", "DICOM-ize", "Metrics"):
        board.tab(title)
        board.picture(f"dark-{title}")
    board.book.menu("Settings", "Theme", "JupyterLab Light")
    board.page.locator("body[data-jp-theme-light=true]").wait_for(state="attached")


@pytest.mark.long
def test_what_goes_wrong_is_said_and_mends_itself(shown, artefacts):
    with orthanc_lab.serve(process=True) as server:
        book = shown(
            f"import orthanc_lab\nfrom orthanc_lab.widgets import dashboard\n"
            f"dashboard(orthanc_lab.Client('{server.url}'))"
        )
        board = Board(book, artefacts)
        panel = board.tab("Jobs")
        says(panel, "No jobs yet")
        server.kill()
        says(panel, "No Orthanc answers at")
        board.picture("away")
        server.restart()
        says(panel, "The server is back.")
        assert board.faults() == []


@pytest.mark.long
@pytest.mark.real
def test_the_same_on_the_real_orthanc(shown, artefacts, real_program, tmp_path):
    with RealOrthanc(KeepAliveTimeout=60) as server:  # a pause of a busy machine closes no connection
        client = orthanc_lab.Client(server.url)
        book = shown(
            f"import orthanc_lab\nfrom orthanc_lab.widgets import dashboard\n"
            f"dashboard(orthanc_lab.Client('{server.url}'))"
        )
        board = Board(book, artefacts)
        panel = board.tab("Upload")
        panel.locator("input[type=file]").first.set_input_files(samples.dicom_files("mr"))
        says(panel, "Instances: 12 new")
        panel = board.tab("Archive")
        panel.get_by_role("treeitem", name="Phantom MR").click()
        press(panel, "Job")
        press(panel, "Start the job")
        says(panel, "Success · 100 %")
        with board.page.expect_download() as download:
            press(panel, "Download the archive")
        download.value.save_as(tmp_path / "archive.zip")
        with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == 12
        says(board.tab("Jobs").locator("tbody tr"), "Success")
        panel = board.tab("Browser")
        panel.get_by_role("treeitem", name="Phantom MR").click()
        panel.get_by_text("T1 axial").locator("visible=true").first.click()
        says(panel, "Slice 7 of 12")
        chart = board.tab("Metrics").locator("figure").first
        says(chart, str(client.statistics["CountInstances"]))
        board.picture("real-orthanc")
        assert board.faults() == []


@pytest.mark.long
def test_the_code_of_a_click_is_shown_and_inserted(board, client):
    panel = board.tab("Archive")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    says(panel, "instances")
    press(panel, "Job")
    press(panel, "Start the job")
    code = panel.locator(".orthanc-code")
    code.locator("summary").click()
    says(code, "client.archive_job([")
    board.picture("code-python")
    press(code, "curl")
    says(code, "/tools/create-archive -d")
    press(code, "Python")
    before = len(client.jobs)
    press(code, "Insert as cell")
    says(code, "Inserted")
    assert len(client.jobs) == before
    board.page.locator(".jp-Cell .cm-content", has_text="client.archive_job").wait_for()
    board.picture("code-inserted")
    assert board.faults() == []


CUT = """panel => {
  const edge = panel.getBoundingClientRect().right;
  const fields = [...panel.querySelectorAll("input[type=text], input[type=number], select, label")];
  return fields.filter(field => {
    const {width, right} = field.getBoundingClientRect();
    return width && (right > edge || (width < 50 && !field.matches("label")));
  }).map(field => field.outerHTML);
}"""


BEYOND = """(panel, selector) => {
  const edge = panel.getBoundingClientRect().right;
  const words = node => { const range = document.createRange(); range.selectNodeContents(node); return range; };
  return [...panel.querySelectorAll(selector)]
    .filter(node => words(node).getBoundingClientRect().right > edge + 0.5)
    .map(node => node.textContent);
}"""


@pytest.mark.parametrize("width", [320, 220])
def test_no_field_is_cut_off_in_a_narrow_column(board, width):
    board.area.evaluate("(tabs, width) => { tabs.style.maxWidth = `${width}px`; }", width)
    for title in ("Browser", "Archive", "Modify", "DICOM-ize", "Jobs", "Network", "Metrics"):
        panel = board.tab(title)
        panel.locator("input, select").locator("visible=true").first.wait_for()
        assert panel.evaluate(CUT) == [], title
        if title == "Metrics":
            panel.locator(".legend li").first.wait_for()
            assert panel.evaluate(BEYOND, ".line-charts :is(figcaption, li, li b)") == []
            panel.locator(".line-charts svg[role=img]").first.hover(position={"x": 60, "y": 40})
            panel.locator(".line-charts .tip:visible").first.wait_for()
            assert panel.evaluate(BEYOND, ".line-charts .tip:not([hidden])") == []
