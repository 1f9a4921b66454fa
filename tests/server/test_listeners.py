"""A server with a further way in beside HTTP."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import requests

import orthanc_lab
from orthanc_lab.lab.own_server import OwnServer, ServerChoice
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.assembly import Assembly
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.lifecycle import Server
from orthanc_lab.server.loopback import free_port
from orthanc_lab.server.options.settings import CheckedSettings
from tests.waiting import until


class Bell:
    """A listener that takes note of what the server asks of it."""

    def __init__(self, *, is_broken: bool = False, stops: bool = True) -> None:
        self.asked: list[str] = []
        self.names: list[str] = []
        self._is_broken = is_broken
        self._stops = stops

    def start(self, assembly: Assembly) -> None:
        self.asked.append("start")
        self.names.append(assembly.services.settings["Name"])
        if self._is_broken:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "No bell")

    def replace(self, assembly: Assembly) -> None:
        self.asked.append("replace")
        self.names.append(assembly.services.settings["Name"])

    def refuse(self) -> None:
        self.asked.append("refuse")

    def stop(self) -> None:
        self.asked.append("stop")
        if not self._stops:
            raise OSError("The bell goes on")


def settings(folder: Path, name: str) -> CheckedSettings:
    return CheckedSettings({"HttpPort": 0, "DicomServerEnabled": False, "Name": name, "StorageDirectory": name}, folder)


def name_of(server: Server) -> str:
    name: str = requests.get(f"http://127.0.0.1:{server.port}/system", timeout=10).json()["Name"]
    return name


def test_every_listener_follows_the_life_of_the_server(tmp_path: Path) -> None:
    bell = Bell()
    server = Server(lambda: settings(tmp_path, "first"), listeners=[bell])
    server.start()
    assert name_of(server) == "first"
    server.replace(settings(tmp_path, "second"))
    assert name_of(server) == "second"
    server.stop()
    assert bell.asked == ["start", "replace", "refuse", "stop"]
    assert bell.names == ["first", "second"]
    port = server.port
    server.start()
    assert (server.port, name_of(server)) == (port, "first")
    server.stop()


def test_a_listener_that_cannot_start_leaves_nothing_open(tmp_path: Path) -> None:
    server = Server(lambda: settings(tmp_path, "first"), listeners=[Bell(is_broken=True)])
    for _ in range(2):  # the second time, port and index are free again
        with pytest.raises(OrthancError, match="No bell"):
            server.start()
    with pytest.raises(requests.ConnectionError):
        name_of(server)


def test_an_application_that_cannot_be_made_leaves_nothing_open(tmp_path: Path) -> None:
    def application(*_: object) -> NoReturn:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "No application")

    environment = replace(Environment.of_system(), application=application)
    server = Server(lambda: settings(tmp_path, "first"), environment)
    for _ in range(2):  # the second time, the index is free again
        with pytest.raises(OrthancError, match="No application"):
            server.start()


def test_a_listener_that_does_not_stop_leaves_nothing_else_open(tmp_path: Path) -> None:
    later = Bell()
    server = Server(lambda: settings(tmp_path, "first"), listeners=[Bell(stops=False), later])
    for _ in range(2):  # the second time, port and index are free again
        server.start()
        assert name_of(server) == "first"
        with pytest.raises(OSError, match="The bell goes on"):
            server.stop()
    assert later.asked == ["start", "refuse", "stop"] * 2


@contextmanager
def no_thread(name: str) -> Iterator[None]:
    """Let no thread of this name be started."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        yield


@pytest.mark.parametrize("name", ["orthanc-lab-http", "orthanc-lab-dicom", "orthanc-lab-server", "jobs-worker-1"])
def test_a_thread_that_cannot_be_started_leaves_nothing_open(tmp_path: Path, name: str) -> None:
    ports = {"HttpPort": free_port(), "DicomPort": free_port(), "DicomServerEnabled": True}
    with no_thread(name), pytest.raises(RuntimeError, match="can't start"):
        orthanc_lab.serve(folder=tmp_path, ConcurrentJobs=2, **ports)
    with orthanc_lab.serve(folder=tmp_path, **ports) as server:
        assert server.session.get(f"{server.url}/system", timeout=10).ok


def test_a_reset_that_fails_is_reported(tmp_path: Path) -> None:
    with orthanc_lab.serve(folder=tmp_path, ConcurrentJobs=2) as server:
        with no_thread("jobs-worker-1"):
            server.session.post(f"{server.url}/tools/reset", timeout=10)
            until(lambda: server.errors)
        assert "can't start new thread" in str(server.errors)
        assert not server.is_running


def test_the_lab_hears_of_a_reset_that_fails() -> None:
    server = OwnServer(ServerChoice(port=0, with_samples=False))
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    server.serve(heard.put)
    try:
        with no_thread("jobs-worker-1"):
            server.session.post(f"{server.url}/tools/reset", timeout=10)
            assert heard.get(timeout=10) == "RuntimeError: can't start new thread"
    finally:
        server.stop()
