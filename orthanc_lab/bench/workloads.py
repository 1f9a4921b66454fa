"""The workloads: what is sent, and the ratio to reach.

A workload prepares its requests outside the measured time, once for both servers, and then
runs them on each in turn. Its cost is the wall time of all its operations, unless it says otherwise.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from orthanc_lab.bench import material
from orthanc_lab.bench.dicom_retrieving import RETRIEVING, finding, getting, moving
from orthanc_lab.bench.dicom_wire import associate_and_send, dicom_port, echo_message, store_message
from orthanc_lab.bench.sending import SendingToNode, SendingToPeer, StoringAtPeer
from orthanc_lab.bench.wire import Wire, http_request, send_all

__all__ = ["WORKLOADS", "Cost", "Workload", "posts"]

_PATIENCE = 600.0  # seconds for preparing a history of jobs
_limits = itertools.count()

Run = Callable[[int], int]
"""Runs the prepared operations on the server at a port; returns how many there were."""


class Cost(Enum):
    """What is measured of a workload."""

    TIME = "the time of its operations"
    START = "the time of a restart of the server after them"
    MEMORY = "the resident memory of the server after them"


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of work."""

    name: str
    target: float  # ratio to reach: cost of the other server / our cost
    prepare: Callable[[], Run]  # called before each round
    setup: Callable[[int], None] = lambda port: None  # called once for each server
    options: dict[str, Any] = field(default_factory=dict)  # options of the configuration
    cost: Cost = Cost.TIME
    needs_peer: bool = False  # whether there is a third server, of ours, that both know as `PEER`
    before: Callable[[int], None] = lambda port: None  # called before each run, and not measured


def posts(path: str, bodies: Sequence[bytes], clients: int = 1) -> Run:
    """Return a run that sends a POST for each body."""
    requests = [http_request("POST", path, body) for body in bodies]

    def run(port: int) -> int:
        send_all(port, requests, clients)
        return len(requests)

    return run


def _uploads(maker: Callable[[int], list[bytes]], count: int, clients: int) -> Callable[[], Run]:
    return lambda: posts("/instances", maker(count), clients)


def _received(maker: Callable[[int], list[bytes]], count: int, associations: int) -> Callable[[], Run]:
    """Return what prepares C-STOREs by a client of prepared bytes."""

    def prepare() -> Run:
        messages = [store_message(file) for file in maker(count)]

        def run(port: int) -> int:
            associate_and_send(dicom_port(port), messages, associations)
            return count

        return run

    return prepare


def _echoes(count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        messages = [echo_message()] * count

        def run(port: int) -> int:
            associate_and_send(dicom_port(port), messages)
            return count

        return run

    return prepare


def _zip_upload(maker: Callable[[int], list[bytes]], count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        run = posts("/instances", [material.zip_of(maker(count))])
        return lambda port: run(port) * count

    return prepare


def _create(mime: str, content: Callable[[], bytes], count: int, clients: int = 1) -> Callable[[], Run]:
    return lambda: posts("/tools/create-dicom", [material.data_uri_body(mime, content())] * count, clients)


def _upload_anew(maker: Callable[[int], list[bytes]], count: int) -> Callable[[int], None]:
    return lambda port: send_all(port, [http_request("POST", "/instances", content) for content in maker(count)], 4)


def _upload_study(maker: Callable[[int], list[bytes]], count: int) -> Callable[[int], None]:
    files = cache(lambda: maker(count))  # the same for both servers, and made when the first one needs them
    return lambda port: send_all(port, [http_request("POST", "/instances", content) for content in files()])


def _first_study(wire: Wire) -> str:
    return str(wire.get_json("/studies")[0])


def _finish(wire: Wire, job: str) -> None:
    request = http_request("GET", f"/jobs/{job}")
    while True:
        status, _, body = wire.send(request, keep=True)
        if status != 200:
            raise RuntimeError(f"Job {job} vanished ({status})")
        document = json.loads(body)
        if document["State"] == "Success":
            return
        if document["State"] == "Failure":
            raise RuntimeError(f"Job {job} failed: {document['ErrorDescription']} {document['ErrorDetails']}")
        time.sleep(0.001)


def _streamed_archive() -> Run:
    def run(port: int) -> int:
        wire = Wire(port)
        study = _first_study(wire)
        status, length, _ = wire.send(http_request("GET", f"/studies/{study}/archive"))
        if status != 200 or length < 1000:
            raise RuntimeError(f"The archive was answered with {status}, {length} bytes")
        wire.close()
        return 1

    return run


def _job_archive(kind: str) -> Callable[[], Run]:
    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{_first_study(wire)}/{kind}"
            job = wire.call("POST", path, {"Asynchronous": True})["ID"]
            _finish(wire, job)
            status, _, _ = wire.send(http_request("GET", f"/jobs/{job}/archive"))
            if status != 200:
                raise RuntimeError(f"The output of the job was answered with {status}")
            wire.close()
            return 1

        return run

    return prepare


def _change(kind: str, order: dict[str, Any], count: int) -> Callable[[], Run]:
    """Return what prepares a job that makes a study of so many instances from another one."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            _finish(
                wire, wire.call("POST", f"/studies/{_first_study(wire)}/{kind}", {**order, "Asynchronous": True})["ID"]
            )
            wire.close()
            return count

        return run

    return prepare


def _deletion() -> Run:
    def run(port: int) -> int:
        wire = Wire(port)
        wire.call("DELETE", f"/studies/{_first_study(wire)}")
        wire.close()
        return 1

    return run


def _submissions(count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{_first_study(wire)}/archive"
            wire.close()
            body = b'{"Asynchronous":true,"Priority":-1}'
            send_all(port, [http_request("POST", path, body)] * count)
            return count

        return run

    return prepare


def _to_success(count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{_first_study(wire)}/archive"
            jobs = [wire.call("POST", path, {"Asynchronous": True})["ID"] for _ in range(count)]
            for job in jobs:
                _finish(wire, job)
            wire.close()
            return count

        return run

    return prepare


def _gets(path: str | Callable[[Wire], str], count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            target = path if isinstance(path, str) else path(wire)
            wire.close()
            send_all(port, [http_request("GET", target)] * count)
            return count

        return run

    return prepare


def _one_job(wire: Wire) -> str:
    return f"/jobs/{wire.get_json('/jobs')[0]}"


def _each_job(count: int) -> Callable[[], Run]:
    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            jobs = wire.get_json("/jobs")[:count]
            wire.close()
            send_all(port, [http_request("GET", f"/jobs/{job}") for job in jobs])
            return len(jobs)

        return run

    return prepare


def _of_instance(suffix: str) -> Callable[[Wire], str]:
    return lambda wire: f"/instances/{wire.get_json('/instances')[0]}/{suffix}"


def _upload_small(port: int, count: int) -> None:
    send_all(port, [http_request("POST", "/instances", content) for content in material.small_instances(count)], 4)


def _await_jobs(port: int, count: int) -> None:
    wire = Wire(port)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        _, _, text = wire.send(http_request("GET", "/tools/metrics-prometheus"), keep=True)
        done = {line.split()[0]: line.split()[1] for line in text.decode().splitlines()}
        if int(done["orthanc_jobs_completed"]) >= count:
            wire.close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"{count} jobs did not end within {_PATIENCE:.0f} s")


def _make_archives(count: int) -> Callable[[int], None]:
    def setup(port: int) -> None:
        _upload_small(port, 1)
        wire = Wire(port)
        path = f"/studies/{_first_study(wire)}/archive"
        wire.close()
        send_all(port, [http_request("POST", path, b'{"Asynchronous":true}')] * count)
        _await_jobs(port, count)

    return setup


def _make_modifications(jobs: int, instances: int) -> Callable[[int], None]:
    # Orthanc forgets archives at a restart, so the history is filled with modifications.
    def setup(port: int) -> None:
        _upload_small(port, 1)
        wire = Wire(port)
        path = f"/studies/{_first_study(wire)}/modify"
        wire.close()
        body = b'{"Asynchronous":true,"Replace":{"StudyDescription":"Modified"}}'
        send_all(port, [http_request("POST", path, body)] * jobs)
        _upload_small(port, instances - jobs - 1)
        _await_jobs(port, jobs)

    return setup


def _everything(jobs: int, files: int) -> Callable[[int], None]:
    """Return a setup that does some of each kind of work."""

    def setup(port: int) -> None:
        _make_archives(jobs)(port)
        _upload_small(port, files)
        _assorted()(port)

    return setup


def _assorted() -> Run:
    parts = [
        posts("/instances", material.ct_instances(40), 4),
        posts("/instances", material.jpeg_instances(20), 4),
        posts("/instances", [material.zip_of(material.small_instances(200))]),
        _create("image/png", lambda: material.png(512, 1), 20)(),
        _create("image/png", lambda: material.png(2000, 3), 2)(),
        _create("image/jpeg", lambda: material.jpeg_picture(12), 2)(),
        _create("application/pdf", lambda: material.pdf(20), 1)(),
        _streamed_archive(),
        _job_archive("media")(),
        _gets(_of_instance("preview"), 20)(),
        _find(),
        _gets("/instances?expand", 2)(),
        _gets("/jobs?expand", 2)(),
        _each_job(500)(),
    ]

    def run(port: int) -> int:
        for part in parts:
            part(port)
        return 1

    return run


def _finds(query: dict[str, Any], clients: int = 1) -> Callable[[], Run]:
    # No two are the same, so that nothing is known from before.
    def prepare() -> Run:
        bodies = [
            {"Level": "Study", "Expand": True, **query, "Limit": query["Limit"] + next(_limits)}
            for _ in range(5 * clients)
        ]
        return posts("/tools/find", [json.dumps(body).encode() for body in bodies], clients)

    return prepare


_ALL = {"Query": {}, "Limit": 10_000}  # more than there are
_find = _finds(_ALL)


def _find_again() -> Run:
    return posts("/tools/find", [b'{"Level":"Study","Query":{},"Expand":true}'] * 5)


def _nothing() -> Run:
    return lambda port: 0  # the restart itself is the work


def _to_peer(name: str, maker: Callable[[int], list[bytes]], count: int) -> Workload:
    sending = SendingToPeer(maker, count)
    return Workload(name, 1, sending.prepare, sending.setup, needs_peer=True)


def _at_peer(name: str, maker: Callable[[int], list[bytes]], count: int) -> Workload:
    storing = StoringAtPeer(maker, count)
    return Workload(name, 1.5, storing.prepare, storing.setup, needs_peer=True)


def _to_node(name: str, target: float, maker: Callable[[int], list[bytes]], count: int, *accepted: str) -> Workload:
    sending = SendingToNode(maker, count, accepted or ("1.2.840.10008.1.*",))
    return Workload(name, target, sending.prepare, sending.setup, needs_peer=True)


_STUDY = _upload_study
_MANY_STUDIES = _upload_anew(lambda n: material.small_instances(n, 1), 10_000)
_SORTED = {"Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "PatientID", "Direction": "DESC"}], "Limit": 100}
_BY_PART = {"Query": {"PatientID": "*777*"}, "Limit": 100}
_BY_MODALITY = {"Query": {"ModalitiesInStudy": "CT"}, "Limit": 100}
_MANY_JOBS = {"JobsHistorySize": 20_000, "ConcurrentJobs": 2}
_DICOM = {"DicomServerEnabled": True}

WORKLOADS: list[Workload] = [
    Workload("upload 4 kB, 1 client", 3, _uploads(material.small_instances, 400, 1)),
    Workload("upload 4 kB, 4 clients", 2.5, _uploads(material.small_instances, 800, 4)),
    Workload("upload 4 kB, 8 clients", 2.5, _uploads(material.small_instances, 800, 8)),
    Workload("upload CT 512 kB, 1 client", 2, _uploads(material.ct_instances, 100, 1)),
    Workload("upload CT 512 kB, 4 clients", 1.5, _uploads(material.ct_instances, 200, 4)),
    Workload("upload CT 512 kB, 8 clients", 1.5, _uploads(material.ct_instances, 200, 8)),
    Workload("upload JPEG 1 MP, 1 client", 2, _uploads(material.jpeg_instances, 100, 1)),
    Workload("upload JPEG 1 MP, 4 clients", 1.8, _uploads(material.jpeg_instances, 200, 4)),
    Workload("upload ZIP of 500 x 4 kB", 10, _zip_upload(material.small_instances, 500)),
    Workload("upload ZIP of 40 CT", 3.5, _zip_upload(material.ct_instances, 40)),
    Workload("archive of 200 CT, streamed", 25, _streamed_archive, _STUDY(material.ct_instances, 200)),
    Workload("archive of 200 CT, job", 35, _job_archive("archive"), _STUDY(material.ct_instances, 200)),
    Workload("media of 200 CT, job", 25, _job_archive("media"), _STUDY(material.ct_instances, 200)),
    Workload("archive of 100 JPEG, streamed", 12, _streamed_archive, _STUDY(material.jpeg_instances, 100)),
    Workload(
        "modify 200 CT, job",
        3,
        _change("modify", {"Replace": {"StudyDescription": "Modified"}, "KeepSource": True}, 200),
        _STUDY(material.ct_instances, 200),
    ),
    Workload("anonymize 200 CT, job", 2.5, _change("anonymize", {}, 200), _STUDY(material.ct_instances, 200)),
    Workload("delete a study of 200 CT", 2.5, _deletion, before=_upload_anew(material.ct_instances, 200)),
    Workload("create-dicom PNG 512 x 512", 2.5, _create("image/png", lambda: material.png(512, 1), 100)),
    Workload("create-dicom PNG 512 x 512, 4 clients", 2, _create("image/png", lambda: material.png(512, 1), 200, 4)),
    Workload("create-dicom PNG 2000 x 2000 RGB", 3.5, _create("image/png", lambda: material.png(2000, 3), 5)),
    Workload("create-dicom JPEG 12 MP", 3, _create("image/jpeg", lambda: material.jpeg_picture(12), 4)),
    Workload("create-dicom PDF 1 MB", 2.5, _create("application/pdf", lambda: material.pdf(1), 30)),
    Workload("create-dicom PDF 20 MB", 2.5, _create("application/pdf", lambda: material.pdf(20), 4)),
    _to_peer("200 CT to a peer: transfer / OrthancPeerStore", material.ct_instances, 200),
    _to_peer("2,000 x 4 kB to a peer: transfer / OrthancPeerStore", material.small_instances, 2000),
    _at_peer("OrthancPeerStore of 200 CT to our server", material.ct_instances, 200),
    _at_peer("OrthancPeerStore of 500 x 4 kB to our server", material.small_instances, 500),
    Workload("C-STORE in, 4 kB, 1 association", 0.5, _received(material.small_instances, 300, 1), options=_DICOM),
    Workload("C-STORE in, 4 kB, 4 associations", 0.5, _received(material.small_instances, 600, 4), options=_DICOM),
    Workload("C-STORE in, CT 512 kB, 1 association", 0.5, _received(material.ct_instances, 80, 1), options=_DICOM),
    Workload("C-STORE in, CT 512 kB, 4 associations", 0.5, _received(material.ct_instances, 160, 4), options=_DICOM),
    Workload("C-ECHO", 0.3, _echoes(3000), options=_DICOM),
    Workload(
        "C-FIND of 1,000 studies, findscu",
        1,
        finding,
        _STUDY(lambda n: material.small_instances(n, 1), 1000),
        RETRIEVING,
    ),
    Workload("C-GET of 200 CT, getscu", 0.5, getting, _STUDY(material.ct_instances, 200), RETRIEVING),
    Workload("C-MOVE of 200 CT, movescu", 0.5, moving, _STUDY(material.ct_instances, 200), RETRIEVING),
    _to_node("C-STORE of 200 CT to our server", 0.5, material.ct_instances, 200),
    _to_node("C-STORE of 500 x 4 kB to our server", 0.5, material.small_instances, 500),
    _to_node("C-STORE of 40 JPEG to our server, decompressed", 0.5, material.jpeg_instances, 40, "1.2.840.10008.1.2"),
    Workload("jobs: submissions", 2, _submissions(500), _STUDY(material.small_instances, 1), _MANY_JOBS),
    Workload("jobs: submit to success", 4, _to_success(200), _STUDY(material.small_instances, 1), _MANY_JOBS),
    Workload("GET one job", 1, _gets(_one_job, 5000), _make_archives(5)),
    Workload("GET /system", 1, _gets("/system", 5000)),
    Workload("GET /statistics", 1.5, _gets("/statistics", 5000), _STUDY(material.small_instances, 1000)),
    Workload("GET metrics", 1.5, _gets("/tools/metrics-prometheus", 3000), _STUDY(material.small_instances, 1000)),
    Workload("find 1,000 studies, expanded", 5, _find, _STUDY(lambda n: material.small_instances(n, 1), 1000)),
    Workload(
        "find 1,000 studies, expanded, 4 clients",
        2.5,
        _finds(_ALL, 4),
        _STUDY(lambda n: material.small_instances(n, 1), 1000),
    ),
    Workload(
        "the same find of 1,000 studies again",
        5,
        _find_again,
        _STUDY(lambda n: material.small_instances(n, 1), 1000),
    ),
    Workload("find in 10,000 studies, sorted", 1.5, _finds(_SORTED), _MANY_STUDIES),
    Workload("find in 10,000 studies, with a wildcard", 1.5, _finds(_BY_PART), _MANY_STUDIES),
    Workload("find in 10,000 studies, by ModalitiesInStudy", 1, _finds(_BY_MODALITY), _MANY_STUDIES),
    Workload("GET tags", 1, _gets(_of_instance("tags"), 1500), _STUDY(material.ct_instances, 1)),
    Workload("GET preview", 1.5, _gets(_of_instance("preview"), 100), _STUDY(material.ct_instances, 1)),
    Workload("GET file 512 kB", 0.8, _gets(_of_instance("file"), 500), _STUDY(material.ct_instances, 1)),
    Workload("GET /jobs?expand, 10,000 jobs", 10, _gets("/jobs?expand", 3), _make_archives(10_000), _MANY_JOBS),
    Workload("GET one of 10,000 jobs", 1, _each_job(5000), _make_archives(10_000), _MANY_JOBS),
    Workload(
        "GET metrics, 10,000 jobs", 2, _gets("/tools/metrics-prometheus", 3000), _make_archives(10_000), _MANY_JOBS
    ),
    Workload("start, empty", 0.28, _nothing, cost=Cost.START),
    Workload(
        "restart, 10,000 jobs, 20,000 instances",
        1,
        _nothing,
        _make_modifications(10_000, 20_000),
        _MANY_JOBS,
        Cost.START,
    ),
    Workload(
        "memory after all kinds of work, 20,000 jobs",
        1,
        _assorted,
        _everything(20_000, 2000),
        _MANY_JOBS,
        Cost.MEMORY,
    ),
]
