"""One of the two servers of a twin test, behind a proxy that records what passes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

import requests

from orthanc_lab.testing.recordings import Recorder, Recording
from orthanc_lab.testing.twins.comparing import Passed, passed

__all__ = ["SIDES", "SideName", "TwinServer", "Upstream"]

SideName = Literal["ours", "real"]
SIDES: tuple[SideName, SideName] = ("ours", "real")


class Upstream(Protocol):
    """A server that is running."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    @property
    def session(self) -> requests.Session:
        """A session with its credentials."""
        ...


class TwinServer:
    """What the fixture `orthanc` is in a twin test: this server, or the other one.

    Parameters
    ----------
    side
        ``"ours"`` or ``"real"``.
    upstream
        The server.
    path
        File for the recording.

    Attributes
    ----------
    side
        Which of the two it is.
    url
        Its address: that of the proxy that records.
    session
        A `requests.Session` with its credentials.
    path
        The file of the recording.
    misses
        If a recording stands for the server: requests that are not in it.

    Examples
    --------
    >>> import pytest
    >>> @pytest.mark.twin
    ... def test_an_empty_server(orthanc):
    ...     assert orthanc.side in ("ours", "real")
    ...     assert orthanc.session.get(f"{orthanc.url}/patients").json() == []
    """

    def __init__(self, side: SideName, upstream: Upstream, path: Path) -> None:
        self.side = side
        self.misses: Sequence[str] = getattr(upstream, "misses", ())
        self.path = path
        self._recorder = Recorder(upstream.url, path, verify=False)  # the certificate was checked, or is ours
        self._stack = ExitStack()
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy for the loopback interface
        self.session.auth = upstream.session.auth

    def __enter__(self) -> TwinServer:
        self._stack.enter_context(self._recorder)
        self.url = self._recorder.url
        self._stack.callback(self.session.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __repr__(self) -> str:
        return f"<the twin {self.side!r} at {self.url}>"

    def exchanges(self) -> list[Passed]:
        """Return what has passed so far."""
        with Recording(self.path) as recording:
            return passed(recording)
