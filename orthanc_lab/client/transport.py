"""Requests to one server: credentials, time-outs, retries where a second try cannot do harm."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from orthanc_lab.client.errors import NotOrthancError, error_of, unreachable

__all__ = ["Transport"]

_BUSY = 503
_FIRST_PAUSE = 0.1  # seconds before the second try; doubled at each further one
_LONGEST_PAUSE = 5.0
_CONNECTIONS = 16  # kept open for threads that share the client


class Transport:
    """Sends requests to one Orthanc; threads may share it.

    Parameters
    ----------
    url
        Base address, ``http://localhost:8042``; credentials in it are taken as `auth`.
    auth
        User name and password.
    timeout
        Seconds to wait for the server to connect and between two parts of an answer.
    verify
        False accepts any certificate, a path names the CA that signed the server's.
    retries
        Further tries after a lost connection, for requests that may be sent twice; and after a
        refused connection or "503 Service Unavailable", for all.
    session
        A session to use instead of an own one (in-process servers, tests).

    Raises
    ------
    ValueError
        If the address is none.

    Examples
    --------
    >>> client.transport.get("/changes", {"limit": 1})["Changes"][0]["ChangeType"]
    'NewInstance'
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
        self.url, given = _address(url)
        self.timeout = timeout
        self._retries = retries
        self._is_own = session is None
        self.session = session or _session(auth or given, verify)

    def send(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        retries: int | None = None,
        timeout: float | None = None,
        stream: bool = False,
        **options: Any,
    ) -> requests.Response:
        """Send one request and return its answer below 400.

        Parameters
        ----------
        again
            Whether it may be sent twice; by default GET, PUT and DELETE may.
        retries, timeout
            Instead of those of the client.

        Raises
        ------
        UnreachableError
            If no server answers, also after the retries.
        ResponseError
            For an answer of 400 and above.
        """
        harmless = method != "POST" if again is None else again
        body = options.get("data")
        pauses = _pauses(self._retries if retries is None else retries)
        while True:
            if body is not None and hasattr(body, "seek"):
                body.seek(0)
            try:
                response = self.session.request(
                    method, self.url + path, timeout=timeout or self.timeout, stream=stream, **options
                )
            except requests.RequestException as error:
                pause = next(pauses, None) if _is_worth_a_retry(error, harmless) else None
                if pause is None:
                    raise unreachable(self.url, error) from error
            else:
                if response.status_code < 400:
                    return response
                pause = next(pauses, None) if response.status_code == _BUSY else None
                if pause is None:
                    raise error_of(response)
                pause = max(pause, _asked_pause(response))
                response.close()
            time.sleep(pause)

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send one request and return its JSON.

        Raises
        ------
        NotOrthancError
            If the answer is no JSON.
        """
        response = self.send(method, path, **options)
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("Content-Type", "") or "a body of no type"
            raise NotOrthancError(f"{method} {response.request.url}", kind) from error

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET a path and return its JSON."""
        return self.json("GET", path, params=params)

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[requests.Response]:
        """Send one request and give its answer with the body unread."""
        response = self.send(method, path, stream=True, **options)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self.session.close()


def _address(url: str) -> tuple[str, tuple[str, str] | None]:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:  # the port is no number, or too large
        usable = False
    if not usable:
        raise ValueError(f"{url!r} is no address of a server; it should look like http://localhost:8042")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, parts.path, "", "")).rstrip("/"), auth


def _session(auth: tuple[str, str] | None, verify: bool | str | Path) -> requests.Session:
    session = requests.Session()
    session.auth = auth
    session.verify = str(verify) if isinstance(verify, Path) else verify
    session.trust_env = False  # no .netrc, no proxy of the environment: the address is meant as it is
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return session


def _pauses(count: int) -> Iterator[float]:
    for number in range(count):
        yield min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE)


def _is_worth_a_retry(error: requests.RequestException, harmless: bool) -> bool:
    if isinstance(error, (requests.exceptions.SSLError, requests.ReadTimeout)):
        return False  # the next try would end, or take, the same
    if isinstance(error, requests.ConnectTimeout):
        return False
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NewConnectionError):
        return True  # nothing was sent yet
    return harmless and isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError))


def _asked_pause(response: requests.Response) -> float:
    """Return the seconds of ``Retry-After``, within reason."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE) if text.isdecimal() else 0.0
