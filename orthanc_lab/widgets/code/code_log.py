"""What a panel did last, as Python and as requests: both are noted while it is done."""

from __future__ import annotations

import threading
from typing import TypeVar, cast

import requests

from orthanc_lab.client import Client, Job
from orthanc_lab.widgets.code.curl import curl_of
from orthanc_lab.widgets.code.spoken import Spoken

__all__ = ["CodeLog"]

_MOST_LINES = 20
Target = TypeVar("Target")


class CodeLog:
    """The statements of the last action, and the requests that they sent.

    Parameters
    ----------
    client
        A client for the server.

    Attributes
    ----------
    client
        A client whose calls are noted: what is shown is what was run.
    transport
        Of that client, for objects of its own that `spoken` is given.

    Examples
    --------
    >>> log = CodeLog(client)
    >>> log.client.lookup("nobody")
    []
    >>> print(log.python)
    client.lookup('nobody')
    >>> print(log.curl)
    curl -X POST http://127.0.0.1:.../tools/lookup -d nobody
    """

    def __init__(self, client: Client) -> None:
        self._lock = threading.Lock()
        self._statements: list[str] = []
        self._requests: list[str] = []
        self._is_over = False
        observed = client.observed(self._note_request)
        self.transport = observed.transport
        self.client = self.spoken(observed, "client")

    def spoken(self, target: Target, text: str) -> Target:
        """Return an object that stands for `target`, and is called `text` in the code: calls of it are noted."""
        return cast(Target, Spoken(target, text, self._note))

    def job(self, job: Job) -> Job:
        """Return a job, called as the client would find it."""
        return self.spoken(Job(self.transport, job.document), f"client.jobs[{job.id!r}]")

    def begin(self) -> None:
        """Note that another action begins: the next statement replaces what is here."""
        self._is_over = True

    def _note(self, statement: str) -> None:
        with self._lock:
            if self._is_over:
                self._statements, self._requests, self._is_over = [], [], False
            self._statements.append(statement)

    def _note_request(self, response: requests.Response) -> None:
        line = curl_of(response)
        with self._lock:
            if self._requests[-1:] != [line]:  # a job that is waited for is asked for again and again
                self._requests.append(line)

    @property
    def python(self) -> str:
        """The statements, one a line."""
        return _lines(self._statements, "statements")

    @property
    def curl(self) -> str:
        """The requests as commands for a shell, one a line."""
        return _lines(self._requests, "requests")


def _lines(lines: list[str], noun: str) -> str:
    shown = lines[:_MOST_LINES]
    if len(lines) > len(shown):
        shown = [*shown, f"# … and {len(lines) - len(shown)} more {noun}"]
    return "\n".join(shown)
