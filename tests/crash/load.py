"""The mixed load: clients that upload, delete, create and work with jobs until the server dies."""

import base64
import io
import random
import threading
import zipfile

import requests

from orthanc_lab import samples
from orthanc_lab.bench import material
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.dicom.identifiers import identify
from tests.crash.facts import md5

GONE = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
PNG = "data:image/png;base64," + base64.b64encode(samples.path("chart.png").read_bytes()).decode()
JPEG = "data:image/jpeg;base64," + base64.b64encode(material.jpeg_picture(0.5)).decode()
"""A picture of 1.5 MB when it is decoded: such files are written past the system's cache."""


class Client(threading.Thread):
    """One client: does one thing after another until no answer comes any more."""

    def __init__(self, url, facts, seed):
        super().__init__(daemon=True)
        self._url = url
        self._facts = facts
        self._random = random.Random(seed)
        self._session = requests.Session()
        self.operations = 0
        self.error = None
        self.actions = (
            [self._upload] * 5
            + [self._upload_several, self._upload_zip, self._remove_instance, self._create]
            + [self._submit, self._touch] * 2
        )

    def run(self):
        try:
            while True:
                self._random.choice(self.actions)()
                self.operations += 1
        except GONE:
            pass  # the server was killed: what was in flight stays "maybe"
        except Exception as error:
            self.error = error
        finally:
            self._session.close()

    def _send(self, method, path, **options):
        return self._session.request(method, self._url + path, timeout=30, **options)

    def _upload(self):
        self._store(self._random.choice([material.small_instances, material.ct_instances])(1)[0])

    def _upload_several(self):
        """Send small files one after the other: the server stores them with those of others who do so too."""
        for content in material.small_instances(self._random.randint(4, 12)):
            self._store(content)

    def _store(self, content):
        key = identify(scan(content)).instance
        facts = self._facts
        with facts.lock:
            facts.maybe_stored[key] = md5(content)
        answer = self._send("POST", "/instances", data=content)
        assert answer.status_code == 200, answer.text
        assert answer.json()["ID"] == key
        with facts.lock:
            facts.stored[key] = facts.maybe_stored.pop(key)

    def _upload_zip(self):
        files = material.small_instances(12)
        members = {identify(scan(content)).instance: md5(content) for content in files}
        facts = self._facts
        with facts.lock:
            facts.maybe_zips.append(members)
        answer = self._send("POST", "/instances", data=material.zip_of(files))
        assert answer.status_code == 200, answer.text
        facts.acknowledge_zip(members)

    def _remove_instance(self):
        facts = self._facts
        with facts.lock:
            candidates = sorted(set(facts.stored) - facts.deleted - facts.maybe_deleted)
            if len(candidates) < 20:
                return
            key = self._random.choice(candidates)
            facts.maybe_deleted.add(key)
        answer = self._send("DELETE", f"/instances/{key}")
        assert answer.status_code == 200, answer.text
        with facts.lock:
            facts.maybe_deleted.discard(key)
            facts.deleted.add(key)

    def _create(self):
        # Secondary Capture: an instance without SOPClassUID cannot go into a DICOMDIR.
        tags = {"PatientName": "Crash", "PatientID": "CRASH", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}
        body = {"Tags": tags, "Content": self._random.choice([PNG, JPEG])}
        answer = self._send("POST", "/tools/create-dicom", json=body)
        assert answer.status_code == 200, answer.text
        with self._facts.lock:
            self._facts.created.add(answer.json()["ID"])

    def _submit(self):
        instances = self._send("GET", "/instances?since=0&limit=40").json()
        body = {"Resources": instances, "Asynchronous": True, "Priority": self._random.randint(-5, 5)}
        answer = self._send("POST", f"/tools/create-{self._random.choice(['archive', 'media'])}", json=body)
        if answer.status_code == 404:
            return  # another client deleted one of them in between
        assert answer.status_code == 200, answer.text
        with self._facts.lock:
            self._facts.jobs[answer.json()["ID"]] = {"Priority": body["Priority"], "did": None}

    def _touch(self):
        """Pause, resume or cancel a job; what was answered is a fact unless the job had ended before."""
        facts = self._facts
        with facts.lock:
            idle = [key for key, known in facts.jobs.items() if known["did"] is None]
            if not idle:
                return
            job = self._random.choice(idle)
            action = self._random.choice(["pause", "cancel"])
            facts.jobs[job]["did"] = f"maybe {action}"
        answer = self._send("POST", f"/jobs/{job}/{action}")
        if answer.status_code != 200:
            raise AssertionError(
                f"{action} of {job}: {answer.status_code} {answer.text}, {self._send('GET', f'/jobs/{job}').text}"
            )
        with facts.lock:
            facts.jobs[job]["did"] = action


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return archive.namelist()
