"""Workloads that give a server something: uploads, over HTTP and DICOM, and new instances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from orthanc_lab.bench import material
from orthanc_lab.bench.dicom_wire import associate_and_send, dicom_port, echo_message, store_message
from orthanc_lab.bench.wire import http_request, send_all
from orthanc_lab.bench.workload import Run

__all__ = [
    "creations",
    "echoes",
    "posts",
    "received",
    "upload_anew",
    "upload_small",
    "upload_study",
    "uploads",
    "zip_upload",
]


def posts(path: str, bodies: Sequence[bytes], clients: int = 1) -> Run:
    """Return a run that sends a POST for each body."""
    requests = [http_request("POST", path, body) for body in bodies]

    def run(port: int) -> int:
        send_all(port, requests, clients)
        return len(requests)

    return run


def uploads(maker: Callable[[int], list[bytes]], count: int, clients: int) -> Callable[[], Run]:
    """Return what prepares uploads of one instance each."""
    return lambda: posts("/instances", maker(count), clients)


def received(maker: Callable[[int], list[bytes]], count: int, associations: int) -> Callable[[], Run]:
    """Return what prepares C-STOREs by a client of prepared bytes."""

    def prepare() -> Run:
        messages = [store_message(file) for file in maker(count)]

        def run(port: int) -> int:
            associate_and_send(dicom_port(port), messages, associations)
            return count

        return run

    return prepare


def echoes(count: int) -> Callable[[], Run]:
    """Return what prepares C-ECHOs."""

    def prepare() -> Run:
        messages = [echo_message()] * count

        def run(port: int) -> int:
            associate_and_send(dicom_port(port), messages)
            return count

        return run

    return prepare


def zip_upload(maker: Callable[[int], list[bytes]], count: int) -> Callable[[], Run]:
    """Return what prepares the upload of one ZIP archive; its instances are counted."""

    def prepare() -> Run:
        run = posts("/instances", [material.zip_of(maker(count))])
        return lambda port: run(port) * count

    return prepare


def creations(mime: str, content: Callable[[], bytes], count: int, clients: int = 1) -> Callable[[], Run]:
    """Return what prepares new instances, all of the same content."""
    return lambda: posts("/tools/create-dicom", [material.data_uri_body(mime, content())] * count, clients)


def upload_anew(maker: Callable[[int], list[bytes]], count: int) -> Callable[[int], None]:
    """Return a setup that uploads instances which were never there before."""
    return lambda port: send_all(port, [http_request("POST", "/instances", content) for content in maker(count)], 4)


def upload_study(maker: Callable[[int], list[bytes]], count: int) -> Callable[[int], None]:
    """Return a setup that uploads the same instances to both servers."""
    files = cache(lambda: maker(count))  # the same for both servers, and made when the first one needs them
    return lambda port: send_all(port, [http_request("POST", "/instances", content) for content in files()])


def upload_small(port: int, count: int) -> None:
    """Upload new instances of about 4 kB."""
    send_all(port, [http_request("POST", "/instances", content) for content in material.small_instances(count)], 4)
