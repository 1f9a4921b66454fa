"""DICOM-ization of images and PDF files, private tags."""

from __future__ import annotations

import io
import shutil
from typing import Any

import pydicom
import pytest
import requests

from orthanc_lab import samples
from tests.seed_page.conftest import Page

IMAGE_SCRIPT = """
import base64
import json
import requests

with open('sample.png', 'rb') as f:
    content = f.read()

pixelData = base64.b64encode(content).decode('ascii')

r = requests.post('http://localhost:8042/tools/create-dicom',
                  json.dumps({
                      'Content' : 'data:image/png;base64,%s' % pixelData,
                      'Tags' : {
                          'PatientName' : 'TEST',
                          'StudyDescription' : 'MY^STUDY',
                      }
                  }),
                  auth = requests.auth.HTTPBasicAuth('orthanc', 'orthanc'))

instanceId = r.json() ['ID']
print('ID of the newly created DICOM instance: %s' % instanceId)
"""

BASH_PDF = r"""
# create the json data, with the BASE64 data embedded in it
(echo -n '{"Parent": "b6e8436b-c5835b7b-cecc9576-0483e165-ab5c710b", "Tags" : {"Modality" : "CT"}, "Content" : "data:application/pdf;base64,'; base64 HelloWorld2.pdf; echo '"}') > foo

# upload it to Orthanc
cat foo | curl -H "Content-Type: application/json" -d @- http://localhost:8042/tools/create-dicom
"""  # noqa: E501 - as printed

# The page's PowerShell script, line by line.
POWERSHELL_PDF = """
import base64
import requests

# create the BASE64 string data
with open('HelloWorld2.pdf', 'rb') as f:
    fileInBase64 = base64.b64encode(f.read()).decode('ascii')

# create the json data
params = {'Tags': {'PatientName': 'Benjamino', 'Modality': 'CT'},
          'Content': 'data:application/pdf;base64,' + fileInBase64}

# upload it to Orthanc
reply = requests.post('http://localhost:8042/tools/create-dicom', json=params).json()

# display the result
print('The instance can be retrieved in PDF at http://localhost:8042' + reply['Path'] + '/pdf')
"""

PRIVATE_BODY = """
{
  "PrivateCreator" : "My Company",
  "Tags" :
  {
    "PatientName" : "Love^Sarah",
    "PatientID" : "7",
    "PrivateCreatorForMyCompany" : "My Company",
    "MyPrivateXMLTag" : "<xml><test>Testing</test></xml>"
  }
}
"""


@pytest.fixture
def options() -> dict[str, Any]:
    # The page's Dictionary; the user of its Python script is registered, as by Orthanc's default.
    return {
        "RegisteredUsers": {"orthanc": "orthanc"},
        "Dictionary": {
            "0405,0010": ["LO", "PrivateCreatorForMyCompany", 1, 1, "My Company"],
            "0405,1001": ["ST", "MyPrivateXMLTag", 1, 1, "My Company"],
        },
    }


def instance(page: Page, identifier: str) -> pydicom.FileDataset:
    answer = requests.get(f"{page.url}/instances/{identifier}/file", timeout=30)
    return pydicom.dcmread(io.BytesIO(answer.content))


def test_image_to_dicom(page: Page) -> None:
    shutil.copy(samples.path("chart.png"), page.folder / "sample.png")
    printed = page.python(IMAGE_SCRIPT)
    assert printed.startswith("ID of the newly created DICOM instance: ")
    made = instance(page, printed.split()[-1])
    assert (made.PatientName, made.StudyDescription) == ("TEST", "MY^STUDY")
    assert not made.file_meta.TransferSyntaxUID.is_compressed


def test_jpeg_image_to_dicom(page: Page) -> None:
    shutil.copy(samples.path("chart.jpg"), page.folder / "sample.png")
    script = IMAGE_SCRIPT.replace("data:image/png;base64,%s", "data:image/jpeg;base64,%s")
    made = instance(page, page.python(script).split()[-1])
    assert made.pixel_array.size
    assert not made.file_meta.TransferSyntaxUID.is_compressed


def test_pdf_by_bash(page: Page, study: str) -> None:
    shutil.copy(samples.path("report.pdf"), page.folder / "HelloWorld2.pdf")
    page.replaced["b6e8436b-c5835b7b-cecc9576-0483e165-ab5c710b"] = study
    answer = page.json(BASH_PDF)
    assert (answer["Status"], answer["ParentStudy"]) == ("Success", study)
    assert instance(page, answer["ID"]).Modality == "CT"
    pdf = page.bash(f"curl http://localhost:8042/instances/{answer['ID']}/pdf")
    assert pdf.startswith(b"%PDF-")
    assert samples.path("report.pdf").read_bytes().startswith(pdf)


def test_pdf_by_the_translated_powershell_script(page: Page) -> None:
    shutil.copy(samples.path("report.pdf"), page.folder / "HelloWorld2.pdf")
    printed = page.python(POWERSHELL_PDF).strip()
    assert printed.startswith(f"The instance can be retrieved in PDF at {page.url}/instances/")
    pdf = page.bash(f"curl {printed.split()[-1]}")
    assert samples.path("report.pdf").read_bytes().startswith(pdf)
    assert pdf.startswith(b"%PDF-")


def test_private_tags(page: Page) -> None:
    answer = page.json(f"curl http://localhost:8042/tools/create-dicom -d '{PRIVATE_BODY}'")
    made = instance(page, answer["ID"])
    assert made[0x0405, 0x0010].value == "My Company"
    assert made[0x0405, 0x1001].VR == "ST"
    assert made[0x0405, 0x1001].value == "<xml><test>Testing</test></xml>"
    shown = page.json(f"curl http://localhost:8042/instances/{answer['ID']}/simplified-tags")
    assert shown["MyPrivateXMLTag"] == "<xml><test>Testing</test></xml>"
    assert (shown["PatientName"], shown["PatientID"]) == ("Love^Sarah", "7")
