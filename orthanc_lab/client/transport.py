"""Requests to one server: credentials, time-outs, retries where a second try cannot do harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from orthanc_lab.client.errors import UnreachableError, error_of

__all__ = ["Transport"]

_BUSY = 503
_FIRST_PAUSE = 0.1  # seconds before the second try; doubled at each further one


class Transport:
    """Sends requests to one Orthanc; one `requests.Session` a thread, so that threads may share it.

    Parameters
    ----------
    url
        Base address, ``http://localhost:8042``.
    auth
        User name and password.
    timeout
        Seconds to wait for the server to connect and between two bytes of an answer.
    verify
        False accepts any certificate, a path names the CA that signed the server's.
    retries
        Further tries after a lost connection or a 503, for requests that may be sent twice.
    session
        A session to use instead of own ones (in-process servers, tests).
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None = None,
        *,
        timeout: float = 30.0,
        verify: bool | str | Path = True,
        retries: int = 4,
        session: requests.Session | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._auth = auth
        self._timeout = timeout
        self._verify = str(verify) if isinstance(verify, Path) else verify
        self._retries = retries
        self._shared = session
        self._local = threading.local()

    @property
    def session(self) -> requests.Session:
        """The session of this thread."""
        if self._shared is not None:
            return self._shared
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.auth = self._auth
            session.verify = self._verify
            session.trust_env = False  # no .netrc, no proxy of the environment: the address is meant as it is
            session.mount("http://", HTTPAdapter(pool_maxsize=1))
            self._local.session = session
        return session

    def send(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        timeout: float | None = None,
        stream: bool = False,
        **options: Any,
    ) -> requests.Response:
        """Send one request and return its answer below 400.

        Parameters
        ----------
        again
            Whether it may be sent twice; by default GET, PUT and DELETE may.
        timeout
            Seconds, instead of the one of the client; 0 waits for ever.

        Raises
        ------
        UnreachableError
            If no server answers, also after the retries.
        ResponseError
            For an answer of 400 and above.
        """
        tries = 1 + (self._retries if (method != "POST" if again is None else again) else 0)
        pause = _FIRST_PAUSE
        limit = self._timeout if timeout is None else (timeout or None)
        while True:
            tries -= 1
            try:
                response = self.session.request(method, self.url + path, timeout=limit, stream=stream, **options)
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                if tries <= 0 or isinstance(error, requests.exceptions.SSLError):
                    raise UnreachableError(self.url, error) from error
            else:
                if response.status_code < 400:
                    return response
                if response.status_code != _BUSY or tries <= 0:
                    raise error_of(response)
                response.close()
            time.sleep(pause)
            pause *= 2

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send one request and return its JSON."""
        return self.send(method, path, **options).json()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a path and return its JSON."""
        return self.send("GET", path, params=params).json()

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[requests.Response]:
        """Send one request and give its answer with the body unread."""
        response = self.send(method, path, stream=True, **options)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections of this thread."""
        if self._shared is None and hasattr(self._local, "session"):
            self._local.session.close()
            del self._local.session
