"""All workloads, with the ratio to reach."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.bench import material
from orthanc_lab.bench.asking import deletion, each_job, find_again, finds, gets, nothing, of_instance, one_job
from orthanc_lab.bench.dicom_retrieving import RETRIEVING, finding, getting, moving
from orthanc_lab.bench.job_runs import (
    changes,
    job_archive,
    make_archives,
    make_modifications,
    streamed_archive,
    submissions,
    to_success,
)
from orthanc_lab.bench.sending import SendingToNode, SendingToPeer, StoringAtPeer
from orthanc_lab.bench.uploading import (
    creations,
    echoes,
    posts,
    received,
    upload_anew,
    upload_small,
    upload_study,
    uploads,
    zip_upload,
)
from orthanc_lab.bench.workload import Cost, Run, Workload

__all__ = ["WORKLOADS"]


def _everything(jobs: int, files: int) -> Callable[[int], None]:
    """Return a setup that does some of each kind of work."""

    def setup(port: int) -> None:
        make_archives(jobs)(port)
        upload_small(port, files)
        _assorted()(port)

    return setup


def _assorted() -> Run:
    parts = [
        posts("/instances", material.ct_instances(40), 4),
        posts("/instances", material.jpeg_instances(20), 4),
        posts("/instances", [material.zip_of(material.small_instances(200))]),
        creations("image/png", lambda: material.png(512, 1), 20)(),
        creations("image/png", lambda: material.png(2000, 3), 2)(),
        creations("image/jpeg", lambda: material.jpeg_picture(12), 2)(),
        creations("application/pdf", lambda: material.pdf(20), 1)(),
        streamed_archive(),
        job_archive("media")(),
        gets(of_instance("preview"), 20)(),
        _find(),
        gets("/instances?expand", 2)(),
        gets("/jobs?expand", 2)(),
        each_job(500)(),
    ]

    def run(port: int) -> int:
        for part in parts:
            part(port)
        return 1

    return run


_ALL = {"Query": {}, "Limit": 10_000}  # more than there are
_find = finds(_ALL)


def _to_peer(name: str, maker: Callable[[int], list[bytes]], count: int) -> Workload:
    sending = SendingToPeer(maker, count)
    return Workload(name, 1, sending.prepare, sending.setup, needs_peer=True)


def _at_peer(name: str, maker: Callable[[int], list[bytes]], count: int) -> Workload:
    storing = StoringAtPeer(maker, count)
    return Workload(name, 1.5, storing.prepare, storing.setup, needs_peer=True)


def _to_node(name: str, target: float, maker: Callable[[int], list[bytes]], count: int, *accepted: str) -> Workload:
    sending = SendingToNode(maker, count, accepted or ("1.2.840.10008.1.*",))
    return Workload(name, target, sending.prepare, sending.setup, needs_peer=True)


_MANY_STUDIES = upload_anew(lambda n: material.small_instances(n, 1), 10_000)
_SORTED = {"Query": {}, "OrderBy": [{"Type": "DicomTag", "Key": "PatientID", "Direction": "DESC"}], "Limit": 100}
_BY_PART = {"Query": {"PatientID": "*777*"}, "Limit": 100}
_BY_MODALITY = {"Query": {"ModalitiesInStudy": "CT"}, "Limit": 100}
_MANY_JOBS = {"JobsHistorySize": 20_000, "ConcurrentJobs": 2}
_DICOM = {"DicomServerEnabled": True}

WORKLOADS: list[Workload] = [
    Workload("upload 4 kB, 1 client", 3, uploads(material.small_instances, 400, 1)),
    Workload("upload 4 kB, 4 clients", 2.5, uploads(material.small_instances, 800, 4)),
    Workload("upload 4 kB, 8 clients", 2.5, uploads(material.small_instances, 800, 8)),
    Workload("upload CT 512 kB, 1 client", 2, uploads(material.ct_instances, 100, 1)),
    Workload("upload CT 512 kB, 4 clients", 1.5, uploads(material.ct_instances, 200, 4)),
    Workload("upload CT 512 kB, 8 clients", 1.5, uploads(material.ct_instances, 200, 8)),
    Workload("upload JPEG 1 MP, 1 client", 2, uploads(material.jpeg_instances, 100, 1)),
    Workload("upload JPEG 1 MP, 4 clients", 1.8, uploads(material.jpeg_instances, 200, 4)),
    Workload("upload ZIP of 500 x 4 kB", 10, zip_upload(material.small_instances, 500)),
    Workload("upload ZIP of 40 CT", 3.5, zip_upload(material.ct_instances, 40)),
    Workload("archive of 200 CT, streamed", 25, streamed_archive, upload_study(material.ct_instances, 200)),
    Workload("archive of 200 CT, job", 35, job_archive("archive"), upload_study(material.ct_instances, 200)),
    Workload("media of 200 CT, job", 25, job_archive("media"), upload_study(material.ct_instances, 200)),
    Workload("archive of 100 JPEG, streamed", 12, streamed_archive, upload_study(material.jpeg_instances, 100)),
    Workload(
        "modify 200 CT, job",
        3,
        changes("modify", {"Replace": {"StudyDescription": "Modified"}, "KeepSource": True}, 200),
        upload_study(material.ct_instances, 200),
    ),
    Workload("anonymize 200 CT, job", 2.5, changes("anonymize", {}, 200), upload_study(material.ct_instances, 200)),
    Workload("delete a study of 200 CT", 2.5, deletion, before=upload_anew(material.ct_instances, 200)),
    Workload("create-dicom PNG 512 x 512", 2.5, creations("image/png", lambda: material.png(512, 1), 100)),
    Workload("create-dicom PNG 512 x 512, 4 clients", 2, creations("image/png", lambda: material.png(512, 1), 200, 4)),
    Workload("create-dicom PNG 2000 x 2000 RGB", 3.5, creations("image/png", lambda: material.png(2000, 3), 5)),
    Workload("create-dicom JPEG 12 MP", 3, creations("image/jpeg", lambda: material.jpeg_picture(12), 4)),
    Workload("create-dicom PDF 1 MB", 2.5, creations("application/pdf", lambda: material.pdf(1), 30)),
    Workload("create-dicom PDF 20 MB", 2.5, creations("application/pdf", lambda: material.pdf(20), 4)),
    _to_peer("200 CT to a peer: transfer / OrthancPeerStore", material.ct_instances, 200),
    _to_peer("2,000 x 4 kB to a peer: transfer / OrthancPeerStore", material.small_instances, 2000),
    _at_peer("OrthancPeerStore of 200 CT to our server", material.ct_instances, 200),
    _at_peer("OrthancPeerStore of 500 x 4 kB to our server", material.small_instances, 500),
    Workload("C-STORE in, 4 kB, 1 association", 0.5, received(material.small_instances, 300, 1), options=_DICOM),
    Workload("C-STORE in, 4 kB, 4 associations", 0.5, received(material.small_instances, 600, 4), options=_DICOM),
    Workload("C-STORE in, CT 512 kB, 1 association", 0.5, received(material.ct_instances, 80, 1), options=_DICOM),
    Workload("C-STORE in, CT 512 kB, 4 associations", 0.5, received(material.ct_instances, 160, 4), options=_DICOM),
    Workload("C-ECHO", 0.3, echoes(3000), options=_DICOM),
    Workload(
        "C-FIND of 1,000 studies, findscu",
        1,
        finding,
        upload_study(lambda n: material.small_instances(n, 1), 1000),
        RETRIEVING,
    ),
    Workload("C-GET of 200 CT, getscu", 0.5, getting, upload_study(material.ct_instances, 200), RETRIEVING),
    Workload("C-MOVE of 200 CT, movescu", 0.5, moving, upload_study(material.ct_instances, 200), RETRIEVING),
    _to_node("C-STORE of 200 CT to our server", 0.5, material.ct_instances, 200),
    _to_node("C-STORE of 500 x 4 kB to our server", 0.5, material.small_instances, 500),
    _to_node("C-STORE of 40 JPEG to our server, decompressed", 0.5, material.jpeg_instances, 40, "1.2.840.10008.1.2"),
    Workload("jobs: submissions", 2, submissions(500), upload_study(material.small_instances, 1), _MANY_JOBS),
    Workload("jobs: submit to success", 4, to_success(200), upload_study(material.small_instances, 1), _MANY_JOBS),
    Workload("GET one job", 1, gets(one_job, 5000), make_archives(5)),
    Workload("GET /system", 1, gets("/system", 5000)),
    Workload("GET /statistics", 1.5, gets("/statistics", 5000), upload_study(material.small_instances, 1000)),
    Workload("GET metrics", 1.5, gets("/tools/metrics-prometheus", 3000), upload_study(material.small_instances, 1000)),
    Workload("find 1,000 studies, expanded", 5, _find, upload_study(lambda n: material.small_instances(n, 1), 1000)),
    Workload(
        "find 1,000 studies, expanded, 4 clients",
        2.5,
        finds(_ALL, 4),
        upload_study(lambda n: material.small_instances(n, 1), 1000),
    ),
    Workload(
        "the same find of 1,000 studies again",
        5,
        find_again,
        upload_study(lambda n: material.small_instances(n, 1), 1000),
    ),
    Workload("find in 10,000 studies, sorted", 1.5, finds(_SORTED), _MANY_STUDIES),
    Workload("find in 10,000 studies, with a wildcard", 1.5, finds(_BY_PART), _MANY_STUDIES),
    Workload("find in 10,000 studies, by ModalitiesInStudy", 1, finds(_BY_MODALITY), _MANY_STUDIES),
    Workload("GET tags", 1, gets(of_instance("tags"), 1500), upload_study(material.ct_instances, 1)),
    Workload("GET preview", 1.5, gets(of_instance("preview"), 100), upload_study(material.ct_instances, 1)),
    Workload("GET file 512 kB", 0.8, gets(of_instance("file"), 500), upload_study(material.ct_instances, 1)),
    Workload("GET /jobs?expand, 10,000 jobs", 10, gets("/jobs?expand", 3), make_archives(10_000), _MANY_JOBS),
    Workload("GET one of 10,000 jobs", 1, each_job(5000), make_archives(10_000), _MANY_JOBS),
    Workload("GET metrics, 10,000 jobs", 2, gets("/tools/metrics-prometheus", 3000), make_archives(10_000), _MANY_JOBS),
    Workload("start, empty", 0.28, nothing, cost=Cost.START),
    Workload(
        "restart, 10,000 jobs, 20,000 instances",
        1,
        nothing,
        make_modifications(10_000, 20_000),
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
