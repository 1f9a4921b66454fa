"""``orthanc-lab demo``: the main job on real files, step by step in the terminal."""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import requests

from orthanc_lab import samples
from orthanc_lab.protocol.signals import ending
from orthanc_lab.server.embedding.serve import serve
from orthanc_lab.server.file_words import port_number
from orthanc_lab.server.loopback import is_free

__all__ = ["main"]

_PORT = 8042
_SLICES = 240
_PATIENCE = 60.0  # seconds that a job of the demo may take


@dataclass(frozen=True)
class Terminal:
    """Where the demo writes: headings, the requests it sends, answers and progress bars."""

    out: TextIO
    colour: bool

    def _style(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def heading(self, number: int, text: str) -> None:
        """Begin a step."""
        print(f"\n{self._style('1;36', f'{number}. {text}')}", file=self.out, flush=True)

    def request(self, text: str) -> None:
        """Show the request as one would type it."""
        print(self._style("2", f"   $ curl {text}"), file=self.out, flush=True)

    def say(self, text: str) -> None:
        """Show an answer in one line."""
        print(f"   {text}", file=self.out, flush=True)

    def bar(self, label: str, done: float) -> None:
        """Draw a progress bar in place; without a terminal only the full one is written."""
        if not self.colour and done < 1:
            return
        width = 32
        full = round(done * width)
        picture = self._style("32", "█" * full) + "░" * (width - full)
        end = "\n" if done >= 1 else ""
        begin = "\r" if self.colour else ""
        print(f"{begin}   {label:<26} {picture} {done:4.0%}", end=end, file=self.out, flush=True)

    def break_line(self) -> None:
        """End a bar that stopped before its end."""
        if self.colour:
            print(file=self.out)


class Tour:
    """The steps of the demo, against the server at `url`."""

    def __init__(self, url: str, session: requests.Session, terminal: Terminal, folder: Path) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._terminal = terminal
        self._folder = folder
        self._study = ""

    def run(self) -> None:
        """Walk through all steps, in order."""
        steps: list[tuple[str, Callable[[], None]]] = [
            ("Upload DICOM files", self._upload),
            ("Archive a study in an asynchronous job; pause it, resume it, download it", self._archive),
            ("Make a medium with a DICOMDIR", self._media),
            ("Turn a PNG, a JPEG and a PDF into DICOM", self._create),
            ("Write private tags", self._private_tags),
            ("Read the metrics", self._metrics),
        ]
        for number, (title, step) in enumerate(steps, 1):
            self._terminal.heading(number, title)
            step()

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._session.request(method, self._url + path, timeout=_PATIENCE, **options)
        answer.raise_for_status()
        return answer

    def _upload(self) -> None:
        files = [item.read_bytes() for item in samples.dicom_files()]
        files += list(_large_study(_SLICES))
        self._terminal.request(f"{self._url}/instances --data-binary @image.dcm")
        start = time.perf_counter()
        for index, content in enumerate(files, 1):
            self._send("POST", "/instances", data=content)
            self._terminal.bar("uploading", index / len(files))
        seconds = time.perf_counter() - start
        megabytes = sum(map(len, files)) / 1e6
        self._terminal.say(f"{len(files)} files, {megabytes:.0f} MB in {seconds:.2f} s")
        query = {"Level": "Study", "Query": {"StudyDescription": "Large CT"}}
        self._study = self._send("POST", "/tools/find", json=query).json()[0]

    def _watch(self, job: str, label: str, until: float = 1.0) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        drawn = -1
        while time.monotonic() < deadline:
            state: dict[str, Any] = self._send("GET", f"/jobs/{job}").json()
            if state["Progress"] != drawn:  # a full bar ends its line
                drawn = state["Progress"]
                self._terminal.bar(label, drawn / 100)
            if state["State"] in ("Success", "Failure", "Paused") or state["Progress"] >= until * 100:
                if state["State"] == "Running" and until >= 1:
                    continue
                return state
        raise TimeoutError(f"Job {job} did not end within {_PATIENCE:.0f} s; see {self._url}/jobs/{job}")

    def _archive(self) -> None:
        self._terminal.request(f"{self._url}/studies/{self._study}/archive -d '{{\"Asynchronous\":true}}'")
        job = self._send("POST", f"/studies/{self._study}/archive", json={"Asynchronous": True}).json()["ID"]
        state = self._watch(job, "archive", until=0.25)
        if state["State"] == "Running":
            self._send("POST", f"/jobs/{job}/pause")
            state = self._watch(job, "archive")
            self._terminal.break_line()
        if state["State"] == "Paused":
            self._terminal.say(f"paused at {state['Progress']} %; the position is on disk, even a kill -9 keeps it")
            self._send("POST", f"/jobs/{job}/resume")
        self._terminal.say(f"{self._finish(job)['Content']['InstancesCount']} instances in the archive")
        self._terminal.request(f"{self._url}/jobs/{job}/archive > archive.zip")
        archive = self._download(job, "archive.zip")
        names = archive.namelist()
        archive.extractall(self._folder / "archive")
        self._terminal.say(f"unzipped: {names[0]} … {names[-1].rsplit('/')[-1]}")

    def _finish(self, job: str) -> dict[str, Any]:
        state = self._watch(job, "job")
        if state["State"] != "Success":
            raise RuntimeError(f"Job {job} ended as {state['State']}: {state['ErrorDescription']}")
        return state

    def _download(self, job: str, name: str) -> zipfile.ZipFile:
        path = self._folder / name
        path.write_bytes(self._send("GET", f"/jobs/{job}/archive").content)
        archive = zipfile.ZipFile(path)
        if archive.testzip() is not None:
            raise RuntimeError(f"{path} is damaged")
        return archive

    def _media(self) -> None:
        study = self._send("POST", "/tools/lookup", data="PHANTOM-CT").json()[0]["ID"]
        self._terminal.request(f"{self._url}/patients/{study}/media -d '{{\"Asynchronous\":true}}'")
        job = self._send("POST", f"/patients/{study}/media", json={"Asynchronous": True}).json()["ID"]
        self._finish(job)
        with self._download(job, "media.zip") as archive:
            self._terminal.say(f"{len(archive.namelist())} files, the last is {archive.namelist()[-1]}")

    def _create_dicom(self, body: dict[str, Any]) -> str:
        return str(self._send("POST", "/tools/create-dicom", json=body).json()["ID"])

    def _create(self) -> None:
        kinds = [("chart.png", "image/png"), ("chart.jpg", "image/jpeg"), ("report.pdf", "application/pdf")]
        for name, mime in kinds:
            content = samples.path(name).read_bytes()
            uri = f"data:{mime};base64,{base64.b64encode(content).decode()}"
            tags = {"PatientName": "TEST", "StudyDescription": "MY^STUDY"}
            instance = self._create_dicom({"Content": uri, "Tags": tags})
            self._terminal.say(f"{name} -> {self._url}/instances/{instance}/{'pdf' if 'pdf' in mime else 'preview'}")

    def _private_tags(self) -> None:
        tags = {
            "PatientName": "Love^Sarah",
            "PatientID": "7",
            "PrivateCreatorForMyCompany": "My Company",
            "MyPrivateXMLTag": "<xml><test>Testing</test></xml>",
        }
        instance = self._create_dicom({"PrivateCreator": "My Company", "Tags": tags})
        written = self._send("GET", f"/instances/{instance}/tags").json()
        self._terminal.say(f"0405,1001 MyPrivateXMLTag = {written['0405,1001']['Value']}")

    def _metrics(self) -> None:
        self._terminal.request(f"{self._url}/tools/metrics-prometheus")
        lines = self._send("GET", "/tools/metrics-prometheus").text.splitlines()
        for line in lines:
            if line.startswith(("orthanc_count_", "orthanc_jobs_success", "orthanc_disk_size")):
                self._terminal.say(line)


def _large_study(count: int) -> Iterator[bytes]:
    # A study whose archive takes long enough to be paused: the soft-tissue phantom at 512 x 512.
    import numpy as np  # noqa: PLC0415 - only the demo needs it, and only here
    import pydicom  # noqa: PLC0415
    from pydicom.uid import UID  # noqa: PLC0415

    ds = pydicom.dcmread(samples.dicom_files("ct/soft_tissue")[10])
    ds.StudyDescription, ds.PatientName, ds.PatientID = "Large CT", "Phantom^Large", "PHANTOM-LARGE"
    ds.StudyInstanceUID = UID(ds.StudyInstanceUID + ".1")
    ds.SeriesInstanceUID = UID(ds.SeriesInstanceUID + ".1")
    pixels = ds.pixel_array.repeat(4, axis=0).repeat(4, axis=1)
    ds.Rows, ds.Columns = pixels.shape
    random = np.random.RandomState(0)
    noise = random.randint(-12, 12, pixels.size * 2).astype("<i2")
    for index in range(count):
        shift = int(random.randint(pixels.size))
        ds.PixelData = (pixels + noise[shift : shift + pixels.size].reshape(pixels.shape)).astype("<i2").tobytes()
        ds.InstanceNumber = index + 1
        ds.SOPInstanceUID = UID(f"{ds.SeriesInstanceUID}.{index + 1}")
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        yield out.getvalue()


def _keep_serving(terminal: Terminal, url: str) -> None:
    terminal.say("")
    terminal.say(f"The server goes on at {url} until you press Ctrl-C. Try:")
    terminal.say(f"  - open {url} in a browser: studies, jobs, metrics, upload by drag and drop")
    terminal.say(f"  - curl '{url}/jobs?expand'")
    terminal.say(f'  - curl {url}/tools/find -d \'{{"Level":"Study","Query":{{}},"Expand":true}}\'')
    with ending() as end:
        end.wait()


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="orthanc-lab demo", description="Walk through the main job on sample data.")
    parser.add_argument("--once", action="store_true", help="end after the tour instead of serving on")
    parser.add_argument(
        "--port", type=port_number, default=_PORT, help=f"HTTP port (default {_PORT}; 0 = any free one)"
    )
    chosen = parser.parse_args(arguments)
    terminal = Terminal(sys.stdout, sys.stdout.isatty())
    port = chosen.port
    if port and not is_free(port):
        terminal.say(f"Port {port} is in use, so the demo takes another one.")
        port = 0
    with serve(HttpPort=port, Name="orthanc-lab demo", Dictionary=samples.dictionary()) as server:
        terminal.say(f"orthanc-lab serves at {server.url}, its files are in {server.folder}")
        downloads = Path(server.folder) / "downloads"
        downloads.mkdir()
        try:
            Tour(server.url, server.session, terminal, downloads).run()
            if not chosen.once:
                _keep_serving(terminal, server.url)
        finally:
            shutil.rmtree(downloads, ignore_errors=True)
    return 0
