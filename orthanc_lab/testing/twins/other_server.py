"""The server that ours is compared with: at an address, the program ``Orthanc``, or a recording."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from orthanc_lab.server.embedding.remote import RemoteServer
from orthanc_lab.testing.certify.target import Target, TargetError
from orthanc_lab.testing.certify.traces import Traces
from orthanc_lab.testing.real import MISSING, RealOrthanc, find_program
from orthanc_lab.testing.recordings import Recording, recorded
from orthanc_lab.testing.twins.twin_server import TwinServer

__all__ = ["NoOtherServerError", "OtherServer"]


class NoOtherServerError(Exception):
    """There is no server to compare with; the message says how to name one."""


@dataclass(frozen=True, slots=True)
class OtherServer:
    """Which server ours is compared with; the program ``Orthanc``, if nothing is named.

    Attributes
    ----------
    url
        Address of a server that holds no studies; what the test stores there is deleted after it.
    program
        Path of the program ``Orthanc``.
    recording
        File of a recording, or a capsule.
    """

    url: str = ""
    program: str = ""
    recording: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.url, self.program, self.recording))) > 1:
            raise ValueError("The other server is at an address, or a program, or a recording: only one of them")

    def check(self) -> None:
        """Check early that what is named can be used; nothing is sent to a server.

        Raises
        ------
        OSError, ValueError
            If the address is none, or the program or the recording cannot be read.
        """
        if self.url:
            Target.at(self.url)
        if self.program and shutil.which(self.program) is None:
            raise FileNotFoundError(f"There is no program {self.program}")
        if self.recording:
            Recording(self.recording).close()

    def __str__(self) -> str:
        if self.url:
            return Target.at(self.url).url
        return self.recording or "Orthanc"

    @contextmanager
    def start(self, settings: Mapping[str, Any], path: Path) -> Iterator[TwinServer]:
        """Provide the server.

        Parameters
        ----------
        settings
            Its configuration; a server at an address, and a recording, have their own.
        path
            File for what passes.

        Raises
        ------
        NoOtherServerError
            If there is none.
        TargetError
            If there is no server at the address, or it holds studies.
        """
        if self.url:
            with _at(self.url, path) as server:
                yield server
        elif self.recording:
            with recorded(self.recording, strict=False) as replay, TwinServer("real", replay, path) as server:
                yield server
        else:
            program = self.program or find_program()
            if program is None:
                raise NoOtherServerError(f"{MISSING}; or name another server: --twin-url, --twin-recording")
            with RealOrthanc(program=program, **settings) as real, requests.Session() as session:
                session.auth = _first_user(settings)
                with TwinServer("real", _Started(real.url, session), path) as server:
                    yield server


@dataclass(frozen=True, slots=True)
class _Started:
    url: str
    session: requests.Session


def _first_user(settings: Mapping[str, Any]) -> tuple[str, str] | None:
    users = settings.get("RegisteredUsers") or {}
    return next(iter(users.items()), None) if settings.get("AuthenticationEnabled") else None


@contextmanager
def _at(address: str, path: Path) -> Iterator[TwinServer]:
    target = Target.at(address)
    try:
        traces = Traces(target, ())
    except OSError as error:
        raise TargetError(f"There is no server at {target.url}: {error}") from error
    if count := traces.held.get("studies"):
        raise TargetError(f"The server at {target.url} holds studies ({count}); twin tests need one that is empty")
    remote = RemoteServer(address)
    try:
        with TwinServer("real", remote, path) as server:
            yield server
    finally:
        for one in server.exchanges():
            traces.note(one.exchange, one.answer)
        left = traces.remove()
        remote.stop()
    if left:
        raise TargetError(f"This could not be taken away from the server at {target.url}: {', '.join(left)}")
